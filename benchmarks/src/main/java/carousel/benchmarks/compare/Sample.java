package carousel.benchmarks.compare;

import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/**
 * What the rounds gave for one contender in one setting.
 *
 * @param rounds one number each, at least one
 */
public record Sample(List<Double> rounds) {

  /**
   * A sample.
   *
   * @param rounds one number each, at least one
   */
  public Sample {
    rounds = List.copyOf(rounds);
  }

  /**
   * A sample.
   *
   * @param rounds one number each, at least one
   * @return the sample
   */
  public static Sample of(double... rounds) {
    return new Sample(Arrays.stream(rounds).boxed().toList());
  }

  /**
   * What is typical.
   *
   * @return the median of all rounds
   */
  public double median() {
    return median(rounds.stream().mapToDouble(r -> r).toArray());
  }

  /**
   * The smallest.
   *
   * @return the least of all rounds
   */
  public double least() {
    return rounds.stream().mapToDouble(r -> r).min().orElseThrow();
  }

  /**
   * The greatest.
   *
   * @return the most of all rounds
   */
  public double most() {
    return rounds.stream().mapToDouble(r -> r).max().orElseThrow();
  }

  /**
   * How many times as much this is: the median of the ratios within each round. A machine that others
   * share changes its speed for a minute at a time; what two contenders take in one round is comparable
   * even then, and the median of one in a slow minute with that of the other in a fast one is not.
   *
   * @param other measured in the same rounds; if in another number of them, medians are compared
   * @return this over other
   */
  public double ratioTo(Sample other) {
    if (rounds.size() != other.rounds.size()) {
      return median() / other.median();
    }
    return median(
        IntStream.range(0, rounds.size())
            .mapToDouble(i -> rounds.get(i) / other.rounds.get(i))
            .toArray());
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
