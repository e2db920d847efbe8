package carousel.zoo.run;

import java.math.BigDecimal;
import java.math.MathContext;
import java.util.List;
import java.util.Locale;

/** Numbers as the programs print them: the same in every locale. */
public final class Numbers {
  /** From here on, the places of a number say less than how many there are. */
  private static final double LONG = 1e9;

  private static final List<String> UNITS = List.of("MiB", "GiB", "TiB", "PiB", "EiB");

  private Numbers() {}

  /**
   * A perplexity or another number of which three or four digits count.
   *
   * @param x the number
   * @return e.g. {@code 7.132}, {@code 182.4}, {@code 10000}, {@code 5.938e56}
   */
  public static String figure(double x) {
    if (Double.isFinite(x) && Math.abs(x) >= LONG) {
      return String.format(Locale.ROOT, "%.3e", x).replaceFirst("e\\+0?", "e");
    }
    int digits = !Double.isFinite(x) || Math.abs(x) >= 1000 ? 0 : Math.abs(x) >= 100 ? 1 : 3;
    return String.format(Locale.ROOT, "%." + digits + "f", x);
  }

  /**
   * A setting that may be small, such as a learning rate.
   *
   * @param x the number, finite
   * @return e.g. {@code 1}, {@code 0.004}, {@code 0.000125}
   */
  public static String setting(double x) {
    var rounded = new BigDecimal(x).round(new MathContext(3)).stripTrailingZeros();
    String plain = rounded.toPlainString();
    return plain.length() > 12 ? rounded.toString() : plain;
  }

  /**
   * A whole number with separators.
   *
   * @param n the number
   * @return e.g. {@code 929,589}
   */
  public static String count(long n) {
    return String.format(Locale.ROOT, "%,d", n);
  }

  /**
   * A number of things.
   *
   * @param n the number
   * @param one the name of one
   * @return e.g. {@code 1 epoch}, {@code 4 epochs}
   */
  public static String counted(long n, String one) {
    return count(n) + " " + one + (n == 1 ? "" : "s");
  }

  /**
   * A number of bytes.
   *
   * @param bytes the number
   * @return e.g. {@code 1.5 GiB}
   */
  public static String bytes(long bytes) {
    if (bytes == Long.MAX_VALUE) {
      return "unlimited";
    }
    return bytes((double) bytes);
  }

  /**
   * A number of bytes that may be beyond what any machine has.
   *
   * @param bytes the number
   * @return e.g. {@code 1.5 GiB}, {@code 2.8 EiB}
   */
  public static String bytes(double bytes) {
    double shown = bytes / 0x1p20;
    int unit = 0;
    while (shown >= 1024 && unit < UNITS.size() - 1) {
      shown /= 1024;
      unit++;
    }
    return String.format(Locale.ROOT, "%.1f %s", shown, UNITS.get(unit));
  }

  /**
   * A time in the units a person would use.
   *
   * @param seconds the time
   * @return e.g. {@code 8 s}, {@code 2 min 5 s}, {@code 3 h 20 min}
   */
  public static String time(double seconds) {
    long s = Math.round(Math.max(0, seconds));
    if (s < 60) {
      return s + " s";
    }
    if (s < 3600) {
      return String.format(Locale.ROOT, "%d min %d s", s / 60, s % 60);
    }
    return String.format(Locale.ROOT, "%d h %d min", s / 3600, s % 3600 / 60);
  }
}
