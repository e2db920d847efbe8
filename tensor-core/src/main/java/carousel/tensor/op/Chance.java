package carousel.tensor.op;

import carousel.tensor.Philox;

/**
 * A probability as 64 bits, which a flip compares with its random ones: true where {@code U < p · 2⁶⁴},
 * so the probability of true is p to within 2⁻⁶⁴. Element i of a fill that starts at counter c has the
 * upper 32 bits of U from word {@code i mod 4} of block {@code c + i/4}, which decide unless they are
 * just those of p, and the lower ones from {@link Philox#tie}.
 *
 * @param upper the upper bits of p, in [0, 2³²]; 2³² is certain
 * @param lower the lower bits, in [0, 2³²)
 */
public record Chance(long upper, long lower) {
  private static final double WORD = 0x1p32;
  private static final long LOW = 0xFFFFFFFFL;

  /**
   * The bits of a probability.
   *
   * @param probability in [0, 1]
   * @return its bits, rounded up
   */
  public static Chance of(double probability) {
    double scaled = probability * WORD;
    double whole = Math.floor(scaled);
    // Both differences and products are exact.
    long rest = (long) Math.ceil((scaled - whole) * WORD);
    return new Chance((long) whole + (rest >>> 32), rest & LOW);
  }

  /**
   * Tells whether every flip is true.
   *
   * @return whether the probability is 1, to 64 bits
   */
  public boolean isCertain() {
    return upper > LOW;
  }

  /**
   * The definition.
   *
   * @param seed the key
   * @param counter the first block
   * @param i the index of the element
   * @return whether it is true
   */
  public boolean hits(long seed, long counter, long i) {
    long block = counter + (i >>> 2);
    long word = Philox.word(seed, block, (int) (i & 3)) & LOW;
    return word == upper ? (Philox.tie(seed, block, (int) (i & 3)) & LOW) < lower : word < upper;
  }
}
