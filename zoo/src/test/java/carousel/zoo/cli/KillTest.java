package carousel.zoo.cli;

import static org.assertj.core.api.Assertions.assertThat;

import carousel.nn.io.Checkpoint;
import carousel.nn.io.Checkpoints;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A training that is killed with SIGKILL at random moments, and resumed each time, ends at the bits of
 * one that never was. {@code -Dcarousel.kills=50} says how often, {@code -Dcarousel.kills.seed=7} when.
 *
 * <p>It writes a checkpoint after every step, so that most of its time goes into that. Of every ten
 * kills one comes at some moment of the start, while no checkpoint is read yet or one is being read;
 * of the others every second comes while the neighbour of a checkpoint is there, which is in the
 * middle of writing, and the others come at some moment after some step.
 */
class KillTest {
  private static final int EPOCHS = 16;
  private static final int STEPS = 512; // of all epochs

  @TempDir private Path folder;
  private final RandomGenerator random =
      RandomGeneratorFactory.of("L64X128MixRandom").create(Long.getLong("carousel.kills.seed", 1));

  /** What a kill met. */
  private enum Moment {
    STARTING,
    BETWEEN,
    WRITING
  }

  @Test
  void aRunKilledAtRandomMomentsEndsAtTheBitsOfOneThatNeverWas() throws Exception {
    var kills = Integer.getInteger("carousel.kills", 5);
    var whole = folder.resolve("whole");
    var child = Child.start(folder.resolve("log"), List.of(), begin(whole));
    assertThat(child.exitCode()).as(child.output()).isZero();
    var expected = Ending.of(whole);
    assertThat(expected.facts()).containsEntry("step", "" + STEPS);

    var run = folder.resolve("run");
    var met = new int[Moment.values().length];
    var targets = random.ints(kills, 0, STEPS * 9 / 10).sorted().toArray();
    for (int i = 0; i < kills; i++) {
      met[killed(run, i, targets[i]).ordinal()]++;
    }
    child = Child.start(folder.resolve("log"), List.of(), next(run));
    assertThat(child.exitCode()).as(child.output()).isZero();
    assertThat(Ending.of(run)).isEqualTo(expected);
    assertThat(Arrays.stream(met).sum()).isEqualTo(kills);
    assertThat(kills < 5 || met[Moment.WRITING.ordinal()] > 0).as("kills while writing").isTrue();
    System.out.printf(
        "%d kills, %d of them while a checkpoint was being written, %d before the first step after a"
            + " start: weights, optimizer, history and best weights are bit for bit those of a run"
            + " that was never killed%n",
        kills, met[Moment.WRITING.ordinal()], met[Moment.STARTING.ordinal()]);
  }

  private Object[] begin(Path run) throws IOException {
    String lines = "the cat sat on the mat\na dog sat on the rug and the cat saw it\n".repeat(60);
    var text = Files.writeString(folder.resolve("text.txt"), lines);
    var arguments =
        new ArrayList<Object>(List.of("train", "--data", text, "--out", run, "--epochs", EPOCHS));
    arguments.addAll(List.of("--hidden", 64, "--layers", 2, "--batch", 4, "--steps", 8));
    arguments.addAll(List.of("--dropout", 0.3, "--every", 1, "--keep", 2));
    return arguments.toArray();
  }

  /** What a user would type: where nothing is to be resumed yet, the same as the first time. */
  private Object[] next(Path run) throws IOException {
    return Files.exists(run.resolve("settings.properties"))
        ? new Object[] {"train", "--resume", run, "--every", 1, "--keep", 2}
        : begin(run);
  }

  /** Starts the run, kills it, looks at what it leaves. */
  private Moment killed(Path run, int number, int target) throws Exception {
    long before = step(run);
    var child = Child.start(folder.resolve("log"), List.of(), next(run));
    var process = child.process();
    if (number % 10 == 0) {
      process.waitFor(random.nextInt(1500), TimeUnit.MILLISECONDS);
    } else {
      while (process.isAlive() && step(run) < Math.max(target, before + 1)) {
        LockSupport.parkNanos(200_000);
      }
      LockSupport.parkNanos(random.nextInt(20_000_000));
      if (number % 2 == 0) {
        stopWhileWriting(process, run);
      }
    }
    assertThat(process.isAlive()).as(child.output()).isTrue();
    process.destroyForcibly().waitFor();
    assertThat(process.exitValue()).isEqualTo(128 + 9);
    newest(run);
    if (!neighbours(run).isEmpty()) {
      return Moment.WRITING;
    }
    return step(run) == before ? Moment.STARTING : Moment.BETWEEN;
  }

  /** Stops at some moment that is one of writing: a running process would be done with it before it is killed. */
  private void stopWhileWriting(Process process, Path run) throws Exception {
    while (process.isAlive()) {
      signal(process, "-STOP");
      if (!neighbours(run).isEmpty()) {
        return;
      }
      signal(process, "-CONT");
      LockSupport.parkNanos(random.nextInt(3_000_000));
    }
  }

  private static void signal(Process process, String signal) throws Exception {
    new ProcessBuilder("kill", signal, Long.toString(process.pid())).start().waitFor();
  }

  /** What a process that is killed in the middle of a checkpoint leaves behind. */
  private static List<Path> neighbours(Path run) throws IOException {
    return named(run, ".tmp");
  }

  private static List<Path> named(Path run, String end) throws IOException {
    var folder = run.resolve("checkpoints");
    if (!Files.exists(folder)) {
      return List.of();
    }
    try (var files = Files.list(folder)) {
      return files.filter(file -> file.toString().endsWith(end)).sorted().toList();
    }
  }

  /** The step of the newest checkpoint by its name, as the run may be writing; −1 for none. */
  private static long step(Path run) throws IOException {
    var files = named(run, ".safetensors");
    if (files.isEmpty()) {
      return -1;
    }
    return Long.parseLong(files.getLast().getFileName().toString().replaceAll("\\D", ""));
  }

  /** The newest checkpoint by its content; whatever was killed, none may be damaged. */
  private static void newest(Path run) throws IOException {
    var newest =
        new Checkpoints(run.resolve("checkpoints"), 2)
            .newest(line -> {
              throw new AssertionError(line);
            });
    assertThat(newest.map(Checkpoint::step).orElse(-1L)).isEqualTo(step(run));
  }
}
