package carousel.zoo.cli;

import static carousel.zoo.cli.Shell.carousel;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.abort;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Trainings from the first option to the last file. */
class TrainingTest {
  private static final int SIGINT = 2;

  @TempDir private Path folder;

  private Path text() throws IOException {
    String lines = "the cat sat on the mat\na dog sat on the rug and the cat saw it\n".repeat(60);
    return Files.writeString(folder.resolve("text.txt"), lines);
  }

  private Shell train(Path data, Path run, Object... more) {
    var arguments =
        new java.util.ArrayList<Object>(
            List.of(
                "train", "--data", data, "--hidden", 6, "--batch", 4, "--steps", 8, "--lr", 0.02));
    arguments.addAll(List.of("--out", run));
    arguments.addAll(List.of(more));
    var shell = carousel(arguments.toArray());
    assertThat(shell.code()).as(shell.err()).isZero();
    return shell;
  }

  @Test
  void aRunIsTrainedMeasuredAndSampled() throws IOException {
    var run = folder.resolve("run");
    var shell = train(text(), run, "--epochs", 3);
    assertThat(shell.out())
        .contains("lstm, 1 × 6", "epoch 3/3  perplexity: train", "  test ", "generated");
    assertThat(run.toFile().list())
        .containsExactlyInAnyOrder(
            "settings.properties",
            "vocabulary.txt",
            "history.csv",
            "best.safetensors",
            "checkpoints",
            ".lock");
    var history = Files.readAllLines(run.resolve("history.csv"));
    assertThat(history).hasSize(4);
    double first = Double.parseDouble(history.get(1).split(",", -1)[3]);
    double last = Double.parseDouble(history.get(3).split(",", -1)[3]);
    assertThat(last).as("perplexity falls").isLessThan(first);

    var eval = carousel("eval", run);
    assertThat(eval.out()).contains("valid ", "test ", "0 of the text unknown");
    var perplexity = shell.out().lines().filter(l -> l.startsWith("  test")).findFirst();
    assertThat(eval.out()).contains(perplexity.orElseThrow().strip().split(" +")[1]);
    var whole = carousel("eval", run, "--data", folder.resolve("text.txt"), "--batch", 4);
    assertThat(whole.out()).contains("text.txt)").doesNotContain("valid part");

    var sample = carousel("sample", run, "--prompt", "the cat", "--length", 6, "--temperature", 0);
    assertThat(sample.out())
        .startsWith("the cat ")
        .isEqualTo(
            carousel("sample", run, "--prompt", "the cat", "--length", 6, "--temperature", 0)
                .out());
    assertThat(carousel("sample", run, "--seed", 1).out())
        .isEqualTo(carousel("sample", run, "--seed", 1).out())
        .isNotEqualTo(carousel("sample", run, "--seed", 2).out());
    assertThat(carousel("sample", run, "--prompt", "zebra").err()).contains("'zebra' is not in");
  }

  @Test
  void aRunThatDivergesSaysWhereTheNumberCameFrom() throws IOException {
    var run = folder.resolve("run");
    var shell =
        carousel(
            "train",
            "--data",
            text(),
            "--hidden",
            6,
            "--batch",
            4,
            "--steps",
            8,
            "--lr",
            "1e38",
            "--clip",
            0,
            "--out",
            run);
    assertThat(shell.code()).isNotZero();
    assertThat(shell.complaint())
        .containsPattern("epoch 1, step [2-9]: the (loss|norm of the gradient) is ")
        .contains("stopped before that step changed the weights", "it is 1.0E38")
        .contains("anomaly: ", "applied at ", "LanguageModel", "path: ")
        .contains("To go on from before that step: ./carousel train --resume " + run);
  }

  @Test
  void everyCellTrainsByWordsAndByCharacters() throws IOException {
    for (var cell : carousel.nn.recurrent.Cells.names()) {
      var run = folder.resolve(cell);
      var shell = train(text(), run, "--cell", cell, "--epochs", 1, "--layers", 2);
      assertThat(shell.out()).contains(cell + ", 2 × 6");
    }
    var shell = train(text(), folder.resolve("char"), "--level", "char", "--epochs", 1);
    assertThat(shell.out()).contains("characters/s");
  }

  @Test
  void theSeedDecidesTheWeightsAndTheThreadsDoNot() throws Exception {
    var data = text();
    var weights = new java.util.ArrayList<Path>();
    for (var threads : List.of(1, 2)) {
      var run = folder.resolve("threads-" + threads);
      var child =
          Child.start(
              folder.resolve("log"),
              List.of(),
              "train",
              "--data",
              data,
              "--out",
              run,
              "--hidden",
              96,
              "--batch",
              16,
              "--steps",
              8,
              "--epochs",
              1,
              "--dropout",
              0.2,
              "--threads",
              threads);
      assertThat(child.exitCode()).as(child.output()).isZero();
      weights.add(run.resolve("best.safetensors"));
    }
    assertThat(weights.get(1)).hasSameBinaryContentAs(weights.get(0));
    train(data, folder.resolve("other"), "--epochs", 1, "--seed", 2);
    train(data, folder.resolve("one"), "--epochs", 1, "--seed", 1);
    assertThat(Files.readAllBytes(folder.resolve("other/best.safetensors")))
        .isNotEqualTo(Files.readAllBytes(folder.resolve("one/best.safetensors")));
  }

  @Test
  void interruptionSavesAndSaysHowToGoOn() throws Exception {
    var run = folder.resolve("run");
    var child =
        Child.start(
            folder.resolve("log"),
            List.of(),
            "train",
            "--data",
            text(),
            "--out",
            run,
            "--hidden",
            16,
            "--batch",
            2,
            "--steps",
            4,
            "--epochs",
            100000);
    if (ignoresInterruption(child.process())) {
      child.process().destroy();
      abort("these tests were started with SIGINT ignored, as by a script in the background");
    }
    for (int i = 0; i < 600 && !Files.exists(run.resolve("best.safetensors")); i++) {
      Thread.sleep(100);
    }
    new ProcessBuilder("kill", "-INT", Long.toString(child.process().pid())).start().waitFor();
    assertThat(child.exitCode()).as(child.output()).isEqualTo(130);
    assertThat(child.output()).contains("stopped", "./carousel train --resume " + run);
    int done = Files.readAllLines(run.resolve("history.csv")).size() - 1;
    var on = carousel("train", "--resume", run, "--epochs", done + 1);
    assertThat(on.code()).as(on.err()).isZero();
    assertThat(on.out()).contains(String.format(Locale.ROOT, "epoch %d/%d", done + 1, done + 1));
  }

  /**
   * Whether a process was started with SIGINT ignored, which a JVM leaves as it is. Where there is no
   * /proc to tell, it is taken to listen.
   */
  private static boolean ignoresInterruption(Process process) throws IOException {
    var status = Path.of("/proc", Long.toString(process.pid()), "status");
    if (!Files.exists(status)) {
      return false;
    }
    try (var lines = Files.lines(status)) {
      String ignored = lines.filter(line -> line.startsWith("SigIgn:")).findFirst().orElseThrow();
      return (Long.parseUnsignedLong(ignored.split("\\s+", -1)[1], 16) >> (SIGINT - 1) & 1) == 1;
    }
  }
}
