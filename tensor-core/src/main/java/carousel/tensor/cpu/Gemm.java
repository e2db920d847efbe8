package carousel.tensor.cpu;

import carousel.tensor.cpu.loop.Scratch;
import carousel.tensor.cpu.loop.Tile;
import carousel.tensor.cpu.loop.Tiles;
import carousel.tensor.cpu.loop.Totals;
import carousel.tensor.cpu.loop.Workers;
import carousel.tensor.host.Bytes;
import carousel.tensor.spi.Memory;
import java.util.function.IntConsumer;

/**
 * {@code C [m,n] = A [m,k] · B [k,n]}, or {@code C += A · B}, for any row and column strides of A and
 * B; the rows of C are contiguous.
 *
 * <p>The usual blocking (Goto and van de Geijn 2008; Van Zee and van de Geijn 2015): K is cut into
 * blocks of {@link #DEPTH}, for each of which B is packed into panels as wide as a {@link Tile} and A
 * into panels as high as one. A group of A's panels stays in the second cache while panels of B pass,
 * one after the other. When A has so few rows that packing would cost as much as multiplying,
 * contiguous rows of B are read where they are.
 *
 * <p>Every element of C is summed by one thread, over k in ascending blocks, whichever way the tiles
 * are handed out: the result does not depend on the number of threads. A block is one chain of terms, that
 * begins with zero, and blocks are added to C one after the other; after every {@link #RUN} of them, C goes to {@link Totals}, and
 * the next one begins anew. So the error of a sum is at most some 1,100 roundings of {@code Σ|a b|},
 * however long it is; sums of up to 32,768 terms need no totals.
 *
 * <p>An instance holds the packing buffers and the operands of the product it is at; each thread has
 * its own.
 */
final class Gemm implements IntConsumer {
  /**
   * The most terms of the sum per block; a panel of B then takes 128 KB. Every block reads and writes C
   * once, and a tile begins by waiting for it: blocks of 256 were a fifth slower.
   */
  private static final int DEPTH = 1024;

  /** Blocks that are added up in C before it joins the totals. */
  private static final int RUN = 32;

  /** Bytes of A and of B that are packed at a time: they stay in the third cache. */
  private static final int PACKED_A = 4 << 20;

  private static final int PACKED_B = 8 << 20;

  /** Bytes of A that one task packs or multiplies: they fit in the second cache with a panel of B. */
  private static final int GROUP_BYTES = 640 << 10;

  /** Rows of A in such a group, at most: then there are enough of them for all threads. */
  private static final int GROUP_ROWS = 240;

  /** Floating-point operations worth handing to another thread. */
  private static final long GRAIN = 1_000_000;

  /** Up to so many rows of A, contiguous rows of B are not packed. */
  private static final int DIRECT_ROWS = 24;

  /** Room for the widest and highest tile, and for a row of zeros. */
  private static final int TILE_BYTES = 16 * 256;

  private static final int ROW_BYTES = 256;

  private final Tiles tiles;
  private final Memory memory;
  private final int size;
  private final int width;
  private final Scratch panelsOfB = new Scratch();
  private Object packedA;
  private int packedLength;

  // The product at hand; strides in bytes.
  private long a;
  private long aRow;
  private long aColumn;
  private long b;
  private long bRow;
  private long bColumn;
  private long c;
  private long cRow;
  private boolean direct;
  private Tile.Packing packing = Tile.Packing.COLUMNS;

  // The block at hand, and how it is cut into tasks.
  private int rows;
  private int columns;
  private int depth;
  private long blockOfA;
  private long blockOfB;
  private long blockOfC;
  private long packedB;
  private boolean overwrite;
  private boolean isPacking;

  /** The depth, rounded up to whole vectors. */
  private int paddedDepth;

  private int groups;
  private int groupRows;
  private int panels;
  private int panelsPerTask;
  private int panelTasks;

