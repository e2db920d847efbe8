package carousel.tensor.cpu.loop;

/** The inner loop of random fills: the 24 bits of every word of successive Philox blocks. */
@FunctionalInterface
public interface Uniforms {
  /** The number of blocks is a multiple of this: the longs of the widest vector. */
  int BLOCKS = 8;

  /**
   * {@code out_i = word(i mod 4 of block + i / 4) >>> 8} for {@code 0 ≤ i < 4 · blocks}, as I32.
   *
   * @param seed the key
   * @param block the first block
   * @param blocks how many, a multiple of {@link #BLOCKS}
   * @param out where they go
   */
  void run(long seed, long block, int blocks, long out);
}
