package carousel.zoo.language;

import carousel.nn.data.Vocabulary;
import java.io.IOException;
import java.nio.file.Path;

/**
 * A model that was trained, with its best weights.
 *
 * @param settings how it was
 * @param vocabulary its tokens
 * @param model in the scope it was loaded in
 */
public record Trained(Settings settings, Vocabulary vocabulary, LanguageModel model) {
  /**
   * Loads the best weights of a run, or the last where there are no best yet.
   *
   * @param path the run folder
   * @return the model, in the innermost scope
   * @throws carousel.nn.io.SafetensorsException if the weights are truncated, corrupt or of another
   *     model
   * @throws IOException if a file cannot be read
   */
  public static Trained load(Path path) throws IOException {
    var run = LanguageRun.open(path);
    var settings = run.settings();
    var vocabulary = run.vocabulary();
    var model = LanguageModel.of(settings, vocabulary.size());
    run.loadWeights(model);
    return new Trained(settings, vocabulary, model);
  }
}
