package carousel.zoo.system;

import carousel.zoo.run.Numbers;
import carousel.zoo.run.Reporter;
import carousel.zoo.run.RunFolder;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * Runs a system with several seeds, each in the folder {@code seed-N} of one folder, which gets {@code seeds.csv} beside
 * them.
 *
 * @param <O> the record of its options
 */
public final class Sweep<O extends Record & Seeded> {
  private static final String FILE = "seeds.csv";

  private final Runner<O> runner;
  private final Reporter reporter;

  /**
   * Runs nothing yet.
   *
   * @param runner runs the system
   * @param reporter shows how it goes
   */
  public Sweep(Runner<O> runner, Reporter reporter) {
    this.runner = runner;
    this.reporter = reporter;
  }

  /**
   * What several seeds measured.
   *
   * @param runs by seed
   */
  public record Summary(Map<Long, Runner.Measured> runs) {
    /**
     * The figures.
     *
     * @return as declared
     */
    public List<Figure> figures() {
      return runs.values().iterator().next().figures();
    }

    /**
     * The mean of a figure over the seeds.
     *
     * @param figure one of them
     * @return {@code Σ x / n}
     */
    public double mean(Figure figure) {
      return runs.values().stream().mapToDouble(run -> run.of(figure)).average().orElse(Double.NaN);
    }

    /**
     * The spread of a figure over the seeds: the standard deviation of the sample.
     *
     * @param figure one of them
     * @return {@code √(Σ (x − mean)² / (n − 1))}; 0 for one seed
     */
    public double spread(Figure figure) {
      if (runs.size() < 2) {
        return 0;
      }
      double mean = mean(figure);
      double squares =
          runs.values().stream().mapToDouble(run -> Math.pow(run.of(figure) - mean, 2)).sum();
      return Math.sqrt(squares / (runs.size() - 1));
    }

    /**
     * How many seeds passed.
     *
     * @return up to their number
     */
    public long passes() {
      return runs.values().stream().filter(Runner.Measured::passed).count();
    }

    /**
     * Whether it counts as passed.
     *
     * @return whether it did with every seed
     */
    public boolean passed() {
      return passes() == runs.size();
    }

    /**
     * Mean and spread, as people read them.
     *
     * @param figure one of them
     * @return e.g. {@code 0.143 ± 0.002}
     */
    public String text(Figure figure) {
      String mean = Numbers.figure(mean(figure));
      return runs.size() < 2 ? mean : mean + " ± " + Numbers.figure(spread(figure));
    }

    private String csv() {
      var text = new StringBuilder("figure,mean,spread");
      runs.keySet().forEach(seed -> text.append(",seed_").append(seed));
      text.append('\n');
      for (var figure : figures()) {
        text.append(figure.name()).append(',').append(mean(figure));
        text.append(',').append(spread(figure));
        runs.values().forEach(run -> text.append(',').append(run.of(figure)));
        text.append('\n');
      }
      return text.toString();
    }

    private List<List<String>> rows() {
      var rows = new ArrayList<List<String>>();
      rows.add(List.of("figure", "mean ± spread", "accepted", "", "published"));
      for (var figure : figures()) {
        long accepted =
            runs.values().stream().filter(run -> figure.accepts(run.of(figure))).count();
        rows.add(
            List.of(
                figure.name(),
                text(figure),
                figure.accepted(),
                figure.isBounded()
                    ? String.format(Locale.ROOT, "%d of %d", accepted, runs.size())
                    : "",
                figure.published()));
      }
      return rows;
    }
  }

  /**
   * Runs it.
   *
   * @param values of its options; that of the seed does not count
   * @param seeds which
   * @param folder where the results go
   * @return what they measured; empty if it was stopped
   * @throws IOException if data cannot be read
   */
  public Optional<Summary> run(Map<String, String> values, List<Long> seeds, Path folder)
      throws IOException {
    var runs = new LinkedHashMap<Long, Runner.Measured>();
    for (var seed : seeds) {
      reporter.line(String.format(Locale.ROOT, "seed %d", seed));
      var own = new LinkedHashMap<>(values);
      own.put("seed", Long.toString(seed));
      var run = runner.begin(own, new RunFolder(folder.resolve("seed-" + seed)));
      if (run.isEmpty()) {
        return Optional.empty();
      }
      runs.put(seed, run.orElseThrow());
      reporter.line("");
    }
    var summary = new Summary(runs);
    new RunFolder(folder).write(FILE, summary.csv());
    reporter.line(Numbers.counted(runs.size(), "seed"));
    Aligned.rows(summary.rows()).forEach(reporter::line);
    reporter.line(
        String.format(
            Locale.ROOT,
            "%s     with %d of %s; %s",
            summary.passed() ? "passed" : "FAILED",
            summary.passes(),
            Numbers.counted(runs.size(), "seed"),
            folder));
    return Optional.of(summary);
  }
}
