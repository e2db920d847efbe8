package carousel.zoo.system;

import carousel.nn.io.AtomicFile;
import carousel.tensor.TensorScope;
import carousel.zoo.plot.Png;
import carousel.zoo.run.Failure;
import carousel.zoo.run.Numbers;
import carousel.zoo.run.Reporter;
import carousel.zoo.run.RunFolder;
import carousel.zoo.run.Saving;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import java.util.function.BooleanSupplier;

/**
 * Runs a system: gives it what it needs, and writes what it came to into a folder, beside what {@link RunFolder} tells:
 *
 * <pre>
 * figures.csv             its figures, what is accepted, and what was published
 * *.svg, *.png            its plots
 * </pre>
 *
 * @param <O> the record of its options
 */
public final class Runner<O extends Record & Seeded> {
  /** Names the system in the file of settings. */
  public static final String SYSTEM = "system";

  private final ZooSystem<O> system;
  private final Options<O> options;
  private final Saving saving;
  private final Reporter reporter;
  private final BooleanSupplier stop;

  /**
   * Runs nothing yet.
   *
   * @param system what is run
   * @param saving when checkpoints are written
   * @param reporter shows how it goes
   * @param stop asked between steps; where it says true the run ends, resumable
   */
  public Runner(ZooSystem<O> system, Saving saving, Reporter reporter, BooleanSupplier stop) {
    this.system = system;
    this.options = Options.of(system.options());
    this.saving = saving;
    this.reporter = reporter;
    this.stop = stop;
  }

  /**
   * What a run measured.
   *
   * @param figures what was declared
   * @param values what was measured, by their names
   */
  public record Measured(List<Figure> figures, Map<String, Double> values) {
    /**
     * The value of a figure.
     *
     * @param figure one of them
     * @return what was measured
     */
    public double of(Figure figure) {
      return values.getOrDefault(figure.name(), Double.NaN);
    }

    /**
     * Whether it counts as passed.
     *
     * @return whether every figure is accepted
     */
    public boolean passed() {
      return figures.stream().allMatch(figure -> !figure.isBounded() || figure.accepts(of(figure)));
    }
  }

  /**
   * Checks values of its options.
   *
   * @param values by name, all of them
   * @return the record
   * @throws Failure of usage that says what is wrong with them
   */
  public O check(Map<String, String> values) {
    var chosen = options.read(values);
    system.require(chosen);
    return chosen;
  }

  /**
   * Runs it from the beginning.
   *
   * @param values of its options, by name, all of them
   * @param folder where the results go, which holds no run
   * @return what it measured; empty if it was stopped
   * @throws IOException if data cannot be read
   */
  public Optional<Measured> begin(Map<String, String> values, RunFolder folder) throws IOException {
    var chosen = check(values);
    try (var lock = folder.lock()) {
      RunFolder.requireNone(folder.path());
      save(chosen, folder);
      return run(chosen, folder, false);
    }
  }

  /**
   * Goes on with a run.
   *
   * @param changes values that differ from those of the run, all of options that may
   * @param folder holds it
   * @return what it measured; empty if it was stopped
   * @throws IOException if the run cannot be read
   */
  public Optional<Measured> resume(Map<String, String> changes, RunFolder folder)
      throws IOException {
    var values = new LinkedHashMap<>(folder.settings());
    String name = values.getOrDefault(SYSTEM, "train");
    if (!name.equals(system.about().name())) {
      throw new Failure(
          String.format(
              Locale.ROOT, "%s is a run of %s: go on with it by that", folder.path(), name));
    }
    var fixed = new TreeSet<>(changes.keySet());
    options.entries().stream().filter(Entry::isTunable).map(Entry::name).forEach(fixed::remove);
    if (!fixed.isEmpty()) {
      throw Failure.usage(
          "--resume goes on with the run as it is: leave out --" + String.join(", --", fixed));
    }
    values.putAll(changes);
    var chosen = options.read(values, folder.settingsFile().toString());
    system.require(chosen);
    try (var lock = folder.lock()) {
      if (!changes.isEmpty()) {
        save(chosen, folder);
      }
      return run(chosen, folder, true);
    }
  }