  /**
   * Products.
   *
   * @param memory where totals of long sums are for the time of a product
   */
  Gemm(Tiles tiles, Memory memory) {
    this.tiles = tiles;
    this.memory = memory;
    this.size = tiles.elementSize();
    this.width = tiles.width();
    this.packedA = tiles.array(0);
  }

  /**
   * Computes the product. Addresses are raw, strides are in elements.
   *
   * @param accumulate whether to add to C instead of overwriting it
   */
  void multiply(
      int m,
      int n,
      int k,
      long a,
      long aRow,
      long aColumn,
      long b,
      long bRow,
      long bColumn,
      long c,
      long cRow,
      boolean accumulate) {
    this.a = a;
    this.aRow = aRow * size;
    this.aColumn = aColumn * size;
    this.b = b;
    this.bRow = bRow * size;
    this.bColumn = bColumn * size;
    this.c = c;
    this.cRow = cRow * size;
    if (k == 0 && !accumulate) {
      for (int i = 0; i < m; i++) {
        Bytes.clear(c + i * this.cRow, (long) n * size);
      }
    }
    packing = tiles.packing(this.aRow, this.aColumn);
    direct = bColumn == 1 && m <= DIRECT_ROWS;
    // Blocks of like depth, of whole vectors.
    int blocks = Math.max(1, Math.ceilDiv(k, DEPTH));
    int step = Math.ceilDiv(k, blocks * tiles.lanes()) * tiles.lanes();
    int termBytes = Math.max(1, step * size);
    int rows = PACKED_A / termBytes;
    int columns = PACKED_B / termBytes / width * width;
    long run = (long) RUN * step;
    for (int j = 0; j < n; j += columns) {
      int wide = Math.min(columns, n - j);
      if (k <= run) {
        run(m, rows, j, wide, 0, k, step, accumulate);
      } else {
        int[] dims = {2, m, wide};
        try (var room = new TemporaryCopy(memory, "matmul", Strided.dense(0, dims, size))) {
          var totals = new Totals(room.strided().address(), size, m, wide);
          long at = c + (long) j * size;
          for (long p = 0; p < k; p += run) {
            run(m, rows, j, wide, (int) p, (int) Math.min(run, k - p), step, accumulate && p == 0);
            totals.add(at, this.cRow);
          }
          totals.end(at, this.cRow);
        }
      }
    }
  }

  /** Some blocks of the sum for columns j to j + wide of C, one after the other. */
  private void run(
      int m, int rows, int j, int wide, int from, int terms, int step, boolean accumulate) {
    for (int p = 0; p < terms; p += step) {
      overwrite = p == 0 && !accumulate;
      for (int i = 0; i < m; i += rows) {
        block(i, Math.min(rows, m - i), j, wide, from + p, Math.min(step, terms - p));
      }
    }
  }

  private void block(int i, int rows, int j, int columns, int p, int depth) {
    this.rows = rows;
    this.columns = columns;
    this.depth = depth;
    blockOfA = a + i * aRow + p * aColumn;
    blockOfB = b + p * bRow + j * bColumn;
    blockOfC = c + i * cRow + (long) j * size;
    int most = Math.clamp(GROUP_BYTES / (depth * size), tiles.maxRows(), GROUP_ROWS);
    int high = Math.ceilDiv(rows, most) * tiles.maxRows();
    groupRows = Math.ceilDiv(rows, high) * tiles.maxRows();
    groups = Math.ceilDiv(rows, groupRows);
    panels = Math.ceilDiv(columns, width);
    long work = 2L * Math.min(rows, groupRows) * depth * width;
    panelsPerTask = Math.clamp(GRAIN / work, 1, panels);
    panelTasks = Math.ceilDiv(panels, panelsPerTask);
    boolean small = (long) rows * columns * depth * 2 < GRAIN;

    paddedDepth = Math.ceilDiv(depth, tiles.lanes()) * tiles.lanes();
    int length = rows * paddedDepth;
    if (packedLength < length) {
      packedA = tiles.array(length);
      packedLength = length;
    }
    packedB = panelsOfB.address((long) panels * depth * width * size);
    isPacking = true;
    boolean packB = i == 0 && (!direct || columns % width != 0);
    run(groups + (packB ? panelTasks : 0), small);
    isPacking = false;
    run(groups * panelTasks, small);
  }

