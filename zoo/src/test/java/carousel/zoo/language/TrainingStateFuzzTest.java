package carousel.zoo.language;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import carousel.nn.io.Checkpoints;
import carousel.nn.io.SafetensorsException;
import carousel.tensor.TensorScope;
import carousel.tensor.fuzz.Fuzz;
import carousel.tensor.fuzz.Reader;
import carousel.tensor.fuzz.SafetensorsDamage;
import carousel.zoo.run.Failure;
import carousel.zoo.run.RunFolder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.SplittableRandom;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Damaged checkpoints of a training, from the folder to the next step of a run that goes on. */
class TrainingStateFuzzTest {
  @TempDir Path folder;
  @TempDir static Path checkpoints;

  /** Before the first step, in the middle of each epoch, and after it. */
  private static List<byte[]> sound() throws IOException {
    var sound = new ArrayList<byte[]>();
    try (var _ = TensorScope.open()) {
      var state = TinyTraining.state();
      sound.add(saved(state));
      for (int epoch = 0; epoch < TinyTraining.EPOCHS; epoch++) {
        var pass = state.pass();
        while (!pass.ended()) {
          pass.step();
          if (pass.progress().windows() == 2) {
            sound.add(saved(state));
          }
        }
        state.ended(TinyTraining.gave(epoch));
        sound.add(saved(state));
      }
    }
    return sound;
  }

  private static byte[] saved(TrainingState state) throws IOException {
    var run = new RunFolder(Files.createTempDirectory(checkpoints, "run")).checkpoints(1);
    run.save(state.step(), state.tensors(), state.metadata());
    return Files.readAllBytes(run.newest(_ -> {}).orElseThrow().file());
  }

  /** The documented exceptions of restoring, as one. */
  private static final class Refused extends RuntimeException {
    private static final long serialVersionUID = 1L;

    Refused(String message) {
      super(message);
    }
  }

  private record StateReader(Path run, List<byte[]> sound) implements Reader {
    @Override
    public String name() {
      return "training-state";
    }

    @Override
    public Class<Refused> refusal() {
      return Refused.class;
    }

    @Override
    public void read(Path file) throws IOException {
      var named =
          run.resolve(String.format(Locale.ROOT, "checkpoint-%010d.safetensors", step(file)));
      Files.move(file, named);
      try {
        restore();
      } catch (Failure | SafetensorsException e) {
        throw new Refused(String.valueOf(e.getMessage()));
      } finally {
        Files.move(named, file);
      }
    }

    /** Its name goes with the sound file that it was. */
    private static long step(Path file) throws IOException {
      String text = Files.readString(file, ISO_8859_1);
      return (long) TinyTraining.WINDOWS * number(text, "epoch") + number(text, "windows");
    }

    private static int number(String text, String name) {
      var found = Pattern.compile("\"" + name + "\":\"(\\d{1,6})\"").matcher(text);
      return found.find() ? Integer.parseInt(found.group(1)) : 0;
    }

    /** What is taken must be good for going on, and for ending. */
    private void restore() throws IOException {
      var state = TinyTraining.state();
      var reports = new ArrayList<String>();
      var newest = new Checkpoints(run, 1).newest(reports::add);
      if (newest.isEmpty()) {
        throw new Refused(String.join("\n", reports));
      }
      state.restore(newest.get());
      if (!state.epochs().list().isEmpty()) {
        state.best().giveTo(state.model());
      }
      if (state.progress().epoch() >= TinyTraining.EPOCHS) {
        return;
      }
      var pass = state.pass();
      if (!pass.ended()) {
        pass.step();
      }
      var _ = state.metadata();
    }

    /** A step is made, and where its loss is not finite once more, op by op. */
    @Override
    public long heap(long size) {
      return (4L << 20) + 64 * size;
    }

    /** All weights twice while they are copied; and what a step takes, in blocks of its kernel. */
    @Override
    public long offHeap(long size) {
      return 8 * size + (1L << 20);
    }

    @Override
    public byte[] mend(byte[] damaged, SplittableRandom random) {
      return random.nextInt(4) == 0
          ? SafetensorsDamage.seal(damaged)
          : SafetensorsDamage.inHeader(sound.get(random.nextInt(sound.size())), random);
    }
  }

  @Test
  void trainingState() throws Exception {
    Fuzz.run(new StateReader(folder, sound()), folder);
  }
}
