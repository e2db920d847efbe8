package carousel.zoo.cli;

import static carousel.zoo.cli.Shell.carousel;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carousel.zoo.run.Failure;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Several trainings at once, and a thread that is interrupted in the middle of one. */
class ConcurrentRunsTest {
  @TempDir private Path folder;

  @Test
  void runsOnThreadsOfOneJvmEndAsTheyDoAlone() throws Exception {
    var text = SmallRun.text(folder);
    var cells = List.of("lstm", "gru", "peephole", "elman", "lstm", "gru");
    var together = new ArrayList<SmallRun>();
    for (int i = 0; i < cells.size(); i++) {
      together.add(SmallRun.of(text, folder.resolve("with-" + i), cells.get(i), "adam", i));
    }
    var start = new CountDownLatch(1);
    try (var threads = Executors.newFixedThreadPool(cells.size())) {
      var reports = new ArrayList<Future<SmallRun.Report>>();
      for (var run : together) {
        reports.add(
            threads.submit(() -> {
              start.await();
              return run.train(false, () -> false);
            }));
      }
      start.countDown();
      for (var report : reports) {
        assertThat(report.get().finished()).isTrue();
      }
    }
    for (int i = 0; i < cells.size(); i++) {
      var alone = SmallRun.of(text, folder.resolve("alone-" + i), cells.get(i), "adam", i);
      alone.train(false, () -> false);
      assertThat(together.get(i).ending())
          .as("%s, seed %d", cells.get(i), i)
          .isEqualTo(alone.ending());
    }
  }

  @Test
  void aSecondRunInOneFolderIsRefusedAndTheFirstGoesOn() throws Exception {
    var text = SmallRun.text(folder);
    var run = SmallRun.of(text, folder.resolve("run"), "lstm", "adam", 1);
    var alone = SmallRun.of(text, folder.resolve("alone"), "lstm", "adam", 1);
    alone.train(false, () -> false);
    var second = new AtomicBoolean();
    var finished =
        run.train(
            false,
            () -> {
              if (!second.getAndSet(true)) {
                assertThatThrownBy(() -> run.train(true, () -> false))
                    .isInstanceOf(Failure.class)
                    .hasMessageContaining("is being written by this process");
              }
              return false;
            });
    assertThat(finished.finished()).isTrue();
    assertThat(run.ending()).isEqualTo(alone.ending());
  }

  @Test
  void aSecondProcessIsRefusedAndOneThatWasKilledLeavesNoLock() throws Exception {
    var run = folder.resolve("run");
    var text = SmallRun.text(folder);
    var arguments = new ArrayList<Object>(List.of("train", "--data", text, "--out", run));
    arguments.addAll(List.of("--hidden", 6, "--batch", 4, "--steps", 9, "--epochs", 100_000));
    var child = Child.start(folder.resolve("log"), List.of(), arguments.toArray());
    try {
      while (child.process().isAlive() && !Files.exists(run.resolve("best.safetensors"))) {
        TimeUnit.MILLISECONDS.sleep(20);
      }
      assertThat(child.process().isAlive()).as(child.output()).isTrue();
      for (int again = 0; again < 2; again++) {
        var second = carousel("train", "--resume", run);
        assertThat(second.complaint())
            .isEqualTo(
                String.format(
                    Locale.ROOT,
                    "carousel: %s is being written by process %d; wait until that has ended, or write to another folder%n",
                    run,
                    child.process().pid()));
        assertThat(second.code()).isEqualTo(1);
      }
      assertThat(child.process().isAlive()).isTrue();
    } finally {
      child.process().destroyForcibly().waitFor();
    }
    var on = carousel("train", "--resume", run, "--epochs", 1);
    assertThat(on.code()).as(on.err()).isZero();
  }

  @Test
  void anInterruptedThreadEndsItsStepSavesAndStops() throws Exception {
    var text = SmallRun.text(folder);
    var whole = SmallRun.of(text, folder.resolve("whole"), "lstm", "adam", 3);
    whole.train(false, () -> false);
    var run = SmallRun.of(text, folder.resolve("run"), "lstm", "adam", 3);
    var reports = new ArrayList<SmallRun.Report>();
    int interrupted = 0;
    do {
      var report = new AtomicReference<SmallRun.Report>();
      var stayed = new AtomicBoolean();
      var training =
          Thread.ofPlatform()
              .start(() -> {
                try {
                  report.set(run.train(!reports.isEmpty(), () -> false));
                } catch (IOException e) {
                  throw new AssertionError(e);
                }
                stayed.set(Thread.currentThread().isInterrupted());
              });
      // In the middle of whatever it is doing, once it has begun; reading a checkpoint is no step.
      long done = steps(run.folder());
      while (training.isAlive() && steps(run.folder()) <= done) {
        Thread.onSpinWait();
      }
      training.interrupt();
      training.join();
      reports.add(report.get());
      if (!reports.getLast().finished()) {
        interrupted++;
        assertThat(stayed).as("the thread is interrupted still").isTrue();
        assertThat(reports.getLast().out()).contains("stopped    ", "to go on:");
      }
    } while (!reports.getLast().finished());
    assertThat(interrupted).isGreaterThan(2);
    assertThat(run.ending()).isEqualTo(whole.ending());
  }

  /** The step of the newest checkpoint. */
  private static long steps(Path run) {
    var names = run.resolve("checkpoints").toFile().list();
    if (names == null) {
      return -1;
    }
    return List.of(names).stream()
        .filter(name -> name.startsWith("checkpoint-"))
        .mapToLong(name -> Long.parseLong(name.replaceAll("\\D", "")))
        .max()
        .orElse(-1);
  }
}
