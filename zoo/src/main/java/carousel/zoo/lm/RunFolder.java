package carousel.zoo.lm;

import carousel.nn.Layer;
import carousel.nn.data.Vocabulary;
import carousel.nn.io.AtomicFile;
import carousel.nn.io.Safetensors;
import carousel.nn.optim.Optimizer;
import carousel.tensor.Tensor;
import java.io.IOException;
import java.io.StringReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;

/**
 * What a training leaves behind:
 *
 * <pre>
 * settings.properties     what was asked for
 * vocabulary.txt          the tokens, in the order of their ids
 * history.csv             what every epoch gave
 * best.safetensors        the weights of the best epoch
 * last.safetensors        the weights of the last epoch, or of where the training was stopped
 * optimizer.safetensors   what the optimiser knew beside the last weights
 * </pre>
 *
 * <p>Every file is replaced as a whole or not at all.
 *
 * @param path the folder
 */
public record RunFolder(Path path) {
  private static final String SETTINGS = "settings.properties";
  private static final String VOCABULARY = "vocabulary.txt";
  private static final String HISTORY = "history.csv";
  private static final String BEST = "best.safetensors";
  private static final String LAST = "last.safetensors";
  private static final String OPTIMIZER = "optimizer.safetensors";

  /**
   * Makes the folder of a new run.
   *
   * @param path the folder; made if it is not there
   * @param settings what was asked for
   * @param vocabulary the tokens
   * @return the run
   * @throws Failure if it holds a run, or cannot be written
   */
  public static RunFolder create(Path path, Settings settings, Vocabulary vocabulary) {
    requireNone(path);
    var run = new RunFolder(path);
    try {
      Files.createDirectories(path);
      vocabulary.save(path.resolve(VOCABULARY));
      run.save(settings);
    } catch (IOException e) {
      throw Failure.writing(path, e);
    }
    run.save(new History(List.of()));
    return run;
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
          "%s holds a run already; go on with it by --from %s, or choose another folder with --out"
              .formatted(path, path));
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
          "%s: there is no such folder; give the folder that ./carousel train wrote"
              .formatted(path));
    }
    if (!Files.exists(path.resolve(SETTINGS))) {
      throw new Failure(
          "%s is no run: it holds no %s; give the folder that ./carousel train wrote"
              .formatted(path, SETTINGS));
    }
    return new RunFolder(path);
  }

  /**
   * Replaces what was asked for, as when more epochs are.
   *
   * @param settings the settings
   */
  public void save(Settings settings) {
    var text = new StringBuilder();
    // Properties escapes a backslash, and ends a name at these.
    settings
        .values()
        .forEach((name, value) ->
            text.append(name).append(" = ").append(value.replace("\\", "\\\\")).append('\n'));
    write(SETTINGS, text.toString());
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
    } catch (IOException | IllegalArgumentException e) {
      throw new Failure("%s: cannot be read: %s".formatted(file, e.getMessage()), e);
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
   * Replaces the history.
   *
   * @param history what every epoch gave
   */
  public void save(History history) {
    write(HISTORY, history.csv());
  }

  /**
   * What every epoch gave.
   *
   * @return the history
   * @throws IOException if it cannot be read
   */
  public History history() throws IOException {
    var file = path.resolve(HISTORY);
    return History.parse(file.toString(), Files.readString(file));
  }

  /**
   * Replaces the last weights.
   *
   * @param model the weights
   * @param optimizer what it knows beside
   */
  public void saveLast(Layer model, Optimizer optimizer) {
    save(LAST, weights(model));
    save(OPTIMIZER, optimizer.state());
  }

  /**
   * Replaces the best weights.
   *
   * @param model the weights
   */
  public void saveBest(Layer model) {
    save(BEST, weights(model));
  }

  /**
   * Overwrites a model by the best weights, or by the last where there are no best yet.
   *
   * @param model overwritten
   * @throws IOException if the file cannot be read
   */
  public void loadBest(Layer model) throws IOException {
    var best = path.resolve(BEST);
    Safetensors.loadInto(Files.exists(best) ? best : path.resolve(LAST), weights(model));
  }

  /**
   * Overwrites a model and an optimiser by the last weights and what was known beside them.
   *
   * @param model overwritten
   * @param optimizer overwritten
   * @throws IOException if a file cannot be read
   */
  public void loadLast(Layer model, Optimizer optimizer) throws IOException {
    Safetensors.loadInto(path.resolve(LAST), weights(model));
    var file = path.resolve(OPTIMIZER);
    if (Files.exists(file)) optimizer.restore(Safetensors.load(file));
  }

  private static Map<String, Tensor> weights(Layer model) {
    var tensors = new LinkedHashMap<String, Tensor>();
    for (var named : model.parameters()) tensors.put(named.name(), named.value());
    return tensors;
  }

  private void save(String name, Map<String, Tensor> tensors) {
    try {
      Safetensors.save(path.resolve(name), tensors);
    } catch (IOException e) {
      throw Failure.writing(path.resolve(name), e);
    }
  }

  private void write(String name, String text) {
    try {
      AtomicFile.writeString(path.resolve(name), text);
    } catch (IOException e) {
      throw Failure.writing(path.resolve(name), e);
    }
  }
}
