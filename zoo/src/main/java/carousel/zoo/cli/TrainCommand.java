package carousel.zoo.cli;

import carousel.zoo.language.Data;
import carousel.zoo.language.LanguageRun;
import carousel.zoo.language.Recipe;
import carousel.zoo.language.Settings;
import carousel.zoo.language.TrainingRun;
import carousel.zoo.run.Failure;
import carousel.zoo.run.Reporter;
import carousel.zoo.run.RunFolder;
import carousel.zoo.run.Saving;
import carousel.zoo.system.Entry;
import carousel.zoo.system.Options;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Trains a language model. */
@Command(
    name = "train",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    header = "Trains a recurrent language model.",
    description = {
      "",
      "Without options it generates a text by a small grammar, whose entropy is known, and ends in"
          + " under a minute. Ctrl-C saves, and says how to go on. A run that was killed goes on from its"
          + " last checkpoint and ends as if it never had been, to the bit.",
      ""
    },
    footer = {
      "",
      "Examples:",
      "  ./carousel train",
      "  ./carousel train --data book.txt --level char",
      "  ./carousel train --data ptb --recipe zaremba-small --seed 1",
      "  ./carousel train --resume runs/2026-11-20-lstm",
      "  ./carousel train --resume runs/2026-11-20-lstm --epochs 20"
    })
final class TrainCommand implements Callable<Integer> {
  private static final Options<Settings> OPTIONS = Options.of(Settings.class);

  @Spec private @Nullable CommandSpec spec;

  @Option(
      names = "--recipe",
      paramLabel = "NAME",
      completionCandidates = Names.Recipes.class,
      description = "Settings that work together: ${COMPLETION-CANDIDATES}. Other options win.")
  private @Nullable String recipe;

  @Option(
      names = "--threads",
      paramLabel = "N",
      description = "Threads of the CPU; the weights do not depend on it.")
  private @Nullable Integer threads;

  @Option(
      names = "--out",
      paramLabel = "DIR",
      description = "The run folder; runs/<time>-<cell> if not given.")
  private @Nullable Path out;

  @Option(
      names = "--resume",
      paramLabel = "RUN",
      description =
          "Go on with a run that was stopped or killed, from its last checkpoint; or train it longer,"
              + " by more --epochs.")
  private @Nullable Path resume;

  @Mixin private SavingOptions saves = new SavingOptions();

  @Override
  public Integer call() throws IOException {
    Threads.use(threads);
    var saving = saves.saving();
    var run = resume;
    return run == null ? begin(saving) : resume(run, saving);
  }

  /** Adds the options of {@link Settings}. */
  static void complete(CommandSpec command) {
    RecordOptions.add(command, OPTIONS, Map.of());
  }

  private Map<String, String> given() {
    var line = Objects.requireNonNull(spec).commandLine();
    var given = RecordOptions.given(line.getParseResult(), OPTIONS);
    given.computeIfPresent("data", (_, source) -> source(source));
    return given;
  }

  private int begin(Saving saving) throws IOException {
    var given = given();
    var chosen = recipe(given);
    var values = new LinkedHashMap<>(chosen.settings());
    if (!given.containsKey("data")) {
      if (recipe != null && chosen.readsPennTreebank()) {
        throw Failure.usage(
            String.format(
                Locale.ROOT,
                "--recipe %s is made for Penn Treebank: say with --data where it is",
                recipe));
      }
      values.put("data", Data.GENERATED);
    }
    values.putAll(given);
    var settings = checked(values);
    var folder = out;
    if (folder != null) {
      RunFolder.requireNone(folder);
    }
    var texts = Data.read(settings);
    Supplier<RunFolder> place =
        () -> folder == null ? RunFolders.unused(settings.cell()) : new RunFolder(folder);
    return train(settings, texts, saving, () -> new LanguageRun(place.get()), false);
  }

  private int resume(Path path, Saving saving) throws IOException {
    var run = LanguageRun.open(path);
    var values = new LinkedHashMap<>(run.settings().values());
    var given = given();
    var refused = new LinkedHashSet<>(given.keySet());
    OPTIONS.entries().stream().filter(Entry::isTunable).map(Entry::name).forEach(refused::remove);
    if (recipe != null) {
      refused.add("recipe");
    }
    if (out != null) {
      refused.add("out");
    }
    if (!refused.isEmpty()) {
      throw Failure.usage(
          "--resume goes on with the model of the run, its batches and its folder: leave out --"
              + String.join(", --", refused));
    }
    values.putAll(given);
    var settings = checked(values);
    var texts = Data.read(settings.data(), run.vocabulary(), settings);
    return train(settings, texts, saving, () -> run, true);
  }

  private int train(
      Settings settings, Data texts, Saving saving, Supplier<LanguageRun> place, boolean resumed)
      throws IOException {
    var line = Objects.requireNonNull(spec).commandLine();
    boolean terminal = Boolean.getBoolean("carousel.terminal");
    var reporter = new Reporter(line.getOut(), line.getErr(), terminal);
    try (var interruption = new Interruption()) {
      boolean finished =
          new TrainingRun(settings, texts, saving, reporter, interruption).train(place, resumed);
      return finished ? 0 : Interruption.EXIT;
    } finally {
      reporter.clear();
    }
  }

  private static Settings checked(Map<String, String> values) {
    var settings = OPTIONS.read(values);
    settings.requireDevice();
    return settings;
  }

  private Recipe recipe(Map<String, String> given) {
    if (recipe != null) {
      return Recipe.of(recipe);
    }
    if (!given.containsKey("data")) {
      return Recipe.AGREEMENT;
    }
    return "char".equals(given.get("level")) ? Recipe.CHARACTERS : Recipe.WORDS;
  }

  private static String source(String data) {
    if (data.isEmpty()) {
      throw Failure.usage("--data is empty; is a variable of the shell not set?");
    }
    return data.equals(Data.GENERATED)
        ? data
        : Path.of(data).toAbsolutePath().normalize().toString();
  }
}
