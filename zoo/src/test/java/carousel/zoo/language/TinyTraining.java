package carousel.zoo.language;

import carousel.nn.data.Batchified;
import carousel.nn.data.TokenStream;
import carousel.zoo.run.RunFolder;
import java.nio.file.Path;
import java.util.Map;
import java.util.stream.IntStream;

/** A training of two units and two epochs, of three windows each, the last shorter than the others. */
final class TinyTraining {
  static final int EPOCHS = 2;
  static final int WINDOWS = 3;
  private static final int VOCABULARY = 5;

  private TinyTraining() {}

  private static Settings settings() {
    var values = Recipe.WORDS.settings();
    values.putAll(Map.of("data", "text", "cell", "lstm", "optimizer", "adam", "hidden", "2"));
    values.putAll(Map.of("layers", "1", "batch", "2", "steps", "3", "epochs", "" + EPOCHS));
    return Settings.of(values, "test");
  }

  /** Before the first step; what it holds belongs to the innermost scope. */
  static TrainingState state() {
    var settings = settings();
    var trainer = new Trainer(LanguageModel.of(settings, VOCABULARY), settings);
    return new TrainingState(trainer, text(), "the text", nowhere());
  }

  private static LanguageRun nowhere() {
    return new LanguageRun(new RunFolder(Path.of("nowhere")));
  }

  private static Batchified text() {
    var tokens = IntStream.range(0, 18).map(i -> i * i % VOCABULARY).toArray();
    return TokenStream.of("text", tokens).batchify(2, 3);
  }

  /** What an epoch gave. */
  static Epochs.Epoch gave(int epoch) {
    return new Epochs.Epoch(epoch + 1, 0.1, 4.5, 5.0 - epoch);
  }
}
