package carousel.zoo.run;

import java.util.Arrays;
import java.util.OptionalDouble;

/**
 * How long a step takes now: the median of the last ones. The first of a process are not counted, which are many
 * times slower while Java compiles the program.
 */
public final class Pace {
  private static final int SKIPPED = 3;
  private static final int KEPT = 31;

  private final double[] seconds = new double[KEPT];
  private int steps;

  /** Knows nothing yet. */
  public Pace() {}

  /**
   * Notes a step.
   *
   * @param taken seconds
   */
  public void add(double taken) {
    if (++steps > SKIPPED) {
      seconds[(steps - SKIPPED - 1) % KEPT] = taken;
    }
  }

  /**
   * How long a step takes.
   *
   * @return seconds; empty while that cannot be known
   */
  public OptionalDouble perStep() {
    int known = Math.min(KEPT, steps - SKIPPED);
    if (known < 1) {
      return OptionalDouble.empty();
    }
    var sorted = Arrays.copyOf(seconds, known);
    Arrays.sort(sorted);
    return OptionalDouble.of(sorted[known / 2]);
  }
}
