package carousel.nn;

import java.util.Comparator;
import java.util.List;

/** What a person may have meant by a name that is not there. */
public final class NearMisses {
  private static final int SHOWN = 5;

  private NearMisses() {}

  /**
   * Names the nearest.
   *
   * @param names what there is
   * @param wanted what was asked for
   * @return "there are: a, b", or "nearest of 12: a, b, c"
   */
  public static String among(List<String> names, String wanted) {
    if (names.isEmpty()) {
      return "there are none at all";
    }
    var nearest =
        names.stream()
            .sorted(Comparator.comparingInt(name -> distance(name, wanted)))
            .limit(SHOWN)
            .toList();
    return (names.size() > SHOWN ? "nearest of " + names.size() + ": " : "there are: ")
        + String.join(", ", nearest);
  }

  /**
   * How many characters to insert, delete or replace (Levenshtein 1966).
   *
   * @param a one word
   * @param b the other
   * @return the edit distance
   */
  public static int distance(String a, String b) {
    var row = new int[b.length() + 1];
    for (int j = 0; j < row.length; j++) {
      row[j] = j;
    }
    for (int i = 1; i <= a.length(); i++) {
      int diagonal = row[0];
      row[0] = i;
      for (int j = 1; j < row.length; j++) {
        int replaced = diagonal + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
        diagonal = row[j];
        row[j] = Math.min(replaced, 1 + Math.min(row[j], row[j - 1]));
      }
    }
    return row[b.length()];
  }
}
