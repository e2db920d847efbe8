package carousel.benchmarks.compare;

import java.io.PrintStream;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalDouble;

/** Prints results as Markdown tables, a row as soon as it is measured. */
final class Report {
  private final PrintStream out;

  Report(PrintStream out) {
    this.out = out;
  }

  /** The head of a table. */
  void open(Table table, int threads) {
    out.printf(
        Locale.ROOT,
        "%n### %s: %s; %d %s%n%n",
        table.option(),
        table.title,
        threads,
        threads == 1 ? "thread" : "threads");
    line("shape", "contender", "setting", table.unit.label, "from – to", "ratio");
    line("---", "---", "---", "---:", "---:", "---:");
  }

  /** The lines of a row. */
  void row(Result result) {
    String name = result.row().name();
    Unit unit = result.table().unit;
    for (Result.Line line : result.lines()) {
      Sample sample = line.sample();
      Task task = line.entry().task();
      if (sample == null) {
        line(name, line.entry().label(), line.trouble(), "", "", "");
      } else {
        boolean ours = line == result.lines().getFirst();
        line(
            name,
            line.entry().label(),
            line.trouble().isEmpty() ? line.setting().toString() : line.trouble(),
            unit.show(sample.median(), task),
            unit.show(sample, task),
            ours ? "" : show(result.ratio(line)));
      }
      name = "";
    }
    out.flush();
  }

  private void line(
      String shape, String who, String setting, String median, String range, String ratio) {
    out.printf(
        Locale.ROOT,
        "| %-20s | %-20s | %-11s | %9s | %19s | %5s |%n",
        shape,
        who,
        setting,
        median,
        range,
        ratio);
  }

  private static String show(OptionalDouble ratio) {
    return ratio.isEmpty() ? "" : String.format(Locale.ROOT, "%.2f", ratio.getAsDouble());
  }

  /** The summary of a table: its name, and the ratios of the better peer. */
  void close(Table table, List<Result> results) {
    summary(results).ifPresent(text -> out.printf(Locale.ROOT, "%n%s: %s%n", table.option(), text));
  }

  /** {@code geomean G min M} of the better peer's ratios; nothing if none was measured. */
  static Optional<String> summary(List<Result> results) {
    double[] ratios =
        results.stream()
            .filter(result -> !result.row().reference())
            .map(Result::best)
            .flatMapToDouble(OptionalDouble::stream)
            .toArray();
    if (ratios.length == 0) {
      return Optional.empty();
    }
    double logs = 0;
    double least = Double.POSITIVE_INFINITY;
    for (double ratio : ratios) {
      logs += Math.log(ratio);
      least = Math.min(least, ratio);
    }
    return Optional.of(
        String.format(Locale.ROOT, "geomean %.2f min %.2f", Math.exp(logs / ratios.length), least));
  }
}
