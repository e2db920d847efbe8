package carousel.benchmarks.compare;

/**
 * The numbers that weights and inputs start from: the same for every contender, so that the results
 * can be compared. They are drawn by name, since libraries keep weights in different places.
 */
public final class Values {
  private static final long GOLDEN = 0x9E3779B97F4A7C15L;

  private Values() {}

  /**
   * Numbers uniform in {@code [-bound, bound)}.
   *
   * @param name of the matrix, e.g. {@code wx.0}
   * @param bound the largest
   * @param count how many
   * @return the numbers, in rows
   */
  public static double[] of(String name, double bound, int count) {
    double[] values = new double[count];
    long state = name.hashCode() * GOLDEN;
    for (int i = 0; i < count; i++) {
      state += GOLDEN;
      values[i] = bound * (2 * unit(state) - 1);
    }
    return values;
  }

  /**
   * Whole numbers uniform in {@code [0, limit)}.
   *
   * @param name of what they are for
   * @param limit one more than the largest
   * @param count how many
   * @return the numbers
   */
  public static int[] indices(String name, int limit, int count) {
    int[] values = new int[count];
    long state = name.hashCode() * GOLDEN;
    for (int i = 0; i < count; i++) {
      state += GOLDEN;
      values[i] = (int) (unit(state) * limit);
    }
    return values;
  }

  /** The output function of SplitMix64, as a number in {@code [0,1)}. */
  private static double unit(long state) {
    long z = state;
    z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
    z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
    z ^= z >>> 31;
    return (z >>> 11) * 0x1p-53;
  }
}
