package carousel.tensor.sweep;

import java.util.Locale;

/**
 * What a sweep has seen of a row.
 *
 * @param numbers how many arguments
 * @param worst the greatest error, in units in the last place of the exact result
 * @param worstAt its argument
 * @param falls how often a result is on the wrong side of its neighbour's: it falls where the exact
 *     function rises, or rises where that falls
 * @param fallsAt the argument of one of them
 * @param uneven how often f(−x) and f(x) are not the same, or opposite, bits where the exact ones are
 * @param unevenAt the argument of one of them
 * @param odd how often NaN, an infinity or the sign of a zero is not the exact result's
 * @param oddAt the argument of one of them
 * @param least the least result
 * @param greatest the greatest
 * @param exactLeast the least exact result, rounded
 * @param exactGreatest the greatest exact result, rounded
 */
record Figures(
    long numbers,
    double worst,
    float worstAt,
    long falls,
    float fallsAt,
    long uneven,
    float unevenAt,
    long odd,
    float oddAt,
    float least,
    float greatest,
    float exactLeast,
    float exactGreatest) {

  /** What has seen nothing. */
  static final Figures NONE =
      new Figures(
          0,
          0,
          0,
          0,
          0,
          0,
          0,
          0,
          0,
          Float.POSITIVE_INFINITY,
          Float.NEGATIVE_INFINITY,
          Float.POSITIVE_INFINITY,
          Float.NEGATIVE_INFINITY);

  /** Both together. */
  Figures and(Figures other) {
    boolean worse = other.worst > worst;
    return new Figures(
        numbers + other.numbers,
        worse ? other.worst : worst,
        worse ? other.worstAt : worstAt,
        falls + other.falls,
        other.falls > 0 ? other.fallsAt : fallsAt,
        uneven + other.uneven,
        other.uneven > 0 ? other.unevenAt : unevenAt,
        odd + other.odd,
        other.odd > 0 ? other.oddAt : oddAt,
        Math.min(least, other.least),
        Math.max(greatest, other.greatest),
        Math.min(exactLeast, other.exactLeast),
        Math.max(exactGreatest, other.exactGreatest));
  }

  /** Whether results leave an interval that ends in whole numbers, as those of tanh and σ do. */
  boolean leavesRange() {
    return (least < exactLeast && exactLeast == Math.rint(exactLeast))
        || (greatest > exactGreatest && exactGreatest == Math.rint(exactGreatest));
  }

  /** A row of the table that a sweep prints. */
  String line(String row) {
    return String.format(
        Locale.ROOT,
        "| %s | %.3f at %s | %s | %s | %s | %s to %s%s |",
        row,
        worst,
        worstAt,
        seen(falls, fallsAt),
        seen(uneven, unevenAt),
        seen(odd, oddAt),
        least,
        greatest,
        leavesRange() ? " (exact: " + exactLeast + " to " + exactGreatest + ")" : "");
  }

  private static String seen(long count, float at) {
    return count == 0 ? "0" : count + ", e.g. at " + at;
  }
}
