package carousel.zoo.run;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/**
 * What a run gave along its way, as a table of numbers: one row a step, an epoch, or a point of a sweep. A number is
 * written as Java spells it, so that reading it back gives the same bits; times are no part of it, so that the same
 * seed gives the same file.
 */
public final class History {
  private final List<String> columns;
  private final List<double[]> rows = new ArrayList<>();

  /**
   * An empty table.
   *
   * @param columns their names, with units in the name where there are some
   */
  public History(String... columns) {
    this.columns = List.of(columns);
    if (this.columns.isEmpty()) {
      throw new IllegalArgumentException("a history needs a column");
    }
  }

  /**
   * Its columns.
   *
   * @return their names, in order
   */
  public List<String> columns() {
    return columns;
  }

  /**
   * How long it is.
   *
   * @return the number of rows
   */
  public int size() {
    return rows.size();
  }

  /**
   * Adds a row.
   *
   * @param values one for each column
   * @throws IllegalArgumentException if there are more or fewer
   */
  public void add(double... values) {
    if (values.length != columns.size()) {
      throw new IllegalArgumentException(
          String.format(Locale.ROOT, "the history has %s, got %d values", columns, values.length));
    }
    rows.add(values.clone());
  }

  /**
   * A column.
   *
   * @param name its name
   * @return its numbers, from the first row on; a copy
   * @throws IllegalArgumentException if there is none of that name
   */
  public double[] column(String name) {
    int at = columns.indexOf(name);
    if (at < 0) {
      throw new IllegalArgumentException(
          String.format(Locale.ROOT, "no column '%s' in %s", name, columns));
    }
    return rows.stream().mapToDouble(row -> row[at]).toArray();
  }

  /**
   * A row.
   *
   * @param index from 0
   * @return its numbers, one for each column; a copy
   */
  public double[] row(int index) {
    return rows.get(index).clone();
  }

  /**
   * As a file.
   *
   * @return the header, and a line for every row
   */
  public String csv() {
    var text = new StringBuilder(String.join(",", columns)).append('\n');
    for (var row : rows) {
      text.append(
              String.join(
                  ",", Arrays.stream(row).mapToObj(History::written).toArray(String[]::new)))
          .append('\n');
    }
    return text.toString();
  }

  private static String written(double x) {
    boolean negativeZero = x == 0 && 1 / x < 0;
    boolean whole = x == Math.rint(x) && Math.abs(x) < 1e15 && !negativeZero;
    return whole ? Long.toString((long) x) : Double.toString(x);
  }

  /**
   * Reads a file into the table, in place of what is there.
   *
   * @param origin names the file in errors
   * @param csv what {@link #csv} wrote
   * @throws Failure if it is of other columns, or no table of numbers
   */
  public void read(String origin, String csv) {
    var lines = csv.lines().toList();
    String header = String.join(",", columns);
    if (lines.isEmpty() || !lines.getFirst().equals(header)) {
      throw new Failure(
          String.format(Locale.ROOT, "%s: its first line must be %s", origin, header));
    }
    var read = new ArrayList<double[]>();
    for (var line : lines.subList(1, lines.size())) {
      try {
        var cells = line.split(",", -1);
        if (cells.length != columns.size()) {
          throw new NumberFormatException();
        }
        read.add(Arrays.stream(cells).mapToDouble(Double::parseDouble).toArray());
      } catch (NumberFormatException e) {
        throw new Failure(
            String.format(
                Locale.ROOT,
                "%s: line %d, '%s', is not a row of %s",
                origin,
                read.size() + 2,
                line,
                header),
            e);
      }
    }
    rows.clear();
    rows.addAll(read);
  }
}
