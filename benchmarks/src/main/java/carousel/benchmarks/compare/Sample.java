package carousel.benchmarks.compare;

import java.util.Arrays;

/**
 * What the rounds gave for one contender in one setting.
 *
 * @param median of all rounds
 * @param least the best round
 * @param most the worst round
 */
public record Sample(double median, double least, double most) {

  /**
   * Summarises rounds.
   *
   * @param rounds one number each, at least one
   * @return the summary
   */
  public static Sample of(double... rounds) {
    return new Sample(
        median(rounds),
        Arrays.stream(rounds).min().orElseThrow(),
        Arrays.stream(rounds).max().orElseThrow());
  }

  /**
   * The middle number, or the mean of the two in the middle.
   *
   * @param values at least one
   * @return their median
   */
  static double median(double... values) {
    double[] sorted = values.clone();
    Arrays.sort(sorted);
    int half = sorted.length / 2;
    return sorted.length % 2 == 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
  }
}
