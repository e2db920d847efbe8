package carousel.tensor.golden;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.function.IntPredicate;

/** Holds values against goldens to some units in the last place, whatever their magnitude. */
final class Close {
  private Close() {}

  /**
   * Fails with the elements that are off. NaN is equal to NaN, an infinity to itself, 0 to −0.
   *
   * @param what named in the failure
   * @param actual ours
   * @param expected the golden
   * @param ulps how many units in the last place of the expected value are allowed
   * @param floor what is allowed whatever the value
   * @param exempt elements not compared
   */
  static void check(
      String what,
      double[] actual,
      GoldenTensor expected,
      double ulps,
      double floor,
      IntPredicate exempt) {
    double[] wanted = expected.values();
    assertThat(actual).as(what).hasSameSizeAs(wanted);
    List<String> wrong = new ArrayList<>();
    for (int i = 0; i < wanted.length; i++) {
      double e = wanted[i];
      double ulp = expected.dtype().equals("F32") ? Math.ulp((float) e) : Math.ulp(e);
      boolean same =
          actual[i] == e
              || (Double.isNaN(e) && Double.isNaN(actual[i]))
              || (Double.isFinite(e) && Math.abs(actual[i] - e) <= ulps * ulp + floor);
      if (!same && !exempt.test(i)) {
        wrong.add("[" + i + "] is " + actual[i] + ", expected " + e);
      }
    }
    assertThat(wrong).as(what).isEmpty();
  }
}
