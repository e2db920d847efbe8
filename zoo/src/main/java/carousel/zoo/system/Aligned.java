package carousel.zoo.system;

import java.util.ArrayList;
import java.util.List;

/** Rows of texts, one below the other. */
public final class Aligned {
  private Aligned() {}

  /**
   * Aligns them.
   *
   * @param rows each with as many cells
   * @return a line for each, its cells from the left, two spaces between
   */
  public static List<String> rows(List<List<String>> rows) {
    var lines = new ArrayList<String>();
    for (var row : rows) {
      var line = new StringBuilder();
      for (int c = 0; c < row.size(); c++) {
        int column = c;
        int width = rows.stream().mapToInt(r -> width(r.get(column))).max().orElse(0);
        line.append(row.get(c)).append(" ".repeat(width - width(row.get(c)) + 2));
      }
      lines.add(line.toString().stripTrailing());
    }
    return lines;
  }

  private static int width(String text) {
    return text.codePointCount(0, text.length());
  }
}
