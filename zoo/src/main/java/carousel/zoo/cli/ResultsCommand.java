package carousel.zoo.cli;

import carousel.nn.io.AtomicFile;
import carousel.zoo.Systems;
import carousel.zoo.run.Choice;
import carousel.zoo.run.Reporter;
import carousel.zoo.run.Saving;
import carousel.zoo.system.Options;
import carousel.zoo.system.Preset;
import carousel.zoo.system.Results;
import carousel.zoo.system.Runner;
import carousel.zoo.system.Seeded;
import carousel.zoo.system.Seeds;
import carousel.zoo.system.Sweep;
import carousel.zoo.system.ZooSystem;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Runs systems, and writes what they reached into a table. */
@Command(
    name = "results",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    header = "Runs systems by a preset, and writes their rows of docs/results.md.")
final class ResultsCommand implements Callable<Integer> {
  @Spec private @Nullable CommandSpec spec;

  @Parameters(
      arity = "0..*",
      paramLabel = "NAME",
      description = "The systems; all if none is given.")
  private List<String> names = List.of();

  @Option(
      names = "--preset",
      paramLabel = "NAME",
      description = "quick, paper or small; quick if not given.")
  private String preset = Preset.QUICK.label();

  @Option(names = "--seeds", paramLabel = "A..B", description = "As of run; 1 if not given.")
  private String seeds = "1";

  @Option(
      names = "--file",
      paramLabel = "FILE",
      description = "The document with the table; docs/results.md if not given.")
  private Path file = Path.of("docs", "results.md");

  @Option(
      names = "--runs",
      paramLabel = "DIR",
      description = "Where the run folders go; runs if not given.")
  private Path runs = Path.of("runs");

  @Option(names = "--threads", paramLabel = "N", description = "Threads of the CPU.")
  private @Nullable Integer threads;

  @Mixin private SavingOptions saves = new SavingOptions();

  @Override
  public Integer call() throws IOException {
    Threads.use(threads);
    for (var name : names) {
      Choice.require("NAME", name, Systems.names());
    }
    var chosen = Preset.of(preset);
    var which = Seeds.parse(seeds);
    var results = new Results(Files.readString(file));
    var line = Objects.requireNonNull(spec).commandLine();
    var reporter =
        new Reporter(line.getOut(), line.getErr(), Boolean.getBoolean("carousel.terminal"));
    var failed = new ArrayList<String>();
    try (var interruption = new Interruption()) {
      for (var name : names.isEmpty() ? Systems.names() : names) {
        reporter.line("");
        reporter.line(name);
        var work =
            new Work<>(Systems.of(name), runs, chosen, saves.saving(), reporter, interruption);
        var summary = work.put(which, results);
        if (summary.isEmpty()) {
          return Interruption.EXIT;
        }
        if (!summary.orElseThrow().passed()) {
          failed.add(name);
        }
        AtomicFile.writeString(file, results.text(Systems.names()));
      }
    } finally {
      reporter.clear();
    }
    reporter.line("");
    reporter.line(failed.isEmpty() ? "all passed" : "FAILED: " + String.join(", ", failed));
    return failed.isEmpty() ? 0 : 1;
  }

  /** What is done for one system. */
  private record Work<O extends Record & Seeded>(
      ZooSystem<O> system,
      Path runs,
      Preset preset,
      Saving saving,
      Reporter reporter,
      Interruption interruption) {
    Optional<Sweep.Summary> put(List<Long> seeds, Results results) throws IOException {
      var options = Options.of(system.options());
      var values = new LinkedHashMap<>(system.preset(preset));
      var runner = new Runner<>(system, saving, reporter, interruption);
      var settings = options.values(runner.check(values));
      var folder = RunFolders.unused(runs, system.about().name());
      var summary = new Sweep<>(runner, reporter).run(values, seeds, folder.path());
      summary.ifPresent(
          s -> results.put(system, s, preset, LocalDate.now(ZoneOffset.UTC).toString(), settings));
      return summary;
    }
  }
}
