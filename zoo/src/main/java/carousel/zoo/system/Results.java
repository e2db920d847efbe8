package carousel.zoo.system;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** The table of what every system reached, in a document: a row for each figure, in the order of the registry. */
public final class Results {
  private static final String HEAD =
      "| system | figure | value | accepted | published | run | date | settings |";
  private static final String RULE = "|---|---|---|---|---|---|---|---|";

  private final List<String> before = new ArrayList<>();
  private final List<String> rows = new ArrayList<>();
  private final List<String> after = new ArrayList<>();

  /**
   * The table of a document.
   *
   * @param document its text, with the head of the table in it
   * @throws IllegalArgumentException if there is no such table
   */
  public Results(String document) {
    var part = before;
    for (var line : document.lines().toList()) {
      if (part == rows && !line.startsWith("| ")) {
        part = after;
      }
      if (line.equals(RULE) && part == before) {
        part = rows;
        continue;
      }
      part.add(line);
    }
    if (before.isEmpty() || part == before || !before.removeLast().equals(HEAD)) {
      throw new IllegalArgumentException("the document has no table of results: " + HEAD);
    }
  }

  /**
   * The rows of a system.
   *
   * @param system its name
   * @return each as its cells
   */
  public List<List<String>> of(String system) {
    return rows.stream().map(Results::cells).filter(row -> row.getFirst().equals(system)).toList();
  }

  private static List<String> cells(String row) {
    return List.of(row.substring(2, row.length() - 2).split(" \\| ", -1));
  }

  /**
   * Puts in what a system reached, in place of what stands there of it.
   *
   * @param system which
   * @param summary what its runs measured
   * @param preset by which preset
   * @param date of the run, as 2026-12-01
   * @param settings all that was chosen
   */
  public void put(
      ZooSystem<?> system,
      Sweep.Summary summary,
      Preset preset,
      String date,
      Map<String, String> settings) {
    String name = system.about().name();
    rows.removeIf(row -> cells(row).getFirst().equals(name));
    String chosen =
        settings.entrySet().stream()
            .filter(setting -> !setting.getKey().equals("seed"))
            .map(setting -> setting.getKey() + "=" + setting.getValue())
            .collect(Collectors.joining(" "));
    var run = List.of(preset.label() + ", " + seeds(summary), date, "`" + chosen + "`");
    boolean first = true;
    for (var figure : summary.figures()) {
      String mark = !figure.isBounded() ? "" : figure.accepts(summary.mean(figure)) ? " ✓" : " ✗";
      var cells =
          new ArrayList<>(
              List.of(
                  name,
                  figure.name() + ": " + figure.meaning(),
                  summary.text(figure),
                  figure.accepted() + mark,
                  figure.published()));
      // How it was run is said once for all of its figures.
      cells.addAll(first ? run : List.of("", "", ""));
      first = false;
      rows.add(
          "| "
              + cells.stream()
                  .map(cell -> cell.replace("|", "/"))
                  .collect(Collectors.joining(" | "))
              + " |");
    }
  }

  private static String seeds(Sweep.Summary summary) {
    var seeds = summary.runs().keySet().stream().map(String::valueOf).toList();
    return (seeds.size() == 1 ? "seed " : "seeds ") + String.join(" ", seeds);
  }

  /**
   * The document.
   *
   * @param order the names of all systems; rows of others are left out
   * @return its text
   */
  public String text(List<String> order) {
    var sorted =
        rows.stream()
            .filter(row -> order.contains(cells(row).getFirst()))
            .sorted(Comparator.comparingInt(row -> order.indexOf(cells(row).getFirst())))
            .toList();
    var lines = new ArrayList<>(before);
    lines.add(HEAD);
    lines.add(RULE);
    lines.addAll(sorted);
    lines.addAll(after);
    return String.join("\n", lines) + "\n";
  }
}
