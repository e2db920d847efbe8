package carousel.zoo.run;

import carousel.nn.io.AtomicFile;
import carousel.nn.io.Checkpoints;
import carousel.nn.io.FolderInUseException;
import carousel.nn.io.FolderLock;
import java.io.IOException;
import java.io.StringReader;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Properties;

/**
 * What a run leaves behind, of any system:
 *
 * <pre>
 * settings.properties     what was asked for
 * history.csv             what it gave along its way
 * checkpoints/            all that is needed to go on, of the last steps it was saved at
 * .lock                   is locked by the process that writes here
 * </pre>
 *
 * <p>Every file is replaced as a whole or not at all. A checkpoint decides: a run that goes on writes what can be
 * read off one anew.
 *
 * @param path the folder
 */
public record RunFolder(Path path) {
  private static final String SETTINGS = "settings.properties";
  private static final String CHECKPOINTS = "checkpoints";

  /** The file that a system's figures are written to. */
  public static final String FIGURES = "figures.csv";

  /**
   * Makes the folder if it is not there, and keeps all others from writing in it.
   *
   * @return the lock, to be closed when the run has ended
   * @throws Failure if something else writes there, or nothing can be written
   */
  public FolderLock lock() {
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
      for (int i = 1; ; i++) {
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
              Reporter.argument(path)));
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
              "%s: there is no such folder; give the folder that ./carousel train or run wrote",
              path));
    }
    if (!Files.exists(path.resolve(SETTINGS))) {
      throw new Failure(
          String.format(
              Locale.ROOT,
              "%s is no run: it holds no %s; give the folder that ./carousel train or run wrote",
              path,
              SETTINGS));
    }
    return new RunFolder(path);
  }

  /**
   * Tells whether a run of any system has a file or folder of this name for itself.
   *
   * @param name in the run's folder
   * @return whether nothing else may be written there
   */
  public static boolean isOwn(String name) {
    return List.of(SETTINGS, CHECKPOINTS, FIGURES, ".lock").contains(name)
        || name.endsWith(".svg")
        || name.endsWith(".png");
  }

  /**
   * Replaces what was asked for.
   *
   * @param values by name, in the order of the file
   * @throws Failure if they cannot be written
   */
  public void saveSettings(Map<String, String> values) {
    var text = new StringBuilder();
    values.forEach(
        (name, value) -> text.append(name).append(" = ").append(escaped(value)).append('\n'));
    write(SETTINGS, text.toString());
  }

  /**
   * Replaces a file of the run as a whole, or not at all.
   *
   * @param name of the file
   * @param text what it holds
   * @throws Failure if it cannot be written
   */
  public void write(String name, String text) {
    try {
      AtomicFile.writeString(path.resolve(name), text);
    } catch (IOException e) {
      throw Failure.writing(path, e);
    }
  }

  /** What Properties would take for the end of a line, for an escape, or for space around the value. */
  private static String escaped(String value) {
    String text =
        value
            .replace("\\", "\\\\")
            .replace("\n", "\\n")
            .replace("\r", "\\r")
            .replace("\t", "\\t")
            .replace("\f", "\\f");
    return text.startsWith(" ") ? "\\" + text : text;
  }

  /**
   * The file that says what was asked for, for errors.
   *
   * @return its path
   */
  public Path settingsFile() {
    return path.resolve(SETTINGS);
  }

  /**
   * What was asked for.
   *
   * @return by name
   * @throws Failure if it cannot be read
   */
  public Map<String, String> settings() {
    var file = settingsFile();
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
    return values;
  }

  /**
   * The last checkpoints.
   *
   * @param keep how many there are to be
   * @return their folder
   */
  public Checkpoints checkpoints(int keep) {
    return new Checkpoints(path.resolve(CHECKPOINTS), keep);
  }
}
