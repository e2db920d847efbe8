package carousel.zoo.cli;

import static carousel.zoo.cli.Shell.carousel;
import static org.assertj.core.api.Assertions.assertThat;

import carousel.zoo.Systems;
import carousel.zoo.system.Options;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The commands of systems: list, run, results. */
class RunCommandTest {
  @TempDir private Path folder;

  @Test
  void listNamesEverySystemWithItsSourceAndHelpEveryOption() {
    var list = carousel("list");
    assertThat(list.code()).isZero();
    for (var system : Systems.all()) {
      var about = system.about();
      assertThat(list.out()).contains(about.name(), about.line(), about.source());
      String help = carousel("run", about.name(), "--help").out().replaceAll("\\s+", " ");
      assertThat(help).contains("Usage: carousel run " + about.name(), about.line());
      for (var option : Options.of(system.options()).entries()) {
        assertThat(help).contains("--" + option.name() + "=", option.help());
      }
    }
  }

  @Test
  void itEndsWithOneWhereAFigureIsNotGoodEnough() {
    var good = carousel("run", "q-learning", "--out", folder.resolve("good"));
    assertThat(good.code()).as(good.out()).isZero();
    assertThat(good.out()).contains("greedy-return", "-13.000", "✓", "passed     seed 1");
    var bad = carousel("run", "q-learning", "--episodes", 1, "--out", folder.resolve("bad"));
    assertThat(bad.code()).isEqualTo(1);
    assertThat(bad.out()).contains("✗", "FAILED     seed 1");
    var again = carousel("run", "q-learning", "--out", folder.resolve("bad"));
    assertThat(again.complaint()).contains("holds a run already");
    var resumed = carousel("run", "q-learning", "--resume", folder.resolve("bad"));
    assertThat(resumed.code()).isEqualTo(1);
    assertThat(carousel("run", "hopfield", "--resume", folder.resolve("bad")).complaint())
        .contains("is a run of q-learning");
    assertThat(carousel("eval", folder.resolve("bad")).complaint())
        .contains(
            "is a run of q-learning, which is no language model", "./carousel run q-learning");
  }

  @Test
  void aRunOfTheLanguageModelIsOneOfTrainToo() throws Exception {
    var run = folder.resolve("model");
    var small = List.of("--preset", "small", "--tokens", 2000, "--hidden", 4, "--epochs", 1);
    var begin = new ArrayList<Object>(List.of("run", "language-model", "--out", run));
    begin.addAll(small);
    assertThat(carousel(begin.toArray()).err()).isEmpty();
    var trained = carousel("train", "--resume", run, "--epochs", 2);
    assertThat(trained.code()).as(trained.err()).isZero();
    assertThat(trained.out()).contains("goes on    in epoch 2 of 2", "epoch 2/2");
    assertThat(carousel("eval", run).out()).contains("valid ", "test ", "possible");
    assertThat(carousel("sample", run, "--length", 5).code()).isZero();
    assertThat(carousel("export", run, folder.resolve("model.onnx")).code()).isZero();
    // And the other way round: what train went on with is still a run of the system.
    var again = carousel("run", "language-model", "--resume", run, "--epochs", 3);
    assertThat(again.err()).isEmpty();
    assertThat(again.out()).contains("epoch 3/3", "test-perplexity");
    for (var command : List.of("eval", "sample")) {
      assertThat(carousel(command, run).code()).as(command).isZero();
    }
  }

  @Test
  void severalSeedsHaveAMean() throws Exception {
    var out = folder.resolve("seeds");
    var seeds = carousel("run", "q-learning", "--seeds", "2..3", "--out", out);
    assertThat(seeds.code()).as(seeds.out()).isZero();
    assertThat(seeds.out()).contains("-13.000 ± 0.000", "2 of 2", "passed     with 2 of 2 seeds");
    assertThat(Files.readString(out.resolve("seeds.csv")))
        .contains("greedy-return,-13.0,0.0,-13.0");
    assertThat(out.resolve("seed-3/policy.png")).isNotEmptyFile();
  }

  @ParameterizedTest
  @CsvSource({
    "'', 'say which system to run; there are: language-model'",
    "hopfeild, did you mean hopfield?",
    "'hopfeild --neurons 3', did you mean hopfield?",
    "'hopfield --neurons 3', '--neurons must be 50 or more, got 3'",
    "'hopfield --neurons 3 --trials x', '--trials must be a whole number, got ''x'''",
    "'hopfield --neuron 300', 'Possible solutions: --neurons'",
    "'hopfield --preset qick', did you mean quick?",
    "'hopfield --seeds 3..1', 'a range, as 1..5'",
    "'hopfield --seeds 1..2 --seed 4', say the same thing",
    "'language-model --preset paper', 'Penn Treebank: say with --data where it is'",
    "'language-model --cell lsmt', did you mean lstm?",
    "'language-model --device cup', did you mean cpu?",
    "'language-model --hidden 99999999', 'takes 1.1 EiB (1.280e18 bytes)'"
  })
  void whatIsWrongIsSaidBeforeAnythingIsWritten(String arguments, String complaint) {
    var words = new ArrayList<Object>(List.of("run"));
    if (!arguments.isEmpty()) {
      words.addAll(List.of(arguments.split(" ", -1)));
    }
    if (words.size() > 2) {
      words.addAll(List.of("--out", folder.resolve("none")));
    }
    var run = carousel(words.toArray());
    assertThat(run.complaint()).contains(complaint);
    assertThat(run.code()).isEqualTo(2);
    assertThat(folder.resolve("none")).doesNotExist();
  }

  @Test
  void resultsReplaceTheRowsOfASystem() throws Exception {
    var document = folder.resolve("results.md");
    String before = Files.readString(Path.of("../docs/results.md"));
    Files.writeString(document, before);
    var results =
        carousel("results", "q-learning", "--file", document, "--runs", folder.resolve("runs"));
    assertThat(results.code()).as(results.out()).isZero();
    String date = "\\d{4}-\\d{2}-\\d{2}";
    assertThat(Files.readString(document).replaceAll(date, ""))
        .isEqualTo(before.replaceAll(date, ""));
    assertThat(carousel("results", "q-lerning").complaint()).contains("did you mean q-learning?");
  }
}
