package carousel.cuda.launch;

import carousel.cuda.driver.Grid;

/**
 * How threads of a block share folds of lines of elements, as {@code struct Team} of fold.cuh. It follows
 * from sizes and layouts alone, never from the device, so that sums have one order.
 *
 * @param lanes threads per line, a power of two, at most those of a block
 * @param rows whether neighbouring threads work on one line; else on neighbouring lines
 */
public record Team(int lanes, boolean rows) {
  /** Lines that keep every multiprocessor busy with few threads each. */
  private static final long MANY = 16_384;

  private static final int WARP = 32;
  private static final int PACK_BYTES = 16;

  /** A block has at least so many turns of its lanes before a line is cut. */
  private static final int TURNS = 16;

  /** Blocks that fill a large device; more chunks than that are of no use. */
  private static final int BLOCKS = 1024;

  /** A warp for each line. */
  public static final Team WARP_EACH = new Team(WARP, true);

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
  public static Team of(long lines, long length, int bytes, boolean rows) {
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
  public int blocks(long lines) {
    return Math.toIntExact(Math.ceilDiv(lines, folds()));
  }

  /** A grid for lines. */
  public Grid grid(long lines) {
    return Grid.of(blocks(lines));
  }

  /**
   * The elements of a chunk, where a few long lines are cut so that there are more blocks.
   *
   * @param bytes of an element
   * @return whole turns of the lanes, one chunk at least
   */
  public long chunk(long lines, long length, int bytes) {
    int turn = rows ? lanes * (PACK_BYTES / bytes) : lanes;
    long most =
        Math.min(Math.ceilDiv(length, (long) turn * TURNS), Math.ceilDiv(BLOCKS, blocks(lines)));
    return Math.max(1, Math.ceilDiv(Math.ceilDiv(length, Math.max(1, most)), turn)) * turn;
  }

  /** As kernels take it. */
  public int rowsFlag() {
    return rows ? 1 : 0;
  }
}
