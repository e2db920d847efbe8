package carousel.cuda.driver;

/**
 * The threads of a launch.
 *
 * @param x blocks along x
 * @param y blocks along y
 * @param threads threads per block
 * @param sharedBytes dynamic shared memory per block
 * @param cooperative whether all blocks run at once and may meet at a barrier of the grid
 */
public record Grid(int x, int y, int threads, int sharedBytes, boolean cooperative) {
  /** Threads per block where nothing else is asked for. */
  public static final int THREADS = 256;

  /**
   * Blocks in a row, of {@link #THREADS} threads.
   *
   * @param blocks how many
   * @return the grid
   */
  public static Grid of(int blocks) {
    return new Grid(blocks, 1, THREADS, 0, false);
  }

  /**
   * Blocks in a row.
   *
   * @param blocks how many
   * @param threads threads per block
   * @return the grid
   */
  public static Grid of(int blocks, int threads) {
    return new Grid(blocks, 1, threads, 0, false);
  }

  /**
   * The same with dynamic shared memory.
   *
   * @param bytes per block
   * @return the grid
   */
  public Grid shared(int bytes) {
    return new Grid(x, y, threads, bytes, cooperative);
  }

  /**
   * The same, with all blocks at once.
   *
   * @return the grid
   */
  public Grid together() {
    return new Grid(x, y, threads, sharedBytes, true);
  }
}
