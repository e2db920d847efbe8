package carousel.zoo.cli;

import static carousel.zoo.cli.Shell.carousel;
import static org.assertj.core.api.Assertions.assertThat;

import carousel.nn.recurrent.Cells;
import java.nio.file.Files;
import java.nio.file.Path;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The commands that train nothing. */
class CommandTest {
  @TempDir private Path folder;

  @ParameterizedTest
  @ValueSource(
      strings = {
        "list",
        "run",
        "results",
        "train",
        "eval",
        "sample",
        "export",
        "gradcheck",
        "graph",
        "explain",
        "doctor"
      })
  void everyCommandExplainsItself(String command) {
    var help = carousel(command, "--help");
    assertThat(help.code()).isZero();
    assertThat(help.out()).contains("Usage: carousel " + command);
    assertThat(carousel("--help").out()).contains(command);
  }

  @Test
  void versionNamesCarouselAndJava() {
    assertThat(carousel("--version").out()).contains("Carousel ", "Java 25");
  }

  @Test
  void gradcheckPrintsATableOfWorstErrors() {
    var check = carousel("gradcheck", "peephole", "gru");
    assertThat(check.code()).as(check.out()).isZero();
    assertThat(check.out().lines().filter(line -> line.endsWith("ok"))).hasSize(4);
    assertThat(check.out()).contains("peephole", "gru", "all gradients agree");
  }

  @Test
  void graphDrawsEveryCellForwardAndBackward() throws Exception {
    for (var cell : Cells.names()) {
      var graph = carousel("graph", cell, "--out", folder);
      assertThat(graph.code()).as(graph.err()).isZero();
      String dot = Files.readString(folder.resolve(cell + ".dot"));
      assertThat(dot).startsWith("digraph").contains("matmul", "∂L/∂X", "∂L/∂w");
      var svg = folder.resolve(cell + ".svg");
      var root = DocumentBuilderFactory.newInstance().newDocumentBuilder().parse(svg.toFile());
      assertThat(root.getDocumentElement().getTagName()).isEqualTo("svg");
    }
    assertThat(Files.readString(folder.resolve("lstm.dot"))).contains("∂L/∂C′", "[N,4H]", "\"f\"");
    carousel("graph", "lstm", "--forward", "--out", folder);
    assertThat(Files.readString(folder.resolve("lstm-forward.dot"))).doesNotContain("∂L");
  }

  @Test
  void explainShowsTheStagesOfEveryKernel() {
    for (var cell : Cells.names()) {
      var explained = carousel("explain", cell, "--hidden", 7, "--inputs", 5, "--batch", 3);
      assertThat(explained.code()).as(explained.err()).isZero();
      assertThat(explained.out()).contains(" on cpu: ");
    }
    assertThat(carousel("explain", "lstm", "--hidden", 7).out())
        .contains(
            "one kernel", "x·wx + b for all of them, 28 columns", "[N,7] · [7,28]", "sigmoid");
    assertThat(carousel("explain", "gruu").complaint()).contains("did you mean gru?");
    assertThat(carousel("explain", "gru", "--batch", 0).code()).isEqualTo(2);
  }

  @Test
  void doctorSaysWhatIsThere() {
    var doctor = carousel("doctor");
    assertThat(doctor.code()).as(doctor.err()).isZero();
    assertThat(doctor.out())
        .contains("✓ Java", "preferred species", "threads in use", "tensors up to", "cpu computes");
  }
}
