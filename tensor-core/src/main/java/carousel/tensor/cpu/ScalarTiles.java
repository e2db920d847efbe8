package carousel.tensor.cpu;

import carousel.tensor.cpu.loop.Tile;
import carousel.tensor.cpu.loop.TileSum;
import carousel.tensor.cpu.loop.Tiles;
import carousel.tensor.host.Bytes;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Tiles without the Vector API. Sums are kept in heap arrays, whose plain loops C2 turns into vector
 * code by itself, as it does not for memory off the heap.
 */
final class ScalarTiles implements Tiles {
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
  public int maxRows() {
    return HEIGHT;
  }

  @Override
  public Tile tile(Tile.Packing packing, int rows, int vectors) {
    if (packing != Tile.Packing.COLUMNS || vectors != 2) {
      throw new UnsupportedOperationException("kernels over time need the Vector API");
    }
    return new Scalar(rows, f64);
  }

  @Override
  public TileSum sum() {
    return f64 ? ScalarTiles::sumF64 : ScalarTiles::sumF32;
  }

  private static void sumF32(long tile, long out, long outRow, long outNext, int rows) {
    for (int r = 0; r < rows; r++, out += outRow) {
      for (int j = 0; j < WIDTH; j++, tile += 4) {
        long at = out + (j < WIDTH / 2 ? 4L * j : outNext + 4L * (j - WIDTH / 2));
        Bytes.f32(at, Bytes.f32(at) + Bytes.f32(tile));
      }
    }
  }

  private static void sumF64(long tile, long out, long outRow, long outNext, int rows) {
    for (int r = 0; r < rows; r++, out += outRow) {
      for (int j = 0; j < WIDTH; j++, tile += 8) {
        long at = out + (j < WIDTH / 2 ? 8L * j : outNext + 8L * (j - WIDTH / 2));
        Bytes.f64(at, Bytes.f64(at) + Bytes.f64(tile));
      }
    }
  }

  @Override
  public Object array(int length) {
    return f64 ? new double[length] : new float[length];
  }

  @Override
  public Tile.Packing packing(long row, long column) {
    return Tile.Packing.COLUMNS;
  }

  @Override
  public void packA(
      Tile.Packing packing,
      long a,
      long row,
      long column,
      int rows,
      int k,
      Object into,
      int offset) {
    for (int p = 0; p < k; p++, offset += rows) {
      for (int r = 0; r < rows; r++) {
        long address = a + r * row + p * column;
        if (f64) {
          ((double[]) into)[offset + r] = Bytes.f64(address);
        } else {
          ((float[]) into)[offset + r] = Bytes.f32(address);
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

  /** The tile of some rows. */
  private record Scalar(int rows, boolean f64) implements Tile {
    @Override
    public int width() {
      return WIDTH;
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

    private void runF32(
        float[] a,
        int aOffset,
        int k,
        long b,
        long bRow,
        long init,
        long initRow,
        long out,
        long outRow) {
      float[] sums = ROW_F32.get();
      for (int r = 0; r < rows; r++) {
        MemorySegment.copy(
            Bytes.ALL,
            ValueLayout.JAVA_FLOAT_UNALIGNED,
            init + r * initRow,
            sums,
            r * WIDTH,
            WIDTH);
      }
      for (int p = 0; p < k; p++) {
        MemorySegment.copy(
            Bytes.ALL, ValueLayout.JAVA_FLOAT_UNALIGNED, b + p * bRow, sums, rows * WIDTH, WIDTH);
        for (int r = 0; r < rows; r++) {
          float x = a[aOffset + p * rows + r];
          for (int j = 0; j < WIDTH; j++) {
            sums[r * WIDTH + j] += x * sums[rows * WIDTH + j];
          }
        }
      }
      for (int r = 0; r < rows; r++) {
        MemorySegment.copy(
            sums, r * WIDTH, Bytes.ALL, ValueLayout.JAVA_FLOAT_UNALIGNED, out + r * outRow, WIDTH);
      }
    }

    private void runF64(
        double[] a,
        int aOffset,
        int k,
        long b,
        long bRow,
        long init,
        long initRow,
        long out,
        long outRow) {
      double[] sums = ROW_F64.get();
      for (int r = 0; r < rows; r++) {
        MemorySegment.copy(
            Bytes.ALL,
            ValueLayout.JAVA_DOUBLE_UNALIGNED,
            init + r * initRow,
            sums,
            r * WIDTH,
            WIDTH);
      }
      for (int p = 0; p < k; p++) {
        MemorySegment.copy(
            Bytes.ALL, ValueLayout.JAVA_DOUBLE_UNALIGNED, b + p * bRow, sums, rows * WIDTH, WIDTH);
        for (int r = 0; r < rows; r++) {
          double x = a[aOffset + p * rows + r];
          for (int j = 0; j < WIDTH; j++) {
            sums[r * WIDTH + j] += x * sums[rows * WIDTH + j];
          }
        }
      }
      for (int r = 0; r < rows; r++) {
        MemorySegment.copy(
            sums, r * WIDTH, Bytes.ALL, ValueLayout.JAVA_DOUBLE_UNALIGNED, out + r * outRow, WIDTH);
      }
    }
  }
}
