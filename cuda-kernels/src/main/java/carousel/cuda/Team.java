package carousel.cuda;

import carousel.cuda.driver.Grid;

/**
 * How threads of a block share folds of lines of elements, as {@code struct Team} of fold.cuh. It follows
 * from sizes and layouts alone, never from the device, so that sums have one order.
 *
 * @param lanes threads per line, a power of two, at most those of a block
 * @param rows whether neighbouring threads work on one line; else on neighbouring lines
 */
record Team(int lanes, boolean rows) {
  /** Lines that keep every multiprocessor busy with few threads each. */
  private static final long MANY = 16_384;

  private static final int WARP = 32;
  private static final int PACK_BYTES = 16;

  /** The elements a lane should have before there are more lanes. */
  private static final int WORTH = 8;

  /**
   * A team for lines.
   *
   * @param lines how many lines there are
   * @param length the elements of each
   * @param bytes of an element
   * @param rows whether a line's elements lie closer to each other than those of neighbouring lines
   */
  static Team of(long lines, long length, int bytes, boolean rows) {
    if (rows) {
      long packs = Math.ceilDiv(length, PACK_BYTES / bytes);
      return new Team(powerOfTwo(lines < MANY ? packs : packs / 4, Grid.THREADS), true);
    }
    int across = Math.min(WARP, Integer.highestOneBit((int) Math.min(lines, WARP) * 2 - 1));
    return new Team(powerOfTwo(length / WORTH, Grid.THREADS / across), false);
  }

  /** The greatest power of two that is at most a number and a limit, at least 1. */
  private static int powerOfTwo(long most, int limit) {
    return (int) Long.highestOneBit(Math.clamp(most, 1, limit));
  }

  /** The lines that a block shares. */
  int folds() {
    return Grid.THREADS / lanes;
  }

  /** The blocks for lines. */
  int blocks(long lines) {
    return Math.toIntExact(Math.ceilDiv(lines, folds()));
  }

  /** A grid for lines. */
  Grid grid(long lines) {
    return Grid.of(blocks(lines));
  }

  /** The elements a block takes of a line in one turn of its lanes. */
  int turn(int bytes) {
    return rows ? lanes * (PACK_BYTES / bytes) : lanes;
  }

  /** As kernels take it. */
  int rowsFlag() {
    return rows ? 1 : 0;
  }
}
