package carousel.tensor.op;

import carousel.tensor.DType;
import carousel.tensor.Philox;

/**
 * Distributions a backend draws from. Element i of a fill that starts at counter c is a function of
 * (seed, c, i) alone; {@link #sample} defines it, on every device.
 */
public enum Distribution {
  /**
   * Uniform on [0, 1). F32: the upper 24 bits of word {@code i mod 4} of block {@code c + i/4}. F64: the
   * upper 53 bits of half {@code i mod 2} of block {@code c + i/2}. So each is a multiple of 2⁻²⁴ or 2⁻⁵³,
   * and all multiples are equally likely.
   */
  UNIFORM,
  /**
   * Standard normal by Box and Muller (1958): block {@code c + i/2} gives {@code u, v} with 53 bits;
   * {@code √(−2 ln(1−u))} times {@code cos 2πv} for even i, {@code sin 2πv} for odd. The tails end at
   * 8.57, beyond which there is 1.0e-17 of the distribution.
   */
  NORMAL;

  /**
   * The definition.
   *
   * @param type F32 or F64
   * @param seed the key
   * @param counter the first block
   * @param i the index of the element
   * @return its value, before it is rounded to the type
   */
  public double sample(DType type, long seed, long counter, long i) {
    if (this == UNIFORM && type == DType.F32) {
      return (Philox.word(seed, counter + (i >>> 2), (int) (i & 3)) >>> 8) * 0x1p-24;
    }
    long block = counter + (i >>> 1);
    if (this == UNIFORM) {
      return Philox.unit(seed, block, (int) (i & 1));
    }
    double u = Philox.unit(seed, block, 0);
    double angle = 2 * Math.PI * Philox.unit(seed, block, 1);
    double radius = Math.sqrt(-2 * Math.log1p(-u));
    return radius * ((i & 1) == 0 ? Math.cos(angle) : Math.sin(angle));
  }

  /**
   * How many Philox blocks n elements use up.
   *
   * @param type F32 or F64
   * @param n the number of elements
   * @return the number of blocks
   */
  public long blocks(DType type, long n) {
    return this == UNIFORM && type == DType.F32 ? (n + 3) / 4 : (n + 1) / 2;
  }
}
