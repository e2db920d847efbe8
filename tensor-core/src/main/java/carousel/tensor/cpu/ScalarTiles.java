package carousel.tensor.cpu;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Tiles without the Vector API. Sums are kept in heap arrays, whose plain loops C2 turns into vector
 * code by itself, as it does not for memory off the heap.
 */
final class ScalarTiles implements Tiles, Tile {
  private static final int HEIGHT = 4;
  private static final int WIDTH = 32;

  private static final ThreadLocal<double[]> ROW_F64 =
      ThreadLocal.withInitial(() -> new double[(HEIGHT + 1) * WIDTH]);
  private static final ThreadLocal<float[]> ROW_F32 =
      ThreadLocal.withInitial(() -> new float[(HEIGHT + 1) * WIDTH]);

  private final boolean f64;

  ScalarTiles(boolean f64) {
    this.f64 = f64;
  }

  @Override
  public int elementSize() {
    return f64 ? Double.BYTES : Float.BYTES;
  }

  @Override
  public int width() {
    return WIDTH;
  }

  @Override
  public int lanes() {
    return WIDTH / 2;
  }

  @Override
  public int height(int rows) {
    return HEIGHT;
  }

  @Override
  public int maxRows() {
    return HEIGHT;
  }

  @Override
  public Tile byRows(int rows, int vectors) {
    throw new UnsupportedOperationException("kernels over time need the Vector API");
  }

  @Override
  public int rows() {
    return HEIGHT;
  }

  @Override
  public Tile tile(int height) {
    return this;
  }

  @Override
  public Object array(int length) {
    return f64 ? new double[length] : new float[length];
  }

  @Override
  public void packA(
      long a, long row, long column, int rows, int k, Object into, int offset, int height) {
    for (int p = 0; p < k; p++, offset += height) {
      for (int r = 0; r < height; r++) {
        long address = a + r * row + p * column;
        if (f64) {
          ((double[]) into)[offset + r] = r < rows ? Bytes.f64(address) : 0;
        } else {
          ((float[]) into)[offset + r] = r < rows ? Bytes.f32(address) : 0;
        }
      }
    }
  }

  @Override
  public void packB(long b, long row, long column, int k, int columns, long into) {
    for (int p = 0; p < k; p++, into += (long) WIDTH * elementSize()) {
      for (int j = 0; j < WIDTH; j++) {
        long address = b + p * row + j * column;
        if (f64) {
          Bytes.f64(into + 8L * j, j < columns ? Bytes.f64(address) : 0);
        } else {
          Bytes.f32(into + 4L * j, j < columns ? Bytes.f32(address) : 0);
        }
      }
    }
  }

  @Override
  public void run(
      Object a,
      int aOffset,
      int aBlock,
      int k,
      long b,
      long bRow,
      long init,
      long initRow,
      long initNext,
      long out,
      long outRow,
      long outNext) {
    if (f64) {
      runF64((double[]) a, aOffset, k, b, bRow, init, initRow, out, outRow);
    } else {
      runF32((float[]) a, aOffset, k, b, bRow, init, initRow, out, outRow);
    }
  }

  private static void runF32(
      float[] a,
      int aOffset,
      int k,
      long b,
      long bRow,
      long init,
      long initRow,
      long out,
      long outRow) {
    float[] rows = ROW_F32.get();
    for (int r = 0; r < HEIGHT; r++) {
      MemorySegment.copy(
          Bytes.ALL, ValueLayout.JAVA_FLOAT_UNALIGNED, init + r * initRow, rows, r * WIDTH, WIDTH);
    }
    for (int p = 0; p < k; p++) {
      MemorySegment.copy(
          Bytes.ALL, ValueLayout.JAVA_FLOAT_UNALIGNED, b + p * bRow, rows, HEIGHT * WIDTH, WIDTH);
      for (int r = 0; r < HEIGHT; r++) {
        float x = a[aOffset + p * HEIGHT + r];
        for (int j = 0; j < WIDTH; j++) {
          rows[r * WIDTH + j] += x * rows[HEIGHT * WIDTH + j];
        }
      }
    }
    for (int r = 0; r < HEIGHT; r++) {
      MemorySegment.copy(
          rows, r * WIDTH, Bytes.ALL, ValueLayout.JAVA_FLOAT_UNALIGNED, out + r * outRow, WIDTH);
    }
  }

  private static void runF64(
      double[] a,
      int aOffset,
      int k,
      long b,
      long bRow,
      long init,
      long initRow,
      long out,
      long outRow) {
    double[] rows = ROW_F64.get();
    for (int r = 0; r < HEIGHT; r++) {
      MemorySegment.copy(
          Bytes.ALL, ValueLayout.JAVA_DOUBLE_UNALIGNED, init + r * initRow, rows, r * WIDTH, WIDTH);
    }
    for (int p = 0; p < k; p++) {
      MemorySegment.copy(
          Bytes.ALL, ValueLayout.JAVA_DOUBLE_UNALIGNED, b + p * bRow, rows, HEIGHT * WIDTH, WIDTH);
      for (int r = 0; r < HEIGHT; r++) {
        double x = a[aOffset + p * HEIGHT + r];
        for (int j = 0; j < WIDTH; j++) {
          rows[r * WIDTH + j] += x * rows[HEIGHT * WIDTH + j];
        }
      }
    }
    for (int r = 0; r < HEIGHT; r++) {
      MemorySegment.copy(
          rows, r * WIDTH, Bytes.ALL, ValueLayout.JAVA_DOUBLE_UNALIGNED, out + r * outRow, WIDTH);
    }
  }
}
