package carousel.testing;

import carousel.tensor.Tensor;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** What does not hold, each with where; and what else is worth knowing. */
final class Findings {
  private static final int MOST_SHOWN = 10;

  /** Of the greatest element of all that is compared: what is smaller may be the rounding of what cancelled. */
  private static final double FLOOR = 1e-3;

  private final List<String> wrong = new ArrayList<>();
  private final Set<String> notes = new LinkedHashSet<>();
  private int checks;

  void note(String text) {
    notes.add(text);
  }

  void wrong(String where, String text) {
    wrong.add(where + ": " + text);
  }

  boolean areNone() {
    return wrong.isEmpty();
  }

  /** Counts a check, and notes what is wrong, if anything. */
  void require(boolean holds, String where, String text) {
    checks++;
    if (!holds) {
      wrong(where, text);
    }
  }

  /** Runs code that is not to fail; null if it does. */
  <R> @Nullable R attempt(String where, Supplier<R> code) {
    checks++;
    try {
      return code.get();
    } catch (RuntimeException | AssertionError e) {
      wrong(where, "it fails: " + (e.getMessage() == null ? e : e.getMessage()));
      return null;
    }
  }

  /** Compares results one by one; says what else to look at, if one differs. */
  void same(String where, Results actual, Results wanted, double units, String advice) {
    if (actual.names().size() != wanted.names().size()) {
      require(false, where, actual.names() + ", wanted " + wanted.names() + advice);
      return;
    }
    double floor = 0;
    for (Tensor t : wanted.tensors()) {
      floor = t.dtype().isFloating() ? Math.max(floor, FLOOR * greatest(t.toDoubleArray())) : floor;
    }
    for (int i = 0; i < wanted.names().size(); i++) {
      String difference = difference(actual.get(i), wanted.get(i), units, floor);
      require(difference == null, where, wanted.names().get(i) + " " + difference + advice);
    }
  }

  /** Compares two tensors. */
  void same(String where, String name, Tensor actual, Tensor wanted, double units, String advice) {
    String difference = difference(actual, wanted, units, 0);
    require(difference == null, where, name + " " + difference + advice);
  }

  private static double greatest(double... values) {
    double greatest = 0;
    for (double value : values) {
      if (Double.isFinite(value)) {
        greatest = Math.max(greatest, Math.abs(value));
      }
    }
    return greatest;
  }

  /**
   * Where two tensors are further apart than so many roundings of the greatest element, or the floor; null if
   * nowhere. With 0 units they are the same to the bit.
   */
  private static @Nullable String difference(
      Tensor actual, Tensor wanted, double units, double floor) {
    if (actual.dtype() != wanted.dtype() || !actual.shape().equals(wanted.shape())) {
      return String.format(
          Locale.ROOT,
          "is %s %s, wanted %s %s",
          actual.dtype(),
          actual.shape(),
          wanted.dtype(),
          wanted.shape());
    }
    double[] a = actual.toDoubleArray();
    double[] e = wanted.toDoubleArray();
    double greatest = Math.max(floor, greatest(e));
    double bound =
        switch (wanted.dtype()) {
          case F32 -> units * (Math.ulp(1f) * greatest + Float.MIN_NORMAL);
          case F64 -> units * (Math.ulp(1.0) * greatest + Double.MIN_NORMAL);
          case I32, BOOL -> 0;
        };
    int worst = -1;
    double most = 0;
    for (int i = 0; i < e.length; i++) {
      boolean same = a[i] == e[i] || (Double.isNaN(a[i]) && Double.isNaN(e[i]));
      double distance = Math.abs(a[i] - e[i]);
      if (!same && !(distance <= bound) && !(distance <= most)) {
        most = Double.isNaN(distance) ? Double.POSITIVE_INFINITY : distance;
        worst = i;
      }
    }
    return worst < 0
        ? null
        : String.format(
            Locale.ROOT,
            "%s %s, element %d: %s, wanted %s, to %.1e",
            wanted.dtype(),
            wanted.shape(),
            worst,
            a[worst],
            e[worst],
            bound);
  }

  /** Fails with all that does not hold. */
  ContractReport report(String name) {
    if (!wrong.isEmpty()) {
      var text = new StringBuilder(name);
      text.append(" breaks its contract in ").append(wrong.size());
      text.append(wrong.size() == 1 ? " place:" : " places:");
      for (String each : wrong.subList(0, Math.min(MOST_SHOWN, wrong.size()))) {
        text.append("\n  ").append(each);
      }
      if (wrong.size() > MOST_SHOWN) {
        text.append("\n  and ").append(wrong.size() - MOST_SHOWN).append(" more");
      }
      throw new AssertionError(text.toString());
    }
    return new ContractReport(name, checks, List.copyOf(notes));
  }
}