  private void run(int tasks, boolean here) {
    if (here) {
      for (int task = 0; task < tasks; task++) {
        accept(task);
      }
    } else {
      Workers.parallel(tasks, this);
    }
  }

  /** One task of the phase at hand; called from any thread of the pool. */
  @Override
  public void accept(int task) {
    if (!isPacking) {
      multiplyTiles(task % groups, task / groups * panelsPerTask);
    } else if (task < groups) {
      packA(task * groupRows);
    } else {
      packB((task - groups) * panelsPerTask);
    }
  }

  private void packA(int from) {
    int to = Math.min(rows, from + groupRows);
    int count = Math.ceilDiv(to - from, tiles.maxRows());
    for (int t = 0; t < count; t++) {
      int i = from + (to - from) * t / count;
      int height = from + (to - from) * (t + 1) / count - i;
      tiles.packA(
          packing, blockOfA + i * aRow, aRow, aColumn, height, depth, packedA, i * paddedDepth);
    }
  }

  private void packB(int from) {
    int to = Math.min(panels, from + panelsPerTask);
    for (int panel = direct ? Math.max(from, columns / width) : from; panel < to; panel++) {
      int j = panel * width;
      tiles.packB(
          blockOfB + j * bColumn,
          bRow,
          bColumn,
          depth,
          Math.min(width, columns - j),
          packedB + (long) j * depth * size);
    }
  }

  private void multiplyTiles(int group, int fromPanel) {
    int fromRow = group * groupRows;
    int toRow = Math.min(rows, fromRow + groupRows);
    int toPanel = Math.min(panels, fromPanel + panelsPerTask);
    long edge = Scratch.ofThread().address(2 * TILE_BYTES + ROW_BYTES);
    long aside = edge + TILE_BYTES;
    long zero = aside + TILE_BYTES;
    Bytes.clear(zero, ROW_BYTES);
    long tileRow = (long) width * size;
    long next = (long) tiles.lanes() * size;
    int count = Math.ceilDiv(toRow - fromRow, tiles.maxRows());
    for (int panel = fromPanel; panel < toPanel; panel++) {
      int j = panel * width;
      int filled = Math.min(width, columns - j);
      boolean inPlace = direct && filled == width;
      long panelOfB = inPlace ? blockOfB + j * bColumn : packedB + (long) j * depth * size;
      long panelRow = inPlace ? bRow : tileRow;
      for (int t = 0; t < count; t++) {
        int i = fromRow + (toRow - fromRow) * t / count;
        int height = fromRow + (toRow - fromRow) * (t + 1) / count - i;
        Tile tile = tiles.tile(packing, height, 2);
        int aBlock = height * tiles.lanes();
        long out = blockOfC + i * cRow + (long) j * size;
        boolean whole = filled == width;
        long target = overwrite && whole ? out : edge;
        long targetRow = target == out ? cRow : tileRow;
        tile.run(
            packedA,
            i * paddedDepth,
            aBlock,
            depth,
            panelOfB,
            panelRow,
            zero,
            0,
            next,
            target,
            targetRow,
            next);
        if (overwrite && !whole) {
          copyRows(edge, tileRow, out, cRow, height, filled * size);
        } else if (!overwrite && whole) {
          tiles.sum().add(edge, out, cRow, next, height);
        } else if (!overwrite) {
          // The tile sticks out of C: its inner part is added aside.
          copyRows(out, cRow, aside, tileRow, height, filled * size);
          tiles.sum().add(edge, aside, tileRow, next, height);
          copyRows(aside, tileRow, out, cRow, height, filled * size);
        }
      }
    }
  }

  private static void copyRows(long from, long fromRow, long to, long toRow, int rows, int bytes) {
    for (int r = 0; r < rows; r++) {
      Bytes.copy(from + r * fromRow, to + r * toRow, bytes);
    }
  }
}
