package carousel.tensor.cpu.loop;

/** The inner loop of random fills: what successive Philox blocks give, 16 bytes each. */
@FunctionalInterface
public interface Uniforms {
  /** What is made of the words of a block. */
  enum Form {
    /** Four I32: {@code word >>> 8}, the 24 bits of F32 numbers. */
    BITS,
    /** Four I32: {@code word ^ 2³¹}, whose order as I32 is that of the words without a sign. */
    ORDERED,
    /** Two F64 in [0, 1), of 53 bits: {@link carousel.tensor.Philox#unit}. */
    UNIT
  }

  /** The number of blocks is a multiple of this: the longs of the widest vector. */
  int BLOCKS = 8;

  /**
   * Writes successive blocks.
   *
   * @param seed the key
   * @param block the first block
   * @param blocks how many, a multiple of {@link #BLOCKS}
   * @param out where they go
   */
  void run(long seed, long block, int blocks, long out);
}
