package carousel.zoo.cli;

import static carousel.zoo.cli.Shell.carousel;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Every way in which what a user gives can be wrong: one message that says what to do, no trace. */
class BadInputTest {
  @TempDir private Path folder;

  private Path text(String content) throws IOException {
    return Files.writeString(folder.resolve("text.txt"), content);
  }

  private Shell train(Object data, Object... more) {
    var arguments = new Object[] {"train", "--data", data, "--out", folder.resolve("run")};
    var all = Arrays.copyOf(arguments, arguments.length + more.length);
    System.arraycopy(more, 0, all, arguments.length, more.length);
    return carousel(all);
  }

  /** A run of one epoch on a text that repeats itself. */
  private Path trained() throws IOException {
    var data = text("the cat sat on the mat and the dog sat on the cat\n".repeat(40));
    var run = train(data, "--hidden", 4, "--batch", 2, "--steps", 5, "--epochs", 1);
    assertThat(run.code()).as(run.err()).isZero();
    return folder.resolve("run");
  }

  @ParameterizedTest
  @CsvSource({
    "--cell, lsmt, did you mean lstm?",
    "--recipe, zaremba-smal, did you mean zaremba-small?",
    "--level, chra, did you mean char?",
    "--optimizer, adm, did you mean adam?",
    "--device, cup, did you mean cpu?",
    "--cell, transformer, 'there are: elman'",
    "--hidden, 0, must be 1 or more",
    "--hidden, wide, must be a whole number",
    "--layers, 2147483647, from 1 to 1000",
    "--batch, -3, must be 1 or more",
    "--lr, NaN, must be above 0",
    "--dropout, 1, from 0 to below 1",
    "--clip, -1, 0 or more",
    "--threads, 0, must be a whole number from 1 to 1024",
    "--keep, 0, must be 1 or more",
    "--device, foo, 'there are: cpu, reference'",
    "--hidden, 99999999, 'takes 1.1 EiB (1.280e18 bytes) or more while it is trained by adam'",
    "--hidden, 2000000000, make --hidden smaller",
    "--every, 0, must be a number of steps",
    "--every, soon, 'as 30s, 5m or 2h'"
  })
  void unknownValueNamesTheNearestAndWhatThereIs(String option, String value, String message) {
    var run = carousel("train", option, value, "--out", folder.resolve("run"));
    assertThat(run.complaint()).contains(option).contains(message);
    assertThat(run.code()).isEqualTo(2);
    assertThat(folder.resolve("run")).doesNotExist();
  }

  @Test
  void unknownOptionAndCommandNameTheNearest() {
    var option = carousel("train", "--hiden", "4");
    assertThat(option.complaint()).contains("--hiden").contains("--hidden");
    assertThat(option.code()).isEqualTo(2);
    var command = carousel("trian");
    assertThat(command.complaint()).contains("trian").contains("train");
    assertThat(command.code()).isEqualTo(2);
    assertThat(carousel("gradcheck", "gruu").complaint()).contains("did you mean gru?");
    assertThat(carousel("graph", "gruu").complaint()).contains("did you mean gru?");
  }

  @Test
  void recipeForPennTreebankAsksForIt() {
    var run = carousel("train", "--recipe", "zaremba-small");
    assertThat(run.complaint()).contains("Penn Treebank").contains("--data");
    assertThat(run.code()).isEqualTo(2);
  }

  @Test
  void missingEmptyAndForeignFiles() throws IOException {
    refused(train(folder.resolve("none")), "there is no such file or folder");
    refused(train(text("")), "the text is empty");
    refused(train(text("\n\n\n")), "blank lines only");
    refused(train(Files.createDirectories(folder.resolve("empty"))), "*.train.txt");
    var latin = "caf\u00e9 au lait\n".repeat(40).getBytes(StandardCharsets.ISO_8859_1);
    refused(train(Files.write(folder.resolve("latin.txt"), latin)), "UTF-8");
  }

  @Test
  void textsThatCannotBeLearnedFrom() throws IOException {
    refused(train(text("one")), "too few");
    refused(train(text("same same\n".repeat(40))), "vocabulary of one");
    refused(train(text("a b c d e f g h\n".repeat(10)), "--batch", 20), "too short for batch 20");
    var folder = Files.createDirectories(this.folder.resolve("parts"));
    Files.writeString(folder.resolve("x.train.txt"), "a");
    Files.writeString(folder.resolve("x.valid.txt"), "a b\n");
    Files.writeString(folder.resolve("x.test.txt"), "a b\n");
    refused(train(folder), "vocabulary of one");
  }

  private void refused(Shell run, String message) {
    assertThat(run.complaint()).contains(message);
    assertThat(run.code()).isEqualTo(1);
    assertThat(folder.resolve("run")).doesNotExist();
  }