  private void save(O chosen, RunFolder folder) {
    var settings = new LinkedHashMap<String, String>();
    settings.put(SYSTEM, system.about().name());
    settings.putAll(options.values(chosen));
    folder.saveSettings(settings);
  }

  private Optional<Measured> run(O chosen, RunFolder folder, boolean resumed) throws IOException {
    String command = "./carousel run " + system.about().name();
    long start = System.nanoTime();
    try (var scope = TensorScope.open()) {
      var run = new Run(chosen.seed(), folder, saving, reporter, stop, resumed, command);
      var outcome = system.run(chosen, run);
      var measured = new Measured(system.figures(chosen), outcome.figures());
      requireDeclared(measured);
      reporter.clear();
      folder.write(RunFolder.FIGURES, csv(measured));
      draw(outcome, folder);
      table(measured).forEach(reporter::line);
      reporter.line(
          String.format(
              Locale.ROOT,
              "%s     seed %d, %s; %s",
              measured.passed() ? "passed" : "FAILED",
              chosen.seed(),
              Numbers.time((System.nanoTime() - start) * 1e-9),
              folder.path()));
      return Optional.of(measured);
    } catch (Stopped stopped) {
      reporter.line(
          String.format(
              Locale.ROOT, "to go on:  %s --resume %s", command, Reporter.argument(folder.path())));
      return Optional.empty();
    }
  }

  private void requireDeclared(Measured measured) {
    var declared = measured.figures().stream().map(Figure::name).toList();
    if (!new TreeSet<>(declared).equals(new TreeSet<>(measured.values().keySet()))) {
      throw new IllegalStateException(
          String.format(
              Locale.ROOT,
              "%s declares the figures %s and measured %s",
              system.about().name(),
              declared,
              measured.values().keySet()));
    }
  }

  private static String csv(Measured measured) {
    var text = new StringBuilder("figure,value,least,most,accepted,published,meaning\n");
    for (var figure : measured.figures()) {
      text.append(figure.name())
          .append(',')
          .append(measured.of(figure))
          .append(',')
          .append(finite(figure.least()))
          .append(',')
          .append(finite(figure.most()))
          .append(',')
          .append(figure.isBounded() ? figure.accepts(measured.of(figure)) : "")
          .append(',')
          .append(quoted(figure.published()))
          .append(',')
          .append(quoted(figure.meaning()))
          .append('\n');
    }
    return text.toString();
  }

  private static String finite(double bound) {
    return Double.isFinite(bound) ? Double.toString(bound) : "";
  }

  private static String quoted(String text) {
    return '"' + text.replace("\"", "\"\"") + '"';
  }

  private void draw(Outcome outcome, RunFolder folder) throws IOException {
    for (var plot : outcome.plots().entrySet()) {
      folder.write(plot.getKey() + ".svg", plot.getValue().svg());
      try {
        var bytes = ByteBuffer.wrap(Png.of(plot.getValue()));
        AtomicFile.write(
            folder.path().resolve(plot.getKey() + ".png"),
            channel -> {
              var left = bytes.duplicate();
              while (left.hasRemaining()) {
                channel.write(left);
              }
            });
      } catch (Png.NoFonts e) {
        reporter.warning(String.valueOf(e.getMessage()));
      } catch (IOException e) {
        throw Failure.writing(folder.path(), e);
      }
    }
  }

  /** The figures as a table for people. */
  private static List<String> table(Measured measured) {
    var rows = new ArrayList<List<String>>();
    rows.add(List.of("figure", "value", "accepted", "", "published"));
    for (var figure : measured.figures()) {
      double value = measured.of(figure);
      rows.add(
          List.of(
              figure.name(),
              Numbers.figure(value),
              figure.accepted(),
              figure.isBounded() ? (figure.accepts(value) ? "✓" : "✗") : "",
              figure.published()));
    }
    return Aligned.rows(rows);
  }
}
