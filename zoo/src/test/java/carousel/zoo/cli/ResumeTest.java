package carousel.zoo.cli;

import static carousel.zoo.cli.Shell.carousel;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carousel.nn.io.Checkpoints;
import carousel.nn.recurrent.Cells;
import carousel.zoo.run.Every;
import carousel.zoo.run.Failure;
import carousel.zoo.run.Saving;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** A run that goes on ends as one that never stopped: the same bits, the same lines. */
class ResumeTest {
  @TempDir private Path folder;

  static List<String> cells() {
    return Cells.names();
  }

  private static RandomGenerator random(long seed) {
    return RandomGeneratorFactory.of("L64X128MixRandom").create(seed);
  }

  /** The lines of a report that are of the training itself, without times. */
  private static List<String> figures(SmallRun.Report... reports) {
    return Stream.of(reports)
        .flatMap(report -> report.out().lines())
        .filter(
            line -> !line.matches("(text|model|training|run|goes on|stopped|to go on|more of).*"))
        .map(line -> line.startsWith("epoch ") ? line.replaceAll("  [\\d,]+ words.*", "") : line)
        .toList();
  }

  @ParameterizedTest
  @MethodSource("cells")
  void stoppedAtRandomStepsItEndsAtTheSameBitsAndPrintsTheSame(String cell) throws IOException {
    String optimizer = Cells.names().indexOf(cell) % 2 == 0 ? "adam" : "sgd";
    var text = SmallRun.text(folder);
    var whole = SmallRun.of(text, folder.resolve("whole"), cell, optimizer, 5);
    var parts = SmallRun.of(text, folder.resolve("parts"), cell, optimizer, 5);
    var expected = whole.train(false, () -> false);
    assertThat(figures(expected)).anyMatch(line -> line.startsWith("epoch 3/3"));
    var random = random(cell.hashCode());
    var reports = new java.util.ArrayList<SmallRun.Report>();
    do {
      var left = new AtomicInteger(1 + random.nextInt(16));
      reports.add(parts.train(!reports.isEmpty(), () -> left.decrementAndGet() < 0));
    } while (!reports.getLast().finished());
    assertThat(reports).hasSizeGreaterThan(3);
    assertThat(parts.ending()).isEqualTo(whole.ending());
    assertThat(figures(reports.toArray(SmallRun.Report[]::new))).isEqualTo(figures(expected));
  }

  @Test
  void stoppedWhileItIsMeasuredItMeasuresAgain() throws IOException {
    var text = SmallRun.text(folder);
    var whole = SmallRun.of(text, folder.resolve("whole"), "lstm", "adam", 1);
    var parts = SmallRun.of(text, folder.resolve("parts"), "lstm", "adam", 1);
    var expected = whole.train(false, () -> false);
    var asked = new AtomicInteger();
    var first = parts.train(false, () -> asked.getAndIncrement() >= SmallRun.STEPS_PER_EPOCH);
    assertThat(first.out()).contains("in epoch 1 of 3, after 17 of its steps, 17 in all");
    assertThat(first.out()).doesNotContain("epoch 1/3");
    var second = parts.train(true, () -> false);
    assertThat(second.out()).contains("goes on    in epoch 1 of 3, after 17 of its steps");
    assertThat(figures(first, second)).isEqualTo(figures(expected));
    assertThat(parts.ending()).isEqualTo(whole.ending());
  }

  @Test
  void aDamagedCheckpointIsReportedInOneLineAndTheOneBeforeEndsAtTheSameBits() throws IOException {
    var text = SmallRun.text(folder);
    var whole = SmallRun.of(text, folder.resolve("whole"), "gru", "adam", 1);
    var parts = SmallRun.of(text, folder.resolve("parts"), "gru", "adam", 1);
    whole.train(false, () -> false);
    var left = new AtomicInteger(30);
    parts.train(false, () -> left.decrementAndGet() < 0);
    var newest = folder.resolve("parts/checkpoints/checkpoint-0000000026.safetensors");
    var bytes = Files.readAllBytes(newest);
    bytes[bytes.length / 2] ^= 1;
    Files.write(newest, bytes);
    var on = parts.train(true, () -> false);
    assertThat(on.err().lines()).hasSize(1);
    assertThat(on.err()).contains("passed over", newest.toString(), "SHA-256");
    assertThat(on.out()).contains("after 7 of its steps, 24 in all");
    assertThat(parts.ending()).isEqualTo(whole.ending());
  }

