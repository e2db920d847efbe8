package carousel.tensor.contract;

/**
 * A sum, and the sum of the terms' magnitudes.
 *
 * @param value Σ x, right to a double's last place: summed in two doubles (Knuth 1969, Dekker 1971)
 * @param magnitude Σ |x|
 */
record ExactSum(double value, double magnitude) {
  /** Of every {@code step}-th number, from one on. */
  static ExactSum of(double[] x, int from, int step) {
    double high = 0;
    double low = 0;
    double magnitude = 0;
    for (int i = from; i < x.length; i += step) {
      double sum = high + x[i];
      double rest = sum - high;
      low += high - (sum - rest) + (x[i] - rest);
      high = sum + low;
      low -= high - sum;
      magnitude += Math.abs(x[i]);
    }
    return new ExactSum(high + low, magnitude);
  }
}
