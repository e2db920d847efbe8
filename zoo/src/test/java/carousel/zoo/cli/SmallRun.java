package carousel.zoo.cli;

import carousel.zoo.language.Data;
import carousel.zoo.language.LanguageRun;
import carousel.zoo.language.Recipe;
import carousel.zoo.language.Settings;
import carousel.zoo.language.TrainingRun;
import carousel.zoo.run.Every;
import carousel.zoo.run.Reporter;
import carousel.zoo.run.RunFolder;
import carousel.zoo.run.Saving;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.function.BooleanSupplier;

/**
 * A training of a moment, with everything in it that a resumed one could get wrong: two layers, dropout,
 * clipping, a last window shorter than the others.
 *
 * @param settings what is trained
 * @param folder where the results go
 */
record SmallRun(Settings settings, Path folder) {
  static final int STEPS_PER_EPOCH = 17;
  static final int EPOCHS = 3;

  static Path text(Path folder) throws IOException {
    String lines = "the cat sat on the mat\na dog sat on the rug and the cat saw it\n".repeat(36);
    return Files.writeString(folder.resolve("text.txt"), lines);
  }

  static SmallRun of(Path text, Path folder, String cell, String optimizer, long seed) {
    var values = Recipe.WORDS.settings();
    values.putAll(Map.of("data", text.toString(), "cell", cell, "optimizer", optimizer));
    values.putAll(Map.of("hidden", "6", "layers", "2", "batch", "4", "steps", "9"));
    values.putAll(Map.of("epochs", "" + EPOCHS, "lr", "0.02", "decay-after", "1", "clip", "0.5"));
    values.putAll(Map.of("dropout", "0.3", "seed", "" + seed));
    return new SmallRun(Settings.of(values, "test"), folder);
  }

  /** What a training printed, and whether it came to its end. */
  record Report(boolean finished, String out, String err) {}

  Report train(boolean resumed, BooleanSupplier stop) throws IOException {
    return train(resumed, stop, new Saving(Every.parse("4"), 2, false));
  }

  Report train(boolean resumed, BooleanSupplier stop, Saving saving) throws IOException {
    var out = new StringWriter();
    var err = new StringWriter();
    var reporter = new Reporter(new PrintWriter(out), new PrintWriter(err), false);
    var data = Data.read(settings);
    var run = new TrainingRun(settings, data, saving, reporter, stop);
    boolean finished = run.train(() -> new LanguageRun(new RunFolder(folder)), resumed);
    return new Report(finished, out.toString(), err.toString());
  }

  Ending ending() throws IOException {
    return Ending.of(folder);
  }
}