  @Test
  void whereAllAreDamagedItSaysSo() throws IOException {
    var run = SmallRun.of(SmallRun.text(folder), folder.resolve("run"), "gru", "adam", 1);
    run.train(false, () -> false);
    try (var files = Files.list(folder.resolve("run/checkpoints"))) {
      for (var file : files.toList()) {
        Files.write(file, new byte[100]);
      }
    }
    assertThatThrownBy(() -> run.train(true, () -> false))
        .isInstanceOf(Failure.class)
        .hasMessageContaining("no checkpoint of " + run.folder() + " is sound");
  }

  @Test
  void killedBeforeItsFirstCheckpointItBeginsAgain() throws IOException {
    var text = SmallRun.text(folder);
    var whole = SmallRun.of(text, folder.resolve("whole"), "gru", "adam", 1);
    whole.train(false, () -> false);
    var run = SmallRun.of(text, folder.resolve("run"), "gru", "adam", 1);
    run.train(false, () -> true);
    Files.delete(folder.resolve("run/checkpoints/checkpoint-0000000000.safetensors"));
    assertThat(run.train(true, () -> false).finished()).isTrue();
    assertThat(run.ending()).isEqualTo(whole.ending());
  }

  @Test
  void moreEpochsEndAtTheBitsOfOneThatHadThemFromTheStart() throws IOException {
    var text = SmallRun.text(folder);
    var whole = SmallRun.of(text, folder.resolve("whole"), "lstm", "sgd", 1);
    whole.train(false, () -> false);
    var words = List.of("train", "--data", text, "--hidden", 6, "--layers", 2, "--batch", 4);
    var arguments = new java.util.ArrayList<Object>(words);
    arguments.addAll(List.of("--steps", 9, "--lr", 0.02, "--clip", 0.5, "--dropout", 0.3));
    arguments.addAll(List.of("--optimizer", "sgd", "--out", folder.resolve("longer")));
    var values = whole.settings().values();
    assertThat(values).containsEntry("decay-after", "1").containsEntry("epochs", "3");
    var settings = folder.resolve("longer/settings.properties");
    arguments.addAll(List.of("--epochs", 1));
    assertThat(carousel(arguments.toArray()).code()).isZero();
    // The command line has no --decay-after: the file is where it can be changed.
    Files.writeString(
        settings, Files.readString(settings).replaceAll("decay-after = \\d+", "decay-after = 1"));
    var on = carousel("train", "--resume", folder.resolve("longer"), "--epochs", 3);
    assertThat(on.err()).isEmpty();
    assertThat(on.out()).contains("goes on    in epoch 2 of 3, after 0 of its steps, 17 in all");
    assertThat(Ending.of(folder.resolve("longer"))).isEqualTo(whole.ending());

    var finished = carousel("train", "--resume", folder.resolve("longer"));
    assertThat(finished.out()).contains("goes on    after its 3 epochs", "generated");
    assertThat(Ending.of(folder.resolve("longer"))).isEqualTo(whole.ending());
  }

  @Test
  void theTextMayMoveButNotChange() throws IOException {
    var text = SmallRun.text(folder);
    var run = SmallRun.of(text, folder.resolve("run"), "lstm", "adam", 1);
    var left = new AtomicInteger(20);
    run.train(false, () -> left.decrementAndGet() < 0);
    var moved = Files.move(text, folder.resolve("moved.txt"));
    assertThat(carousel("train", "--resume", run.folder()).complaint()).contains("text.txt");
    Files.writeString(text, Files.readString(moved).replaceFirst("cat", "dog"));
    assertThat(carousel("train", "--resume", run.folder()).complaint())
        .contains("trained on another text, or the text has changed");
    var on = carousel("train", "--resume", run.folder(), "--data", moved);
    assertThat(on.code()).as(on.err()).isZero();
    assertThat(on.out()).contains("moved.txt");
  }

