package carousel.tensor.cpu.vector;

import carousel.tensor.cpu.Bytes;
import carousel.tensor.cpu.Tile;
import carousel.tensor.cpu.Tiles;
import carousel.tensor.cpu.Transpose;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
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

  private final VectorSpecies<?> species;

  /** Tiles of 4, 8, 12 rows: as many as the registers hold. */
  private final Tile[] tiles;

  /** Tiles for A packed by rows, each made when it is first asked for: of r rows and v vectors at 2r + v − 3. */
  private final AtomicReferenceArray<Tile> byRows;

  VectorTiles(VectorSpecies<?> species) {
    this.species = species;
    this.f64 = species.elementType() == double.class;
    this.size = species.elementSize() / 8;
    this.transpose =
        TransposeGenerator.define(
            f64 ? species.withLanes(long.class) : species.withLanes(int.class));
    this.width = VECTORS * species.length();
    // 512-bit machines have 32 registers, others may have 16.
    this.tiles = new Tile[species.vectorBitSize() == 512 ? 3 : 1];
    for (int i = 0; i < tiles.length; i++) {
      tiles[i] = TileGenerator.define(4 * (i + 1), VECTORS, species, Tile.Packing.COLUMNS);
    }
    this.byRows = new AtomicReferenceArray<>(VECTORS * maxRows());
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
    return 4 * tiles.length;
  }

  @Override
  public Tile byRows(int rows, int vectors) {
    int slot = VECTORS * (rows - 1) + vectors - 1;
    Tile tile = byRows.getPlain(slot);
    if (tile == null) {
      tile = TileGenerator.define(rows, vectors, species, Tile.Packing.ROWS);
      // If two threads make one, both use the first, which is the one that gets compiled.
      if (!byRows.compareAndSet(slot, null, tile)) {
        tile = byRows.get(slot);
      }
    }
    return tile;
  }

  @Override
  public int height(int rows) {
    if (tiles.length == 1 || rows <= 4) {
      return 4;
    }
    // 13 to 16 rows are two tiles of 8 rather than 12 and 4.
    return rows <= 8 || (rows > 12 && rows <= 16) ? 8 : 12;
  }

  @Override
  public Tile tile(int height) {
    return tiles[height / 4 - 1];
  }

  @Override
  public Object array(int length) {
    return f64 ? new double[length] : new float[length];
  }

  @Override
  public void packA(
      long a, long row, long column, int rows, int k, Object into, int offset, int height) {
    if (f64) {
      packA(a, row, column, rows, k, (double[]) into, offset, height);
    } else {
      packA(a, row, column, rows, k, (float[]) into, offset, height);
    }
  }

  private static void packA(
      long a, long row, long column, int rows, int k, float[] into, int offset, int height) {
    for (int p = 0; p < k; p++, a += column, offset += height) {
      for (int r = 0; r < height; r++) {
        into[offset + r] =
            r < rows ? Bytes.ALL.get(ValueLayout.JAVA_FLOAT_UNALIGNED, a + r * row) : 0;
      }
    }
  }

  private static void packA(
      long a, long row, long column, int rows, int k, double[] into, int offset, int height) {
    for (int p = 0; p < k; p++, a += column, offset += height) {
      for (int r = 0; r < height; r++) {
        into[offset + r] =
            r < rows ? Bytes.ALL.get(ValueLayout.JAVA_DOUBLE_UNALIGNED, a + r * row) : 0;
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
        MemorySegment.copy(Bytes.ALL, b, Bytes.ALL, into, bytes);
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
