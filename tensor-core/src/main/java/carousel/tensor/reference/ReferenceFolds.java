package carousel.tensor.reference;

import carousel.tensor.op.Reduce;
import java.util.Arrays;

/** What each {@link Reduce} row means, on the elements it sees in row-major order. */
final class ReferenceFolds {
  private ReferenceFolds() {}

  static double of(Reduce op, double[] x) {
    return switch (op) {
      case SUM -> sum(x);
      case MEAN -> sum(x) / x.length;
      case PROD -> Arrays.stream(x).reduce(1, (a, b) -> a * b);
      case MAX -> Arrays.stream(x).reduce(Double.NEGATIVE_INFINITY, Math::max);
      case MIN -> Arrays.stream(x).reduce(Double.POSITIVE_INFINITY, Math::min);
      case LOG_SUM_EXP -> logSumExp(x);
      case NORM, WIDE_NORM -> norm(x);
      case ARG_MAX -> position(x, 1);
      case ARG_MIN -> position(x, -1);
      case ANY -> Arrays.stream(x).anyMatch(v -> v != 0) ? 1 : 0;
      case ALL -> Arrays.stream(x).allMatch(v -> v != 0) ? 1 : 0;
    };
  }

  static double sum(double... x) {
    var sum = new LongSum();
    for (double v : x) {
      sum.add(v);
    }
    return sum.value();
  }

  static double logSumExp(double... x) {
    double max = Arrays.stream(x).reduce(Double.NEGATIVE_INFINITY, Math::max);
    if (Double.isInfinite(max) || Double.isNaN(max)) {
      return max;
    }
    return max + Math.log(sum(Arrays.stream(x).map(v -> Math.exp(v - max)).toArray()));
  }

  private static double norm(double... x) {
    double max = Arrays.stream(x).map(Math::abs).reduce(0, Math::max);
    if (max == 0 || Double.isInfinite(max) || Double.isNaN(max)) {
      return max;
    }
    return max * Math.sqrt(sum(Arrays.stream(x).map(v -> v / max * (v / max)).toArray()));
  }

  /** The first greatest (or, with sign −1, smallest) element; NaN wins. */
  private static int position(double[] x, int sign) {
    int best = 0;
    for (int i = 1; i < x.length && !Double.isNaN(x[best]); i++) {
      if (Double.isNaN(x[i]) || sign * x[i] > sign * x[best]) {
        best = i;
      }
    }
    return best;
  }
}