  @Test
  void onOtherArithmeticItGoesOnAndSaysSo() throws Exception {
    var run = SmallRun.of(SmallRun.text(folder), folder.resolve("run"), "lstm", "adam", 1);
    var left = new AtomicInteger(5);
    run.train(false, () -> left.decrementAndGet() < 0);
    var scalar = List.of("-Dcarousel.vector=off");
    var on = Child.start(folder.resolve("log"), scalar, "train", "--resume", run.folder());
    assertThat(on.exitCode()).as(on.output()).isZero();
    assertThat(on.output())
        .containsPattern(
            "was computed on cpu with vectors of \\d+ bits and goes on on cpu with scalar")
        .contains("epoch 3/3");
  }

  @Test
  void checkpointsAreWrittenWhenTheyAreDueAndTheLastOnesStay() throws IOException {
    var text = SmallRun.text(folder);
    for (var every : List.of("1", "4", "1000", "1h")) {
      var run = SmallRun.of(text, folder.resolve("every-" + every), "lstm", "adam", 1);
      run.train(false, () -> false, new Saving(Every.parse(every), 3, false));
      var expected =
          switch (every) {
            case "1" -> List.of(49, 50, 51);
            case "4" -> List.of(44, 48, 51);
            default -> List.of(17, 34, 51);
          };
      try (var files = Files.list(run.folder().resolve("checkpoints"))) {
        assertThat(files.map(file -> file.getFileName().toString()))
            .as(every)
            .containsExactlyInAnyOrderElementsOf(
                expected.stream().map("checkpoint-%010d.safetensors"::formatted).toList());
      }
    }
  }

  @Test
  void aRunWithoutBestWeightsYetIsSampledFromItsLast() throws IOException {
    var run = SmallRun.of(SmallRun.text(folder), folder.resolve("run"), "lstm", "adam", 1);
    var left = new AtomicInteger(8);
    run.train(false, () -> left.decrementAndGet() < 0);
    assertThat(run.folder().resolve("best.safetensors")).doesNotExist();
    assertThat(carousel("sample", run.folder(), "--length", 3).code()).isZero();
    var checkpoints = new Checkpoints(run.folder().resolve("checkpoints"), 1);
    Files.delete(checkpoints.newest(_ -> {}).orElseThrow().file());
    Files.delete(checkpoints.newest(_ -> {}).orElseThrow().file());
    assertThat(carousel("sample", run.folder()).complaint())
        .contains("holds no weights yet; where nothing trains it, go on with --resume");
  }

  @Test
  void aRunThatHasLostItsCheckpointsIsNotBegunAgainOverItsResults() throws IOException {
    var run = SmallRun.of(SmallRun.text(folder), folder.resolve("run"), "lstm", "adam", 1);
    run.train(false, () -> false);
    var best = Files.readAllBytes(run.folder().resolve("best.safetensors"));
    String settings = Files.readString(run.folder().resolve("settings.properties"));
    var fewer = carousel("train", "--resume", run.folder(), "--epochs", 1);
    assertThat(fewer.code()).isEqualTo(2);
    assertThat(fewer.complaint()).contains("--epochs 1: ", "has trained 3 epochs already");
    assertThat(run.folder().resolve("settings.properties")).hasContent(settings);
    var checkpoints = run.folder().resolve("checkpoints");
    Files.move(checkpoints, folder.resolve("elsewhere"));
    var shell = carousel("train", "--resume", run.folder());
    assertThat(shell.code()).isEqualTo(1);
    assertThat(shell.complaint()).contains("has results and no checkpoint");
    assertThat(run.folder().resolve("best.safetensors")).hasBinaryContent(best);
    Files.move(folder.resolve("elsewhere"), checkpoints);
    var again = carousel("train", "--resume", run.folder());
    assertThat(again.code()).isZero();
    assertThat(again.out()).contains("goes on    after its 3 epochs").doesNotContain("lines above");
  }

  @Test
  void parametersOfTheTestAreAsTheyAreMeantToBe() throws IOException {
    var run = SmallRun.of(SmallRun.text(folder), folder.resolve("run"), "lstm", "adam", 1);
    run.train(false, () -> false);
    var ending = run.ending();
    assertThat(ending.facts()).containsEntry("step", "" + 3 * SmallRun.STEPS_PER_EPOCH);
    assertThat(
            ending.tensors().keySet().stream()
                .map(name -> name.substring(0, name.indexOf('.')))
                .collect(Collectors.toSet()))
        .containsExactlyInAnyOrder("model", "optimizer", "best");
  }
}
