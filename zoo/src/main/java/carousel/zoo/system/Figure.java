package carousel.zoo.system;

import carousel.zoo.run.Numbers;
import java.util.Locale;

/**
 * A number that a system reports.
 *
 * @param name in tables and files: small letters, digits, hyphens
 * @param meaning what it is, with its unit, in a phrase
 * @param least it must be that at least, to be accepted
 * @param most it must be that at most, to be accepted
 * @param published the number of the source and where it stands; empty where there is none
 */
public record Figure(String name, String meaning, double least, double most, String published) {
  /** Checks that it can be told from others. */
  public Figure {
    if (!name.matches("[a-z0-9]+(-[a-z0-9]+)*") || meaning.isBlank() || !(least <= most)) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT, "'%s' (%s) is no figure of %s to %s", name, meaning, least, most));
    }
  }

  /**
   * A number that is reported, whatever it is.
   *
   * @param name in tables and files
   * @param meaning what it is, with its unit
   * @return the figure
   */
  public static Figure of(String name, String meaning) {
    return new Figure(name, meaning, Double.NEGATIVE_INFINITY, Double.POSITIVE_INFINITY, "");
  }

  /**
   * Accepted from a number on.
   *
   * @param bound the least
   * @return the figure
   */
  public Figure atLeast(double bound) {
    return new Figure(name, meaning, bound, most, published);
  }

  /**
   * Accepted up to a number.
   *
   * @param bound the most
   * @return the figure
   */
  public Figure atMost(double bound) {
    return new Figure(name, meaning, least, bound, published);
  }

  /**
   * With the number of the source beside it.
   *
   * @param text the number, and where it stands, e.g. {@code 114.5 (Zaremba et al. 2014, table 1)}
   * @return the figure
   */
  public Figure published(String text) {
    return new Figure(name, meaning, least, most, text);
  }

  /**
   * Whether it decides anything.
   *
   * @return whether it has a bound
   */
  public boolean isBounded() {
    return Double.isFinite(least) || Double.isFinite(most);
  }

  /**
   * Whether a value is accepted.
   *
   * @param value what was measured
   * @return whether it is a number within the bounds
   */
  public boolean accepts(double value) {
    return value >= least && value <= most;
  }

  /**
   * What is accepted.
   *
   * @return e.g. {@code ≥ 0.99}; empty without a bound
   */
  public String accepted() {
    if (Double.isFinite(least) && Double.isFinite(most)) {
      return Numbers.setting(least) + " … " + Numbers.setting(most);
    }
    if (Double.isFinite(least)) {
      return "≥ " + Numbers.setting(least);
    }
    return Double.isFinite(most) ? "≤ " + Numbers.setting(most) : "";
  }
}
