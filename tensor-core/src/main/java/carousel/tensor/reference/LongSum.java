package carousel.tensor.reference;

/** Neumaier's compensated sum (1974): right to the last place for what tests compare. */
final class LongSum {
  private double sum;
  private double lost;

  void add(double term) {
    double next = sum + term;
    lost += Math.abs(sum) >= Math.abs(term) ? sum - next + term : term - next + sum;
    sum = next;
  }

  /** The sum so far. */
  double value() {
    // With an infinity among the terms the compensation is NaN, the plain sum right.
    return Double.isNaN(lost) ? sum : sum + lost;
  }
}
