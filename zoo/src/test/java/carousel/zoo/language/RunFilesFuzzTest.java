package carousel.zoo.language;

import static java.nio.charset.StandardCharsets.UTF_8;

import carousel.tensor.fuzz.Fuzz;
import carousel.tensor.fuzz.Reader;
import carousel.zoo.run.Failure;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Damaged settings and histories of a run. */
class RunFilesFuzzTest {
  @TempDir Path folder;

  private record SettingsReader(Path run) implements Reader {
    @Override
    public String name() {
      return "settings";
    }

    @Override
    public List<byte[]> sound() {
      return List.of(text("/tmp/Büch.txt", "lstm"), text("C:\\text: a=b", "gru-after"));
    }

    private static byte[] text(String data, String cell) {
      return String.format(
              Locale.ROOT,
              """
              # what was asked for
              data = %s
              level = word
              cell = %s
              tokens = 250000
              tokenizer = spaces
              vocabulary = 0
              min-count = 1
              hidden = 128
              layers = 1
              batch = 20
              steps = 20
              epochs = 4
              optimizer = adam
              lr = 0.004
              decay = 2.0
              decay-after = 2
              clip = 5.0
              dropout = 0.0
              bound = 0.0
              seed = 1
              device = cpu
              """,
              data.replace("\\", "\\\\"),
              cell)
          .getBytes(UTF_8);
    }

    @Override
    public Class<Failure> refusal() {
      return Failure.class;
    }

    @Override
    public void read(Path file) throws Exception {
      // Reads the file of a fixed name in the folder of a run.
      Files.move(file, run.resolve("settings.properties"));
      try {
        var settings = LanguageRun.open(run).settings();
        if (!Settings.of(settings.values(), "again").equals(settings)) {
          throw new AssertionError(settings);
        }
      } finally {
        Files.move(run.resolve("settings.properties"), file);
      }
    }
  }

  @Test
  void settings() throws Exception {
    Fuzz.run(new SettingsReader(folder), folder);
  }

  private static final class HistoryReader implements Reader {
    @Override
    public String name() {
      return "history";
    }

    @Override
    public List<byte[]> sound() {
      var one = new Epochs(List.of(new Epochs.Epoch(1, 0.004, 120.5, 99.25)));
      var two = one.with(new Epochs.Epoch(2, 1e-5, 1e9, Double.NaN));
      return Stream.of(new Epochs(List.of()), one, two)
          .map(history -> history.csv().getBytes(UTF_8))
          .toList();
    }

    @Override
    public Class<Failure> refusal() {
      return Failure.class;
    }

    @Override
    public void read(Path file) throws Exception {
      var history = Epochs.parse("history", new String(Files.readAllBytes(file), UTF_8));
      var again = Epochs.parse("again", history.csv());
      if (!again.csv().equals(history.csv())) {
        throw new AssertionError(history);
      }
    }
  }

  @Test
  void history() throws Exception {
    Fuzz.run(new HistoryReader(), folder);
  }
}
