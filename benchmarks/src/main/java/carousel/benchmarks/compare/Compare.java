package carousel.benchmarks.compare;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** Measures Carousel and other libraries beside each other; see {@link Options#USAGE}. */
public final class Compare {
  private Compare() {}

  /**
   * Runs a comparison; the system property {@code compare.target} names the build folder.
   *
   * @param args see {@link Options#USAGE}
   * @throws IOException if the picture cannot be written
   */
  public static void main(String[] args) throws IOException {
    Thread.currentThread()
        .setUncaughtExceptionHandler((thread, e) -> {
          if (e instanceof Options.Misuse || e instanceof Child.Refusal) {
            System.err.println("compare: " + e.getMessage());
            System.err.print(e instanceof Options.Misuse ? "\n" + Options.USAGE : "");
          } else {
            e.printStackTrace();
          }
        });
    var out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
    if (List.of(args).contains("--help")) {
      out.print(Options.USAGE);
      return;
    }
    var options = Options.parse(List.of(args));
    if (options.list()) {
      list(out);
      return;
    }
    List<Result> results = measure(options, out);
    if (options.svg().isPresent()) {
      Files.writeString(options.svg().get(), Picture.of(results));
    }
    var lstm = results.stream().filter(result -> result.table() == Table.LSTM).toList();
    Report.summary(lstm).ifPresent(text -> out.printf(Locale.ROOT, "%n%s%n", text));
    requireSound(results);
  }

  private static List<Result> measure(Options options, PrintStream out) {
    var target =
        Path.of(System.getProperty("compare.target", "benchmarks/target")).toAbsolutePath();
    var report = new Report(out);
    List<Result> all = new ArrayList<>();
    Machine.describe(out);
    long start = System.nanoTime();
    try (var rounds = new Rounds(options, target)) {
      for (Table table : options.tables()) {
        var rows = table.rows.stream().filter(options::wants).toList();
        if (rows.isEmpty()) {
          continue;
        }
        report.open(table, options.threads());
        List<Result> results = new ArrayList<>();
        for (Row row : rows) {
          if (System.nanoTime() - start > options.minutes() * 60e9) {
            out.printf(
                Locale.ROOT, "%n%s %s: left out, the time is over%n", table.option(), row.name());
            continue;
          }
          Result result = rounds.measure(table, row);
          report.row(result);
          results.add(result);
        }
        report.close(table, results);
        all.addAll(results);
      }
    }
    if (all.isEmpty()) {
      throw new Options.Misuse("these options leave nothing to measure");
    }
    return all;
  }

  private static void list(PrintStream out) {
    for (Table table : Table.values()) {
      out.printf(Locale.ROOT, "%-16s %s%n", table.option(), table.title);
      for (Row row : table.rows) {
        out.printf(Locale.ROOT, "%-16s   %s%s%n", "", row.name(), row.quick() ? "   (quick)" : "");
      }
    }
  }

  /** A comparison in which somebody failed, or did other work, is no comparison. */
  private static void requireSound(List<Result> results) {
    for (Result result : results) {
      for (Result.Line line : result.lines()) {
        if (!line.trouble().isEmpty()) {
          throw new Child.Refusal(
              result.table().option()
                  + " "
                  + result.row().name()
                  + ", "
                  + line.entry().label()
                  + ": "
                  + line.trouble());
        }
      }
    }
  }
}
