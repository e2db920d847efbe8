package carousel.zoo;

import carousel.nn.data.TokenLevel;
import carousel.nn.recurrent.Cells;
import carousel.tensor.Device;
import carousel.zoo.lm.Choice;
import carousel.zoo.lm.Data;
import carousel.zoo.lm.Every;
import carousel.zoo.lm.Failure;
import carousel.zoo.lm.Recipe;
import carousel.zoo.lm.Reporter;
import carousel.zoo.lm.RunFolder;
import carousel.zoo.lm.Saving;
import carousel.zoo.lm.Settings;
import carousel.zoo.lm.TrainingRun;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.time.format.DateTimeFormatter;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
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
  private static final DateTimeFormatter STAMP = DateTimeFormatter.ofPattern("yyyy-MM-dd-HHmmss");

  @Spec private @Nullable CommandSpec spec;

  @Option(
      names = "--data",
      paramLabel = "DIR|FILE",
      description = "A folder with *.train.txt, *.valid.txt, *.test.txt, or one text file.")
  private @Nullable String data;

  @Option(
      names = "--level",
      paramLabel = "LEVEL",
      completionCandidates = Names.Levels.class,
      description = "What a token is: ${COMPLETION-CANDIDATES}.")
  private @Nullable String level;

  @Option(
      names = "--tokenizer",
      paramLabel = "NAME",
      completionCandidates = Names.Tokenizers.class,
      description =
          "What parts words: ${COMPLETION-CANDIDATES}. spaces if not given; kuromoji knows the words of"
              + " Japanese, which is written without.")
  private @Nullable String tokenizer;

  @Option(
      names = "--vocabulary",
      paramLabel = "N",
      description = "Keep the N most frequent tokens, and read the others as <unk>; 0: all.")
  private @Nullable Integer vocabulary;

  @Option(
      names = "--min-count",
      paramLabel = "K",
      description = "Keep the tokens that occur K times or more in the training text.")
  private @Nullable Integer minCount;

  @Option(
      names = "--recipe",
      paramLabel = "NAME",
      completionCandidates = Names.Recipes.class,
      description = "Settings that work together: ${COMPLETION-CANDIDATES}. Other options win.")
  private @Nullable String recipe;

  @Option(
      names = "--cell",
      paramLabel = "NAME",
      completionCandidates = Names.OfCells.class,
      description = "The recurrent cell: ${COMPLETION-CANDIDATES}.")
  private @Nullable String cell;

  @Option(names = "--hidden", paramLabel = "H", description = "Size of embedding and layers.")
  private @Nullable Integer hidden;

  @Option(names = "--layers", paramLabel = "N", description = "Recurrent layers.")
  private @Nullable Integer layers;

  @Option(names = "--batch", paramLabel = "N", description = "Parts of the text side by side.")
  private @Nullable Integer batch;

  @Option(names = "--steps", paramLabel = "T", description = "Steps of truncated BPTT.")
  private @Nullable Integer steps;

  @Option(names = "--epochs", paramLabel = "N", description = "How often to read the text.")
  private @Nullable Integer epochs;

  @Option(
      names = "--optimizer",
      paramLabel = "NAME",
      completionCandidates = Names.Optimizers.class,
      description = "${COMPLETION-CANDIDATES}.")
  private @Nullable String optimizer;

  @Option(names = "--lr", paramLabel = "X", description = "The first learning rate.")
  private @Nullable Double lr;

  @Option(
      names = "--clip",
      paramLabel = "X",
      description =
          "Largest norm of the gradients; 0: no clipping. They are those of T times the mean loss of"
              + " a token, T the --steps, as in the literature: what clips at 1 by the mean clips at T"
              + " here.")
  private @Nullable Double clip;

  @Option(
      names = "--dropout",
      paramLabel = "P",
      description = "Probability of dropping a number between layers.")
  private @Nullable Double dropout;

  @Option(names = "--seed", paramLabel = "N", description = "The same seed, the same weights.")
  private @Nullable Long seed;

  @Option(
      names = "--threads",
      paramLabel = "N",
      description = "Threads of the CPU; the weights do not depend on it.")
  private @Nullable Integer threads;

  @Option(
      names = "--device",
      paramLabel = "NAME",
      description = "Where to compute: cpu, cuda, cuda:1 ..., cuda-emulated")
  private @Nullable String device;

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

  @Option(
      names = "--every",
      paramLabel = "N|TIME",
      description =
          "When to write a checkpoint, beside the end of every epoch: after so many steps, as 500, or"
              + " after a time, as 30s, 5m, 2h. 5m if not given: a time, because what a kill costs is"
              + " time, whatever the size of a step; writing takes far less than a hundredth of it.")
  private String every = "5m";

  @Option(
      names = "--keep",
      paramLabel = "N",
      description =
          "How many checkpoints stay. 3 if not given: where the newest is damaged, the one before is"
              + " taken. Each holds the weights twice, beside what the optimiser remembers.")
  private int keep = 3;

  @Option(
      names = "--stop-on-write-error",
      description =
          "End the training when a checkpoint cannot be written. If not given it says so, goes on, and"
              + " tries again with the next; the ones before stay in any case.")
  private boolean stopOnWriteError;

  @Override
  public Integer call() throws IOException {
    Threads.use(threads);
    var saving = new Saving(Every.parse(every), keep, stopOnWriteError);
    var run = resume;
    return run == null ? begin(saving) : resume(run, saving);
  }

  private int begin(Saving saving) throws IOException {
    var values = new LinkedHashMap<>(recipe().settings());
    values.put("data", source());
    values.putAll(shape());
    values.putAll(tuning());
    if (seed != null) values.put("seed", seed.toString());
    var settings = checked(values);
    var folder = out == null ? unused(settings) : out;
    RunFolder.requireNone(folder);
    var texts = Data.read(settings);
    return train(settings, texts, saving, new RunFolder(folder), false);
  }

  private int resume(Path path, Saving saving) throws IOException {
    var run = RunFolder.open(path);
    var values = new LinkedHashMap<>(run.settings().values());
    var refused = new LinkedHashMap<>(shape());
    if (recipe != null) refused.put("recipe", recipe);
    if (seed != null) refused.put("seed", "");
    if (out != null) refused.put("out", "");
    if (!refused.isEmpty()) {
      throw Failure.usage(
          "--resume goes on with the model of the run, its batches and its folder: leave out --"
              + String.join(", --", refused.keySet()));
    }
    if (data != null) values.put("data", source());
    values.putAll(tuning());
    var settings = checked(values);
    var texts = Data.read(settings.data(), run.vocabulary(), settings);
    return train(settings, texts, saving, run, true);
  }

  private int train(Settings settings, Data texts, Saving saving, RunFolder run, boolean resumed)
      throws IOException {
    var line = java.util.Objects.requireNonNull(spec).commandLine();
    var terminal = Boolean.getBoolean("carousel.terminal");
    var unit = settings.level() == TokenLevel.WORD ? "words" : "characters";
    var reporter = new Reporter(line.getOut(), line.getErr(), terminal, unit);
    try (var interruption = new Interruption()) {
      var finished =
          new TrainingRun(settings, texts, saving, reporter, interruption).train(run, resumed);
      return finished ? 0 : Interruption.EXIT;
    } finally {
      reporter.clear();
    }
  }

  private static Settings checked(Map<String, String> values) {
    var settings = Settings.of(values, "options");
    Choice.require("--cell", settings.cell(), Cells.names());
    requireDevice(settings.device());
    return settings;
  }

  /** A CUDA device need not be listed to be there; where it is not, opening it says why. */
  private static void requireDevice(String name) {
    if (!name.startsWith("cuda")) Choice.require("--device", name, Names.devices());
    var unused = Device.of(name);
  }

  private Recipe recipe() {
    if (recipe != null) return Recipe.of(recipe);
    if (data == null) return Recipe.AGREEMENT;
    return "char".equals(level) ? Recipe.CHARACTERS : Recipe.WORDS;
  }

  private String source() {
    if (data == null) {
      if (recipe != null && recipe().readsPennTreebank()) {
        throw Failure.usage(
            String.format(
                Locale.ROOT,
                "--recipe %s is made for Penn Treebank: say with --data where it is",
                recipe));
      }
      return Data.GENERATED;
    }
    return data.equals(Data.GENERATED)
        ? data
        : Path.of(data).toAbsolutePath().normalize().toString();
  }

  /** The options that cannot change in the middle of a training. */
  private Map<String, String> shape() {
    var values = new LinkedHashMap<String, String>();
    put(values, "level", level);
    put(values, "tokenizer", tokenizer);
    put(values, "vocabulary", vocabulary);
    put(values, "min-count", minCount);
    put(values, "cell", cell);
    put(values, "hidden", hidden);
    put(values, "layers", layers);
    put(values, "optimizer", optimizer);
    put(values, "batch", batch);
    put(values, "steps", steps);
    return values;
  }

  private Map<String, String> tuning() {
    var values = new LinkedHashMap<String, String>();
    put(values, "device", device);
    put(values, "epochs", epochs);
    put(values, "lr", lr);
    put(values, "clip", clip);
    put(values, "dropout", dropout);
    return values;
  }

  private static void put(Map<String, String> values, String name, @Nullable Object value) {
    if (value != null) values.put(name, value.toString());
  }

  private static Path unused(Settings settings) {
    var name =
        LocalDateTime.now(java.time.ZoneId.systemDefault()).format(STAMP) + "-" + settings.cell();
    var path = Path.of("runs", name);
    for (var i = 2; Files.exists(path); i++) path = Path.of("runs", name + "-" + i);
    return path;
  }
}
