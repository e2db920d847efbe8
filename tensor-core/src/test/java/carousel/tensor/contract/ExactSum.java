package carousel.tensor.contract;

import java.util.Arrays;

/**
 * A sum, and the sum of the terms' magnitudes.
 *
 * @param value Σ x, right to a double's last place: summed in two doubles (Knuth 1969, Dekker 1971)
 * @param magnitude Σ |x|
 */
record ExactSum(double value, double magnitude) {
  static ExactSum of(double... x) {
    return ofColumns(x, 1)[0];
  }

  /** Of each column of rows that lie one after the other. */
  static ExactSum[] ofColumns(double[] x, int columns) {
    double[] high = new double[columns];
    double[] low = new double[columns];
    double[] magnitude = new double[columns];
    for (int i = 0, j = 0; i < x.length; i++, j = j + 1 < columns ? j + 1 : 0) {
      double sum = high[j] + x[i];
      double rest = sum - high[j];
      double error = low[j] + (high[j] - (sum - rest) + (x[i] - rest));
      high[j] = sum + error;
      low[j] = error - (high[j] - sum);
      magnitude[j] += Math.abs(x[i]);
    }
    ExactSum[] sums = new ExactSum[columns];
    Arrays.setAll(sums, j -> new ExactSum(high[j] + low[j], magnitude[j]));
    return sums;
  }
}
