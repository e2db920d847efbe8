package carousel.tensor.cpu.vector;

import carousel.tensor.cpu.loop.Pointwise;
import carousel.tensor.cpu.loop.Tile;
import carousel.tensor.cpu.loop.TileSum;
import carousel.tensor.cpu.loop.Tiles;
import carousel.tensor.cpu.loop.Transpose;
import carousel.tensor.host.Bytes;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicReferenceArray;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;

/** Tiles of two vectors per row, as many rows as leave registers for the operands. */
public final class VectorTiles implements Tiles {
  private static final int VECTORS = 2;

  private final boolean f64;
  private final int size;
  private final int width;
  private final Transpose transpose;

  /** Copies vectors from memory to an array. */
  private final Pointwise.Executable copy;

  private final TileSum sum;

  private final int maxRows;

  private final VectorSpecies<?> species;

  /** Tiles, each made when it is first asked for. */
  private final AtomicReferenceArray<Tile> tiles;

  VectorTiles(VectorSpecies<?> species) {
    this.species = species;
    this.f64 = species.elementType() == double.class;
    this.size = species.elementSize() / 8;
    this.transpose =
        TransposeGenerator.define(
            f64 ? species.withLanes(long.class) : species.withLanes(int.class));
    this.width = VECTORS * species.length();
    // 512-bit machines have 32 registers, of which B and A take three. Two rows more would fit, but
    // then C2 has more than LiveNodeCountInliningCutoff nodes in hand before it is done with
    // inlining, and gives up: in half of all runs every vector is boxed on the heap.
    this.maxRows = species.vectorBitSize() == 512 ? 10 : 4;
    List<Pointwise.Instruction> code = List.of(new Pointwise.Load(0), new Pointwise.Keep(0, 0));
    this.copy =
        Objects.requireNonNull(
            PointwiseGenerator.define(new Pointwise(code, List.of(false), 1), species));
    this.sum = Splicer.define(TileSum.class, TileSumTemplate.class, species);
    this.tiles = new AtomicReferenceArray<>(Tile.Packing.values().length * VECTORS * maxRows);
  }

  /** Tiles of f32 on vectors of {@code bits} bits. */
  public static Tiles f32(int bits) {
    return new VectorTiles(VectorSpecies.of(float.class, VectorShape.forBitSize(bits)));
  }

  /** Tiles of f64 on vectors of {@code bits} bits. */
  public static Tiles f64(int bits) {
    return new VectorTiles(VectorSpecies.of(double.class, VectorShape.forBitSize(bits)));
  }

  @Override
  public String toString() {
    return (f64 ? "f64" : "f32") + " tiles " + width + " wide";
  }

  @Override
  public int elementSize() {
    return size;
  }

  @Override
  public int width() {
    return width;
  }

  @Override
  public int lanes() {
    return species.length();
  }

  @Override
  public int maxRows() {
    return maxRows;
  }

  @Override
  public Tile tile(Tile.Packing packing, int rows, int vectors) {
    int slot = (packing.ordinal() * VECTORS + vectors - 1) * maxRows + rows - 1;
    Tile tile = tiles.getPlain(slot);
    if (tile == null) {
      tile = TileGenerator.define(rows, vectors, species, packing);
      // If two threads make one, both use the first, which is the one that gets compiled.
      if (!tiles.compareAndSet(slot, null, tile)) {
        tile = tiles.get(slot);
      }
    }
    return tile;
  }

  @Override
  public TileSum sum() {
    return sum;
  }

  @Override
  public Object array(int length) {
    return f64 ? new double[length] : new float[length];
  }

  @Override
  public Tile.Packing packing(long row, long column) {
    return column == size ? Tile.Packing.ROWS : Tile.Packing.COLUMNS;
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
    if (packing == Tile.Packing.ROWS) {
      packRows(a, row, rows, k, into, offset);
    } else if (f64) {
      packA(a, row, column, rows, k, (double[]) into, offset);
    } else {
      packA(a, row, column, rows, k, (float[]) into, offset);
    }
  }

  private void packRows(long a, long row, int rows, int k, Object into, int offset) {
    int lanes = species.length();
    long[] at = {a};
    Object[] arrays = {into};
    int[] offsets = {offset};
    int whole = k - k % lanes;
    for (int p = 0; p < whole; p += lanes) {
      copy.run(at, row, arrays, offsets, lanes, rows);
      at[0] += species.vectorByteSize();
      offsets[0] += rows * lanes;
    }
    // What is left of a row is read element by element: a whole vector might reach past A's end.
    for (int r = 0; r < rows; r++) {
      for (int p = whole; p < k; p++) {
        long address = a + r * row + (long) p * size;
        int index = offset + whole * rows + r * lanes + p - whole;
        if (f64) {
          ((double[]) into)[index] = Bytes.f64(address);
        } else {
          ((float[]) into)[index] = Bytes.f32(address);
        }
      }
    }
  }

  private static void packA(
      long a, long row, long column, int rows, int k, float[] into, int offset) {
    for (int p = 0; p < k; p++, a += column, offset += rows) {
      for (int r = 0; r < rows; r++) {
        into[offset + r] = Bytes.ALL.get(ValueLayout.JAVA_FLOAT_UNALIGNED, a + r * row);
      }
    }
  }

  private static void packA(
      long a, long row, long column, int rows, int k, double[] into, int offset) {
    for (int p = 0; p < k; p++, a += column, offset += rows) {
      for (int r = 0; r < rows; r++) {
        into[offset + r] = Bytes.ALL.get(ValueLayout.JAVA_DOUBLE_UNALIGNED, a + r * row);
      }
    }
  }

  @Override
  public void packB(long b, long row, long column, int k, int columns, long into) {
    long intoRow = (long) width * size;
    if (row == size && columns == width) {
      int side = transpose.side();
      int blocks = k / side;
      for (int j = 0; j < width; j += side) {
        transpose.run(
            b + j * column,
            column,
            (long) side * size,
            into + (long) j * size,
            intoRow,
            side * intoRow,
            blocks);
      }
      int done = blocks * side;
      packRows(b + done * row, row, column, k - done, columns, into + done * intoRow);
    } else {
      packRows(b, row, column, k, columns, into);
    }
  }

  private void packRows(long b, long row, long column, int k, int columns, long into) {
    int bytes = columns * size;
    for (int p = 0; p < k; p++, b += row, into += (long) width * size) {
      if (column == size) {
        Bytes.copy(b, into, bytes);
      } else if (f64) {
        for (int j = 0; j < columns; j++) {
          Bytes.f64(into + 8L * j, Bytes.f64(b + j * column));
        }
      } else {
        for (int j = 0; j < columns; j++) {
          Bytes.f32(into + 4L * j, Bytes.f32(b + j * column));
        }
      }
      for (int j = bytes; j < width * size; j += 4) {
        Bytes.i32(into + j, 0);
      }
    }
  }
}