  @Test
  @EnabledOnOs(value = OS.LINUX, disabledReason = "/proc gives files other names")
  void textThatIsGoneOnceItIsReadIsSaidToBe() throws IOException {
    String lines = "the cat sat on the mat and the dog sat on the cat\n".repeat(40);
    var passing = Path.of("/proc/self/root" + text(lines).toRealPath());
    var small = new Object[] {"--hidden", 4, "--batch", 2, "--steps", 5, "--epochs", 1};
    var run = train(passing, small);
    assertThat(run.code()).as(run.err()).isZero();
    assertThat(run.complaint()).contains(passing + " can be read but once: to go on with this run");
    var folder = this.folder.resolve("run");
    for (var command : List.of(List.of("eval", folder), List.of("train", "--resume", folder))) {
      var again = carousel(command.toArray());
      assertThat(again.complaint()).contains("put the same text into a file", "--data");
      assertThat(again.code()).isEqualTo(1);
    }
    var file = this.folder.resolve("text.txt");
    var again = carousel("train", "--resume", folder, "--data", file, "--epochs", 2);
    assertThat(again.code()).as(again.err()).isZero();
    assertThat(again.err()).isEmpty();
    assertThat(carousel("eval", folder).code()).isZero();
  }

  @Test
  void batchesThatDoNotFitLeaveNoFolder() throws IOException {
    refused(train(text("the cat sat\n".repeat(40)), "--batch", 2_000_000_000), "too short");
  }

  @Test
  void lossThatIsNotANumberStopsAndKeepsTheLastGoodWeights() throws IOException {
    var data = text("the cat sat on the mat and the dog sat on the cat\n".repeat(40));
    var run =
        train(
            data,
            "--hidden",
            4,
            "--batch",
            2,
            "--steps",
            5,
            "--optimizer",
            "sgd",
            "--lr",
            "1e38",
            "--clip",
            0);
    assertThat(run.code()).isEqualTo(1);
    assertThat(run.complaint()).contains("epoch 1, step").contains("lower --lr").contains("run");
    var sample = carousel("sample", folder.resolve("run"), "--length", 5);
    assertThat(sample.code()).as(sample.err()).isZero();
  }

  @Test
  void outputThatCannotBeWritten() throws IOException {
    var data = text("the cat sat on the mat and the dog sat on the cat\n".repeat(40));
    var file = Files.writeString(folder.resolve("file"), "in the way");
    var run =
        carousel("train", "--data", data, "--batch", 2, "--steps", 5, "--out", file.resolve("run"));
    assertThat(run.complaint()).contains("cannot write").contains("--out");
    assertThat(run.code()).isEqualTo(1);
    var graph = carousel("graph", "lstm", "--out", file.resolve("graph"));
    assertThat(graph.complaint()).contains("cannot write");
    assertThat(graph.code()).isEqualTo(1);
  }

  @Test
  void folderThatHoldsARunIsNotOverwritten() throws IOException {
    trained();
    var again = train(folder.resolve("text.txt"));
    assertThat(again.complaint()).contains("holds a run already").contains("--resume");
    assertThat(again.code()).isEqualTo(1);
  }

  @Test
  void weightsThatAreTruncatedCorruptOrOfAnotherModel() throws IOException {
    var run = trained();
    var weights = run.resolve("best.safetensors");
    var whole = Files.readAllBytes(weights);

    Files.write(weights, Arrays.copyOf(whole, whole.length - 10));
    broken(run, "best.safetensors");
    var corrupt = whole.clone();
    corrupt[9] ^= 0x55;
    Files.write(weights, corrupt);
    broken(run, "best.safetensors");
    Files.write(weights, new byte[0]);
    broken(run, "best.safetensors");
    Files.write(weights, whole);

    var settings = run.resolve("settings.properties");
    String text = Files.readString(settings);
    Files.writeString(settings, text.replace("hidden = 4", "hidden = 5"));
    broken(run, "of another model", "embed.weight", "F32 [");
    Files.writeString(settings, text.replace("cell = lstm", "cell = peephole"));
    broken(run, "of another model", "stack.layers.0.cell.pi", "is missing");
    Files.writeString(settings, text.replace("layers = 1", "layers = 2"));
    broken(run, "of another model", "stack.layers.1.cell.wx", "is missing");
    Files.writeString(settings, text.replace("cell = lstm", "cell = elman"));
    broken(run, "of another model");
    Files.writeString(settings, text.replace("hidden = 4", "hidden = four"));
    broken(run, "hidden must be a whole number");
    Files.writeString(settings, text);
    assertThat(carousel("eval", run).code()).isZero();
  }

  private void broken(Path run, String... messages) {
    for (var command : new String[] {"eval", "sample"}) {
      var result = carousel(command, run);
      assertThat(result.complaint()).contains(messages);
      assertThat(result.code()).isEqualTo(1);
    }
  }

  @Test
  void foldersThatAreNoRuns() throws IOException {
    assertThat(carousel("eval", folder.resolve("none")).complaint()).contains("no such folder");
    assertThat(carousel("sample", folder).complaint()).contains("is no run");
    assertThat(carousel("train", "--resume", folder).complaint()).contains("is no run");
    assertThat(carousel("eval").code()).isEqualTo(2);
    var run = trained();
    var other = carousel("train", "--resume", run, "--hidden", 8, "--batch", 3);
    assertThat(other.complaint()).contains("leave out --hidden, --batch");
    assertThat(other.code()).isEqualTo(2);
    assertThat(carousel("eval", run, "--data", folder.resolve("none")).complaint())
        .contains("there is no such file");
    assertThat(carousel("sample", run, "--temperature", -1).complaint()).contains("--temperature");
    assertThat(carousel("sample", run, "--length", 0).complaint()).contains("--length");
  }

  @Test
  void traceIsShownWhereItIsAskedFor() {
    var run = carousel("--debug", "eval", folder);
    assertThat(run.err()).startsWith("carousel: ").contains("\tat carousel.zoo");
  }
}
