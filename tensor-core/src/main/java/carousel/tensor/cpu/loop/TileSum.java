package carousel.tensor.cpu.loop;

/**
 * Adds a tile to another. The tile of a later block of a long sum begins with zero and is added when it is
 * done: began it with the sum so far, every term of the block would be rounded to the places of that.
 */
@FunctionalInterface
public interface TileSum {
  /**
   * {@code out += tile}, rows of two vectors each.
   *
   * @param tile rows side by side
   * @param out the first row
   * @param outRow bytes from a row to the next
   * @param outNext bytes from a row's first vector to its second
   * @param rows how many rows
   */
  void add(long tile, long out, long outRow, long outNext, int rows);
}
