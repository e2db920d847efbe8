package carousel.zoo.plot;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * An axis: what it shows, in which unit, and from where to where.
 *
 * @param label what it shows
 * @param unit in which unit; empty for a plain number
 * @param isLogarithmic whether equal steps are equal factors
 * @param from its start; NaN for what the data needs
 * @param to its end; NaN for what the data needs
 */
public record Axis(String label, String unit, boolean isLogarithmic, double from, double to) {
  private static final double[] STEPS = {1, 2, 2.5, 5, 10};

  /**
   * An axis of what the data needs.
   *
   * @param label what it shows
   * @param unit in which unit; empty for a plain number
   * @return in equal steps
   */
  public static Axis of(String label, String unit) {
    return new Axis(label, unit, false, Double.NaN, Double.NaN);
  }

  /**
   * In equal factors.
   *
   * @return the axis
   */
  public Axis logarithmic() {
    return new Axis(label, unit, true, from, to);
  }

  /**
   * From one number to another.
   *
   * @param start where it starts
   * @param end where it ends
   * @return the axis
   */
  public Axis within(double start, double end) {
    return new Axis(label, unit, isLogarithmic, start, end);
  }

  /** Label and unit. */
  String title() {
    return unit.isEmpty() ? label : String.format(Locale.ROOT, "%s (%s)", label, unit);
  }

  /** The axis with ends: its own, or those of the data with a margin. */
  Axis fitted(double least, double most) {
    double low = least;
    double high = most;
    if (!Double.isFinite(low) || !Double.isFinite(high)) {
      low = isLogarithmic ? 1 : 0;
      high = isLogarithmic ? 10 : 1;
    }
    if (isLogarithmic) {
      low = Math.max(low, Double.MIN_NORMAL);
      high = Math.max(high, low);
      double room = Math.max(0.02, 0.04 * Math.log10(high / low));
      low /= Math.pow(10, room);
      high *= Math.pow(10, room);
    } else {
      double room = high > low ? 0.04 * (high - low) : Math.max(0.5, 0.05 * Math.abs(high));
      low -= room;
      high += room;
    }
    return within(Double.isNaN(from) ? low : from, Double.isNaN(to) ? high : to);
  }

  /** Where a value lies: 0 at the start, 1 at the end. */
  double place(double value) {
    return isLogarithmic
        ? Math.log(Math.max(value, Double.MIN_NORMAL) / from) / Math.log(to / from)
        : (value - from) / (to - from);
  }

  /** Round numbers on a fitted axis, about as many as asked for. */
  List<Double> ticks(int wanted) {
    if (isLogarithmic) {
      var decades = decades(1, 2, 5);
      if (decades.size() > wanted + 2) {
        decades = decades(1);
      }
      if (decades.size() >= 3) {
        return decades;
      }
      if (to / from < 10) {
        return new Axis(label, unit, false, from, to).ticks(wanted);
      }
      return decades;
    }
    double step = step((to - from) / wanted);
    var ticks = new ArrayList<Double>();
    for (double k = Math.ceil(from / step - 1e-9); k * step <= to + 1e-9 * step; k++) {
      ticks.add(k * step);
    }
    return ticks;
  }

  private static double step(double rough) {
    double decade = Math.pow(10, Math.floor(Math.log10(rough)));
    for (var s : STEPS) {
      if (s * decade >= rough * (1 - 1e-9)) {
        return s * decade;
      }
    }
    return 10 * decade;
  }

  private List<Double> decades(int... of) {
    var ticks = new ArrayList<Double>();
    for (int d = (int) Math.floor(Math.log10(from)); d <= Math.ceil(Math.log10(to)); d++) {
      for (var m : of) {
        double tick = m * Math.pow(10, d);
        if (tick >= from * (1 - 1e-9) && tick <= to * (1 + 1e-9)) {
          ticks.add(tick);
        }
      }
    }
    return ticks;
  }

  /** Ticks as texts, all with as many decimals. */
  static List<String> written(List<Double> ticks) {
    double most = ticks.stream().mapToDouble(Math::abs).max().orElse(0);
    if (most >= 1e6) {
      return ticks.stream().map(t -> String.format(Locale.ROOT, "%s", exponent(t))).toList();
    }
    double least =
        ticks.stream().mapToDouble(Math::abs).filter(t -> t > 1e-12 * most).min().orElse(1);
    if (least < 1e-4 || (most / least >= 1e3 && least < 1)) {
      return ticks.stream().map(Axis::exponent).toList();
    }
    int decimals = 0;
    while (decimals < 6 && !areExact(ticks, decimals)) {
      decimals++;
    }
    String form = most >= 10_000 ? "%,." + decimals + "f" : "%." + decimals + "f";
    return ticks.stream().map(t -> minus(String.format(Locale.ROOT, form, t + 0.0))).toList();
  }

  private static boolean areExact(List<Double> ticks, int decimals) {
    double scale = Math.pow(10, decimals);
    return ticks.stream()
        .allMatch(t -> Math.abs(t * scale - Math.rint(t * scale)) < 1e-6 * Math.max(1, t * scale));
  }

  private static String exponent(double tick) {
    if (tick == 0) {
      return "0";
    }
    if (Math.abs(tick) >= 0.01 && Math.abs(tick) < 1e4) {
      String text = String.format(Locale.ROOT, "%.2f", tick).replaceFirst("\\.?0+$", "");
      return minus(text);
    }
    int power = (int) Math.floor(Math.log10(Math.abs(tick)) + 1e-9);
    String digits = String.format(Locale.ROOT, "%.1f", tick / Math.pow(10, power));
    return minus(digits.replace(".0", "") + "e" + power);
  }

  private static String minus(String text) {
    return text.equals("-0") ? "0" : text.replace('-', '−');
  }
}
