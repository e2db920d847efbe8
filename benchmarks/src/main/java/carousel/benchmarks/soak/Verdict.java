package carousel.benchmarks.soak;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.ToDoubleFunction;

/**
 * What grew. Tensor memory in use and leaked scopes must not change at all; the others are compared as
 * medians of a quarter of the samples each.
 */
final class Verdict {
  private static final int QUARTERS = 4;
  private static final double SLOWER = 1.2;
  private static final double LARGER = 1.1;

  private Verdict() {}

  /**
   * Judges a soak.
   *
   * @param samples at least four, in their order
   * @return a line for each finding, none if nothing grew
   */
  static List<String> of(List<Sample> samples) {
    if (samples.size() < QUARTERS) {
      throw new IllegalArgumentException(
          "a verdict wants at least " + QUARTERS + " samples, got " + samples.size());
    }
    List<String> findings = new ArrayList<>();
    long inUse = samples.getFirst().inUse();
    for (Sample sample : samples) {
      if (sample.inUse() != inUse) {
        findings.add(
            String.format(
                Locale.ROOT,
                "tensor memory in use between trials was %d bytes, and %d after %d trials",
                inUse,
                sample.inUse(),
                sample.trials()));
        break;
      }
    }
    int leaks = samples.getLast().leaks();
    if (leaks > 0) {
      findings.add(leaks + " scopes were never closed");
    }
    grown(findings, "the reference step", samples, Sample::reference, 0, SLOWER);
    grown(findings, "resident memory", samples, Sample::resident, 1, LARGER);
    grown(findings, "heap in use", samples, Sample::heap, 1, LARGER);
    grown(findings, "metaspace", samples, Sample::metaspace, 1, LARGER);
    return findings;
  }

  /** The last quarter beside an earlier one. */
  private static void grown(
      List<String> findings,
      String what,
      List<Sample> samples,
      ToDoubleFunction<Sample> value,
      int quarter,
      double most) {
    double before = median(samples, value, quarter);
    double after = median(samples, value, QUARTERS - 1);
    if (after > most * before) {
      findings.add(
          String.format(
              Locale.ROOT,
              "%s grew by %.0f %% from quarter %d to quarter %d: %,.0f, then %,.0f",
              what,
              100 * (after / before - 1),
              quarter + 1,
              QUARTERS,
              before,
              after));
    }
  }

  private static double median(List<Sample> samples, ToDoubleFunction<Sample> value, int quarter) {
    int n = samples.size();
    double[] values =
        samples.subList(quarter * n / QUARTERS, (quarter + 1) * n / QUARTERS).stream()
            .mapToDouble(value)
            .sorted()
            .toArray();
    return values[values.length / 2];
  }
}
