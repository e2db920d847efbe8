package carousel.cuda;

import carousel.cuda.driver.CudaDriver;
import carousel.cuda.driver.Grid;
import org.jspecify.annotations.Nullable;

/**
 * How a whole sequence runs as one launch: every block owns some units, whose recurrent weights stay in
 * its shared memory. The rule is: units are spread over all multiprocessors; if the weights of a block's
 * units, and what else it needs, fit its shared memory, and a batch has at most {@value #MOST_ROWS} rows,
 * the sequence is one launch; else steps are launched one by one.
 *
 * @param own units per block
 * @param tile rows whose states lie in shared memory at once; forward only
 * @param grid the launch
 */
record ScanPlan(int own, int tile, Grid grid) {
  /**
   * From here on, products of a library cost less than handing all rows to all blocks: a row is 4 H bytes
   * to each of 132 blocks, and the library's products reach the arithmetic's limit.
   */
  static final int MOST_ROWS = 128;

  private static final int THREADS = Grid.THREADS;
  private static final int ROWS_PER_THREAD = 4; // as in scan_forward.cuh
  private static final int PACK_BYTES = 16;

  /** The sizes of a scan. */
  record Sizes(RecurrentCell cell, int rows, int hidden, int bytes) {
    private int pack() {
      return PACK_BYTES / bytes;
    }

    /** The elements of a state's row, rounded up to whole packs. */
    int lead() {
      return roundUp(hidden, pack());
    }

    /** Bytes of a column of weights in shared memory: an odd number of packs. */
    private long column() {
      return (long) (lead() / pack() | 1) * PACK_BYTES;
    }
  }

  /** The way there; null if it does not fit. */
  static @Nullable ScanPlan forward(Sizes s, CudaDriver driver) {
    int own = own(s, driver);
    int most = THREADS / own * ROWS_PER_THREAD;
    int tile = Math.min(most, roundUp(s.rows(), ROWS_PER_THREAD));
    for (; s.rows() <= MOST_ROWS && tile > 0; tile -= ROWS_PER_THREAD) {
      int slices = THREADS / (tile / ROWS_PER_THREAD * own);
      long states = (tile < s.rows() ? 2L : 1L) * tile * s.column();
      long sums = (long) slices * s.cell().gates() * tile * own * s.bytes();
      long c = s.cell().hasC() ? (long) s.rows() * own * s.bytes() : 0;
      ScanPlan plan = of(s, driver, own, tile, states + sums + c);
      if (plan != null) {
        return plan;
      }
    }
    return null;
  }

  /** The way back; null if it does not fit. */
  static @Nullable ScanPlan backward(Sizes s, CudaDriver driver) {
    int own = own(s, driver);
    int count = own * roundUp(s.rows(), s.pack());
    int groups = Math.max(1, THREADS / (count / s.pack()));
    long rest = (s.cell().gates() + groups + 2L) * count * s.bytes();
    return s.rows() <= MOST_ROWS ? of(s, driver, own, 0, rest) : null;
  }

  private static @Nullable ScanPlan of(
      Sizes s, CudaDriver driver, int own, int tile, long besideWeights) {
    long shared = (long) s.cell().gates() * own * s.column() + besideWeights;
    if (own > THREADS || shared > driver.attribute(CudaDriver.Attribute.SHARED_BYTES_PER_BLOCK)) {
      return null;
    }
    int blocks = Math.ceilDiv(s.hidden(), own);
    return new ScanPlan(own, tile, Grid.of(blocks, THREADS).shared((int) shared).together());
  }

  private static int own(Sizes s, CudaDriver driver) {
    return Math.ceilDiv(s.hidden(), driver.attribute(CudaDriver.Attribute.MULTIPROCESSORS));
  }

  /** The elements through which blocks hand each other their shares of a gradient, in two rounds. */
  long shares(Sizes s) {
    return 2L * grid.x() * grid.x() * own * roundUp(s.rows(), s.pack());
  }

  private static int roundUp(int n, int multiple) {
    return Math.ceilDiv(n, multiple) * multiple;
  }
}
