package carousel.cuda.scan;

import carousel.cuda.driver.CudaDriver;
import carousel.cuda.driver.Grid;
import org.jspecify.annotations.Nullable;

/**
 * How a whole sequence runs as one launch: every block owns some units, whose recurrent weights stay in
 * its shared memory. The rule is: units are spread over all multiprocessors. If at least half of the
 * weights of a block's units fit its shared memory beside what else it needs, and the batch has at most
 * {@value #MOST_ROWS} rows, the sequence is one launch, which reads the rest of the weights at every
 * step; else steps are launched one by one.
 *
 * @param own units per block
 * @param resident how much of a block's weights stays in shared memory: packs of 16 bytes of every
 *     column on the way there, lines on the way back
 * @param chunk packs of the states that lie in shared memory at once; forward only
 * @param beyond bytes of room for the weights of all blocks that do not stay in shared memory
 * @param grid the launch
 */
record CellScanPlan(int own, int resident, int chunk, long beyond, Grid grid) {
  /**
   * From here on, products of a library cost less than handing all rows to all blocks: a row is 4 H bytes
   * to each of 132 blocks, and the library's products reach the arithmetic's limit.
   */
  static final int MOST_ROWS = 128;

  private static final int THREADS = Grid.THREADS;
  private static final int PACK_BYTES = 16;
  private static final int ROWS_PER_THREAD = 4; // as in products.cuh

  // As in tensor_products.cuh and tensor_shares.cuh: of a warp's tile, and of the smallest there
  // is.
  private static final int WARPS = THREADS / 32;
  private static final int TILE_COLUMNS = 64;
  private static final int TILE_ROWS = 32;
  private static final int SMALLEST_TILE_ROWS = 8;
  private static final int TILE = 16;
  private static final int QUAD = 4;
  private static final int PACKS_AT_ONCE = 4;
  private static final int TENSOR_CORES_OF_BF16 = 80; // compute capability

  /** The first chunk is waited for, the others arrive meanwhile: so there are some. */
  private static final int CHUNKS = 4;

  /** The shortest chunk, in packs: its arithmetic takes about as long as the next needs to arrive. */
  private static final int SHORTEST_CHUNK = 32;

  /** The sizes of a scan. */
  record Sizes(RecurrentCell cell, int rows, int hidden, CellScanType type) {
    /** Elements of what products read. */
    private int pack() {
      return PACK_BYTES / type.storedBytes();
    }

    /** The elements of a state's row, rounded up to whole packs. */
    int lead() {
      return roundUp(hidden, pack());
    }

    private int packs() {
      return lead() / pack();
    }

    /** N in whole packs of sums. */
    private int wholeRows() {
      return roundUp(rows, PACK_BYTES / type.bytes());
    }

    /** Whether the device has what kernels of the type want. */
    private boolean suits(CudaDriver driver) {
      return type != CellScanType.BF16
          || driver.attribute(CudaDriver.Attribute.COMPUTE_CAPABILITY) >= TENSOR_CORES_OF_BF16;
    }

    private int own(CudaDriver driver) {
      return Math.ceilDiv(hidden, driver.attribute(CudaDriver.Attribute.MULTIPROCESSORS));
    }
  }

  /**
   * How the products of a forward step are cut: {@code Products} in {@code products.cuh} and {@code
   * tensor_products.cuh}.
   *
   * @param rows N in whole tiles
   * @param slices how many parts a sum has; 0 if the block's threads do not suffice for one
   * @param round packs in which every slice has its share
   */
  private record Cut(int rows, int slices, int round) {
    static Cut of(Sizes s, int own) {
      if (s.type() != CellScanType.BF16) {
        int groups = Math.ceilDiv(s.rows(), ROWS_PER_THREAD);
        int slices = THREADS / (groups * own);
        return new Cut(groups * ROWS_PER_THREAD, slices, slices);
      }
      int across = Math.ceilDiv(s.cell().allProducts() * own, TILE_COLUMNS);
      int slices = WARPS / (across * Math.ceilDiv(s.rows(), TILE_ROWS));
      return new Cut(roundUp(s.rows(), SMALLEST_TILE_ROWS), slices, slices * PACKS_AT_ONCE);
    }
  }

  /** Packs from one line to the next, of so many, so that threads side by side read different banks. */
  private static long stride(Sizes s, long packs) {
    return s.type() == CellScanType.BF16 ? (packs + 3) / 8 * 8 + 4 : odd(packs);
  }

  /** The longest line whose stride fits. */
  private static long fitting(Sizes s, long packs) {
    return s.type() == CellScanType.BF16 ? (packs + 4) / 8 * 8 - 4 : odd(packs - 1);
  }

