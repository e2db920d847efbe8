package carousel.zoo.language;

import carousel.nn.data.Vocabulary;
import carousel.nn.io.AtomicFile;
import carousel.nn.io.Safetensors;
import carousel.zoo.run.Failure;
import carousel.zoo.run.Reporter;
import carousel.zoo.run.RunFolder;
import carousel.zoo.system.Runner;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;

/**
 * What the training of a language model leaves in its folder, beside what {@link RunFolder} tells:
 *
 * <pre>
 * vocabulary.txt          the tokens, in the order of their ids
 * best.safetensors        the weights of the best epoch
 * </pre>
 *
 * <p>A checkpoint has the history and the best weights, too.
 *
 * @param folder where it is
 */
public record LanguageRun(RunFolder folder) {
  private static final String VOCABULARY = "vocabulary.txt";
  private static final String HISTORY = "history.csv";
  private static final String BEST = "best.safetensors";

  /**
   * A run that there is, whether {@code ./carousel train} began it or {@code ./carousel run language-model}.
   *
   * @param path its folder
   * @return the run
   * @throws Failure if there is none, or it is one of another system
   */
  public static LanguageRun open(Path path) {
    var folder = RunFolder.open(path);
    String system = folder.settings().getOrDefault(Runner.SYSTEM, WordModel.NAME);
    if (!system.equals(WordModel.NAME)) {
      throw new Failure(
          String.format(
              Locale.ROOT,
              "%s is a run of %s, which is no language model; ./carousel run %s --resume %s goes on with it",
              path,
              system,
              system,
              Reporter.argument(path)));
    }
    return new LanguageRun(folder);
  }

  /**
   * Where it is.
   *
   * @return its folder
   */
  public Path path() {
    return folder.path();
  }

  /**
   * Begins a new run.
   *
   * @param settings what was asked for
   * @param vocabulary the tokens
   * @throws Failure if the folder holds a run, or cannot be written
   */
  void begin(Settings settings, Vocabulary vocabulary) {
    RunFolder.requireNone(path());
    save(vocabulary);
    save(settings); // last: where there are settings there is a run
  }

  /** Keeps the tokens. */
  void save(Vocabulary vocabulary) {
    try {
      vocabulary.save(path().resolve(VOCABULARY));
    } catch (IOException e) {
      throw Failure.writing(path(), e);
    }
  }

  /**
   * Replaces what was asked for, as when more epochs are.
   *
   * @param settings the settings
   * @throws Failure if they cannot be written
   */
  void save(Settings settings) {
    var values = new LinkedHashMap<String, String>();
    if (Files.exists(folder.settingsFile())) {
      String system = folder.settings().get(Runner.SYSTEM);
      if (system != null) {
        values.put(Runner.SYSTEM, system);
      } // who began it goes on with it, too
    }
    values.putAll(settings.values());
    folder.saveSettings(values);
  }

  /**
   * What was asked for.
   *
   * @return the settings
   */
  public Settings settings() {
    return Settings.of(folder.settings(), folder.settingsFile().toString());
  }

  /**
   * The tokens.
   *
   * @return the vocabulary
   * @throws IOException if it cannot be read
   */
  public Vocabulary vocabulary() throws IOException {
    return Vocabulary.load(path().resolve(VOCABULARY));
  }

  /**
   * Replaces what can be read off a checkpoint: the history, and the best weights if there are some.
   *
   * @throws IOException if it cannot be written; the old files are then as they were
   */
  void saveResults(Epochs epochs, BestWeights best) throws IOException {
    AtomicFile.writeString(path().resolve(HISTORY), epochs.csv());
    if (!best.tensors().isEmpty()) {
      Safetensors.save(path().resolve(BEST), best.tensors());
    }
  }

  /** Whether an epoch has left something that a training from the beginning would write over. */
  boolean hasResults() throws IOException {
    var history = path().resolve(HISTORY);
    return Files.exists(path().resolve(BEST))
        || (Files.exists(history) && Files.readAllLines(history).size() > 1); // below its names
  }

  /**
   * Tells whether a file is one of this run's own, which nothing else may replace.
   *
   * @param file a file that there may be
   * @return whether training writes it
   */
  public boolean owns(Path file) {
    var here = path().toAbsolutePath().normalize();
    var there = file.toAbsolutePath().normalize();
    try {
      here = path().toRealPath();
      var parent = there.getParent();
      if (parent != null) {
        there = parent.toRealPath().resolve(there.getFileName());
      }
    } catch (IOException _) {
      // Then the names must do.
    }
    return there.startsWith(here) && isOwn(here.relativize(there).getName(0).toString());
  }

  private static boolean isOwn(String name) {
    return List.of(VOCABULARY, HISTORY, BEST).contains(name) || RunFolder.isOwn(name);
  }

  /**
   * Overwrites a model by the best weights, or by the last where there are no best yet.
   *
   * @param model overwritten
   * @throws Failure if the run has no weights yet
   * @throws IOException if the file cannot be read
   */
  void loadWeights(LanguageModel model) throws IOException {
    var best = path().resolve(BEST);
    if (Files.exists(best)) {
      Safetensors.loadInto(best, model.weights());
      return;
    }
    var damaged = new ArrayList<String>();
    var last = folder.checkpoints(1).newest(damaged::add);
    if (last.isEmpty()) {
      damaged.add(
          path()
              + " holds no weights yet; where nothing trains it, go on with --resume "
              + Reporter.argument(path()));
      throw new Failure(String.join("\n", damaged));
    }
    TrainingState.restoreWeights(last.get(), model);
  }
}
