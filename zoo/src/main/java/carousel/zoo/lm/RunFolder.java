package carousel.zoo.lm;

import carousel.nn.data.Vocabulary;
import carousel.nn.io.AtomicFile;
import carousel.nn.io.Checkpoints;
import carousel.nn.io.FolderInUseException;
import carousel.nn.io.FolderLock;
import carousel.nn.io.Safetensors;
import java.io.IOException;
import java.io.StringReader;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Properties;

/**
 * What a training leaves behind:
 *
 * <pre>
 * settings.properties     what was asked for
 * vocabulary.txt          the tokens, in the order of their ids
 * history.csv             what every epoch gave
 * best.safetensors        the weights of the best epoch
 * checkpoints/            all that is needed to go on, of the last steps it was saved at
 * .lock                   is locked by the process that writes here
 * </pre>
 *
 * <p>Every file is replaced as a whole or not at all. A checkpoint has the history and the best weights,
 * too, and decides: a run that goes on writes both files anew.
 *
 * @param path the folder
 */
public record RunFolder(Path path) {
  private static final String SETTINGS = "settings.properties";
  private static final String VOCABULARY = "vocabulary.txt";
  private static final String HISTORY = "history.csv";
  private static final String BEST = "best.safetensors";
  private static final String CHECKPOINTS = "checkpoints";

  /**
   * Makes the folder if it is not there, and keeps all others from writing in it.
   *
   * @return the lock, to be closed when the training has ended
   * @throws Failure if something else writes there, or nothing can be written
   */
  FolderLock lock() {
    try {
      Files.createDirectories(path);
      var lock = FolderLock.take(path);
      AtomicFile.removeLeftovers(path);
      return lock;
    } catch (FolderInUseException e) {
      throw new Failure(Failure.reason(e), e);
    } catch (IOException e) {
      throw Failure.writing(path, e);
    }
  }

  /**
   * Begins a new run.
   *
   * @param settings what was asked for
   * @param vocabulary the tokens
   * @throws Failure if the folder holds a run, or cannot be written
   */
  void begin(Settings settings, Vocabulary vocabulary) {
    requireNone(path);
    try {
      vocabulary.save(path.resolve(VOCABULARY));
    } catch (IOException e) {
      throw Failure.writing(path, e);
    }
    save(settings); // last: where there are settings there is a run
  }

  /**
   * Makes a folder that was not there before; whoever asks at the same time, in another process, too, gets
   * another one.
   *
   * @param parent the folder to make it in, made if it is not there
   * @param name its name; with a number behind it where that is taken
   * @return the folder
   * @throws Failure if it cannot be made
   */
  public static RunFolder unused(Path parent, String name) {
    try {
      Files.createDirectories(parent);
      for (var i = 1; ; i++) {
        var path = parent.resolve(i == 1 ? name : name + "-" + i);
        try {
          return new RunFolder(Files.createDirectory(path));
        } catch (FileAlreadyExistsException taken) {
          // The next name, then.
        }
      }
    } catch (IOException e) {
      throw Failure.writing(parent, e);
    }
  }

  /**
   * Checks that a new run can go there, as far as that can be seen without writing.
   *
   * @param path the folder
   * @throws Failure if it holds a run
   */
  public static void requireNone(Path path) {
    if (Files.exists(path.resolve(SETTINGS))) {
      throw new Failure(
          String.format(
              Locale.ROOT,
              "%s holds a run already; go on with it by --resume %s, or choose another folder with --out",
              path,
              path));
    }
  }

  /**
   * The folder of a run that there is.
   *
   * @param path the folder
   * @return the run
   * @throws Failure if there is none
   */
  public static RunFolder open(Path path) {
    if (!Files.isDirectory(path)) {
      throw new Failure(
          String.format(
              Locale.ROOT,
              "%s: there is no such folder; give the folder that ./carousel train wrote",
              path));
    }
    if (!Files.exists(path.resolve(SETTINGS))) {
      throw new Failure(
          String.format(
              Locale.ROOT,
              "%s is no run: it holds no %s; give the folder that ./carousel train wrote",
              path,
              SETTINGS));
    }
    return new RunFolder(path);
  }

  /**
   * Replaces what was asked for, as when more epochs are.
   *
   * @param settings the settings
   * @throws Failure if they cannot be written
   */
  void save(Settings settings) {
    var text = new StringBuilder();
    settings
        .values()
        .forEach(
            (name, value) -> text.append(name).append(" = ").append(escaped(value)).append('\n'));
    try {
      AtomicFile.writeString(path.resolve(SETTINGS), text.toString());
    } catch (IOException e) {
      throw Failure.writing(path, e);
    }
  }

  /** What Properties would take for the end of a line, for an escape, or for space around the value. */
  private static String escaped(String value) {
    var text =
        value
            .replace("\\", "\\\\")
            .replace("\n", "\\n")
            .replace("\r", "\\r")
            .replace("\t", "\\t")
            .replace("\f", "\\f");
    return text.startsWith(" ") ? "\\" + text : text;
  }

  /**
   * What was asked for.
   *
   * @return the settings
   */
  public Settings settings() {
    var file = path.resolve(SETTINGS);
    var properties = new Properties();
    try {
      properties.load(new StringReader(Files.readString(file)));
    } catch (IOException e) {
      throw new Failure(
          String.format(Locale.ROOT, "%s: cannot be read: %s", file, Failure.reason(e)), e);
    } catch (IllegalArgumentException e) {
      throw new Failure(
          String.format(Locale.ROOT, "%s: cannot be read: %s", file, e.getMessage()), e);
    }
    var values = new LinkedHashMap<String, String>();
    for (var name : properties.stringPropertyNames()) {
      values.put(name, properties.getProperty(name));
    }
    return Settings.of(values, file.toString());
  }

  /**
   * The tokens.
   *
   * @return the vocabulary
   * @throws IOException if it cannot be read
   */
  public Vocabulary vocabulary() throws IOException {
    return Vocabulary.load(path.resolve(VOCABULARY));
  }

  /**
   * Replaces what can be read off a checkpoint: the history, and the best weights if there are some.
   *
   * @throws IOException if it cannot be written; the old files are then as they were
   */
  void saveResults(History history, BestWeights best) throws IOException {
    AtomicFile.writeString(path.resolve(HISTORY), history.csv());
    if (!best.tensors().isEmpty()) Safetensors.save(path.resolve(BEST), best.tensors());
  }

  /**
   * The last checkpoints.
   *
   * @param keep how many there are to be
   * @return their folder
   */
  Checkpoints checkpoints(int keep) {
    return new Checkpoints(path.resolve(CHECKPOINTS), keep);
  }

  /**
   * Overwrites a model by the best weights, or by the last where there are no best yet.
   *
   * @param model overwritten
   * @throws Failure if the run has no weights yet
   * @throws IOException if the file cannot be read
   */
  void loadWeights(LanguageModel model) throws IOException {
    var best = path.resolve(BEST);
    if (Files.exists(best)) {
      Safetensors.loadInto(best, model.weights());
      return;
    }
    var damaged = new ArrayList<String>();
    var last = checkpoints(1).newest(damaged::add);
    if (last.isEmpty()) {
      damaged.add(path + " holds no weights yet; train it with --resume " + path);
      throw new Failure(String.join("\n", damaged));
    }
    TrainingState.restoreWeights(last.get(), model);
  }
}
