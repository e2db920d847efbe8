package carousel.zoo.run;

import java.util.Collection;
import java.util.Comparator;
import java.util.Locale;

/** One of several names: {@code lstm} of {@code elman, lstm, gru}. */
public final class Choice {
  private Choice() {}

  /**
   * Checks that a name is among those there are.
   *
   * @param what what is chosen, e.g. {@code --cell}
   * @param given the name
   * @param names those there are
   * @return the name
   * @throws Failure naming the nearest one and all others, if it is not among them
   */
  public static String require(String what, String given, Collection<String> names) {
    if (names.contains(given)) {
      return given;
    }
    throw Failure.usage(complaint(what, given, names));
  }

  /**
   * What to say of a name that is not among those there are.
   *
   * @param what what is chosen, e.g. {@code --cell}
   * @param given the name
   * @param names those there are
   * @return a sentence that names the nearest one, if any is near, and all others
   */
  public static String complaint(String what, String given, Collection<String> names) {
    String lower = given.toLowerCase(Locale.ROOT);
    String near =
        names.stream()
            .min(Comparator.comparingInt(name -> distance(name, lower)))
            .filter(name -> distance(name, lower) <= Math.max(1, name.length() / 2))
            .map(name -> "did you mean " + name + "? ")
            .orElse("");
    return String.format(
        Locale.ROOT,
        "%s: there is no '%s'; %sthere are: %s",
        what,
        given,
        near,
        String.join(", ", names));
  }

  /**
   * How many characters to insert, delete, replace, or swap with a neighbour (Damerau 1964).
   *
   * @param a a word
   * @param b another
   * @return the least number of such changes
   */
  static int distance(String a, String b) {
    var d = new int[a.length() + 1][b.length() + 1];
    for (int i = 0; i <= a.length(); i++) {
      for (int j = 0; j <= b.length(); j++) {
        if (i == 0 || j == 0) {
          d[i][j] = i + j;
          continue;
        }
        boolean same = a.charAt(i - 1) == b.charAt(j - 1);
        d[i][j] =
            Math.min(d[i - 1][j - 1] + (same ? 0 : 1), 1 + Math.min(d[i - 1][j], d[i][j - 1]));
        if (i > 1
            && j > 1
            && a.charAt(i - 1) == b.charAt(j - 2)
            && a.charAt(i - 2) == b.charAt(j - 1)) {
          d[i][j] = Math.min(d[i][j], d[i - 2][j - 2] + 1);
        }
      }
    }
    return d[a.length()][b.length()];
  }
}
