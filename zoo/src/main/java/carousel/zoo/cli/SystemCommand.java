package carousel.zoo.cli;

import carousel.zoo.run.Failure;
import carousel.zoo.run.Reporter;
import carousel.zoo.run.RunFolder;
import carousel.zoo.system.Options;
import carousel.zoo.system.Preset;
import carousel.zoo.system.Runner;
import carousel.zoo.system.Seeded;
import carousel.zoo.system.Seeds;
import carousel.zoo.system.Sweep;
import carousel.zoo.system.ZooSystem;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/**
 * Runs one system; its options are those of its record.
 *
 * @param <O> the record
 */
@Command(mixinStandardHelpOptions = true, sortOptions = false)
final class SystemCommand<O extends Record & Seeded> implements Callable<Integer> {
  private final ZooSystem<O> system;
  private final Options<O> options;

  @Spec private @Nullable CommandSpec spec;

  @Option(
      names = "--preset",
      paramLabel = "NAME",
      description =
          "What holds for options that are not given. quick if not given: under three minutes on two"
              + " cores; paper: as published; small: a moment, as it is tested.")
  private String preset = Preset.QUICK.label();

  @Option(
      names = "--seeds",
      paramLabel = "A..B",
      description =
          "Run it with several seeds, as 1..5 or 1,4,9, each in a folder of its own, and show the mean"
              + " and the spread of every figure.")
  private @Nullable String seeds;

  @Option(
      names = "--threads",
      paramLabel = "N",
      description = "Threads of the CPU; the figures do not depend on it.")
  private @Nullable Integer threads;

  @Option(
      names = "--out",
      paramLabel = "DIR",
      description = "The run folder; runs/<time>-<name> if not given.")
  private @Nullable Path out;

  @Option(
      names = "--resume",
      paramLabel = "RUN",
      description = "Go on with a run that was stopped or killed, from its last checkpoint.")
  private @Nullable Path resume;

  @Mixin private SavingOptions saves = new SavingOptions();

  private SystemCommand(ZooSystem<O> system) {
    this.system = system;
    this.options = Options.of(system.options());
  }

  /** The command of a system. */
  static <O extends Record & Seeded> CommandLine line(ZooSystem<O> system) {
    var command = new SystemCommand<>(system);
    var line = new CommandLine(command);
    var about = system.about();
    var presets = new LinkedHashMap<Preset, Map<String, String>>();
    presets.put(Preset.QUICK, system.preset(Preset.QUICK));
    presets.put(Preset.PAPER, system.preset(Preset.PAPER));
    RecordOptions.add(line.getCommandSpec(), command.options, presets);
    line.getCommandSpec()
        .usageMessage()
        .header(RecordOptions.literal(about.line()))
        .description("", RecordOptions.literal(about.source()), "");
    return line;
  }

  @Override
  public Integer call() throws IOException {
    Threads.use(threads);
    var line = Objects.requireNonNull(spec).commandLine();
    var given = RecordOptions.given(line.getParseResult(), options);
    boolean terminal = Boolean.getBoolean("carousel.terminal");
    var reporter = new Reporter(line.getOut(), line.getErr(), terminal);
    try (var interruption = new Interruption()) {
      var runner = new Runner<>(system, saves.saving(), reporter, interruption);
      var run = resume;
      return run == null
          ? begin(runner, given, reporter)
          : resume(runner, given, RunFolder.open(run));
    } finally {
      reporter.clear();
    }
  }

  private int resume(Runner<O> runner, Map<String, String> given, RunFolder run)
      throws IOException {
    if (seeds != null || out != null) {
      throw Failure.usage("--resume goes on with one run in its folder: leave out --seeds, --out");
    }
    return code(runner.resume(given, run).map(Runner.Measured::passed));
  }

  private int begin(Runner<O> runner, Map<String, String> given, Reporter reporter)
      throws IOException {
    if (seeds != null && given.containsKey("seed")) {
      throw Failure.usage("--seeds and --seed say the same thing: leave out one");
    }
    var values = new LinkedHashMap<>(system.preset(Preset.of(preset)));
    values.putAll(given);
    var several = seeds == null ? null : Seeds.parse(seeds);
    var checked = runner.check(values); // before a folder is made
    var folder = out;
    if (folder != null) {
      RunFolder.requireNone(folder);
    }
    var run = folder == null ? RunFolders.unused(system.about().name()) : new RunFolder(folder);
    if (several == null) {
      return code(runner.begin(options.values(checked), run).map(Runner.Measured::passed));
    }
    var sweep = new Sweep<>(runner, reporter);
    return code(sweep.run(values, several, run.path()).map(Sweep.Summary::passed));
  }

  private static int code(java.util.Optional<Boolean> passed) {
    return passed.map(yes -> yes ? 0 : 1).orElse(Interruption.EXIT);
  }
}