  /** The way there; null if it does not fit. */
  static @Nullable CellScanPlan forward(Sizes s, CudaDriver driver) {
    int own = s.own(driver);
    var cut = Cut.of(s, own);
    if (s.rows() > MOST_ROWS || cut.slices() == 0 || !s.suits(driver)) {
      return null;
    }
    int columns = s.cell().allProducts() * own;
    long sums = (long) cut.rows() * cut.slices() * columns * s.type().bytes();
    int perItem = (s.cell().hasC() ? 1 : 0) + (s.cell().looks() ? 2 : 0); // c, products with it
    long c = (long) perItem * s.rows() * own * s.type().bytes();
    long room = driver.attribute(CudaDriver.Attribute.SHARED_BYTES_PER_BLOCK) - sums - c;
    int packs = s.packs();
    int shortest = roundUp(SHORTEST_CHUNK, cut.round());
    int chunk = roundUp(Math.ceilDiv(packs, CHUNKS), cut.round());
    while (true) {
      long states = 2L * cut.rows() * stride(s, chunk) * PACK_BYTES;
      long fitting = (room - states) / ((long) columns * PACK_BYTES);
      int resident = (int) (stride(s, packs) <= fitting ? packs : fitting(s, fitting));
      boolean all = resident == packs;
      if (all || (chunk <= shortest && 2L * resident >= packs)) {
        long weights = stride(s, resident) * columns * PACK_BYTES;
        Grid grid = grid(s, own, sums + c + states + weights);
        long beyond = all ? 0 : grid.x() * stride(s, packs - resident) * columns * PACK_BYTES;
        return new CellScanPlan(own, resident, chunk, beyond, grid);
      }
      if (chunk <= shortest) {
        return null;
      }
      chunk = Math.max(shortest, roundUp(chunk / 2, cut.round()));
    }
  }

  /**
   * How the weights of a block lie on the way back: {@code Shares} in {@code shares.cuh} and {@code
   * tensor_shares.cuh}.
   *
   * @param lines columns, a product of a unit each; in bf16, units in whole tiles
   * @param bytes of a line
   * @param whole lines that stay together
   * @param du bytes of the gradients that they are multiplied by
   */
  private record Kept(int lines, long bytes, int whole, long du) {
    static Kept of(Sizes s, int own) {
      RecurrentCell cell = s.cell();
      if (s.type() != CellScanType.BF16) {
        int columns = cell.allProducts() * own;
        long du = (long) columns * s.wholeRows() * s.type().bytes();
        return new Kept(columns, odd(s.packs()) * PACK_BYTES, 1, du);
      }
      int width = roundUp(cell.products() * own, TILE) + roundUp(cell.matrices() * own, TILE);
      // Of quads of numbers, four more than a multiple of eight.
      long bytes = ((width / QUAD + 3L) / 8 * 8 + 4) * QUAD * s.type().storedBytes();
      long du = roundUp(s.rows(), SMALLEST_TILE_ROWS) * bytes;
      return new Kept(roundUp(s.hidden(), TILE), bytes, TILE, du);
    }
  }

  /** The way back; null if it does not fit. */
  static @Nullable CellScanPlan backward(Sizes s, CudaDriver driver) {
    int own = s.own(driver);
    var weights = Kept.of(s, own);
    int count = own * s.wholeRows();
    int groups = Math.max(1, THREADS * PACK_BYTES / (count * s.type().bytes()));
    long rest = weights.du() + (groups + 2L) * count * s.type().bytes();
    long room = driver.attribute(CudaDriver.Attribute.SHARED_BYTES_PER_BLOCK) - rest;
    int lines = weights.lines();
    int resident = Math.clamp(room / weights.bytes(), 0, lines) / weights.whole() * weights.whole();
    if (s.rows() > MOST_ROWS || 2L * resident < lines || !s.suits(driver)) {
      return null;
    }
    Grid grid = grid(s, own, rest + resident * weights.bytes());
    long beyond = weights.bytes() * (lines - resident) * grid.x();
    return new CellScanPlan(own, resident, 0, beyond, grid);
  }

  private static Grid grid(Sizes s, int own, long shared) {
    return Grid.of(Math.ceilDiv(s.hidden(), own), THREADS)
        .shared(Math.toIntExact(shared))
        .together();
  }

  /** The bytes through which blocks hand each other their shares of a gradient, in two rounds. */
  long shares(Sizes s) {
    return 2L * grid.x() * grid.x() * own * s.wholeRows() * s.type().bytes();
  }

  private static long odd(long n) {
    return n | 1;
  }

  private static int roundUp(int n, int multiple) {
    return Math.ceilDiv(n, multiple) * multiple;
  }
}
