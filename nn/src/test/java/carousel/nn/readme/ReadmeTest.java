package carousel.nn.readme;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What the documents show is what runs. */
class ReadmeTest {
  @Test
  void theProgramLearns() {
    // The variance of a sum of ten uniform numbers is 10/3: what a constant answer costs.
    assertThat(RunningSum.train(300)).isLessThan(0.3);
  }

  @Test
  void theReadmeShowsThisProgram() throws IOException {
    var source = Path.of("src/test/java/carousel/nn/readme/RunningSum.java");
    List<String> lines = Files.readAllLines(source);
    int from = lines.indexOf("    // README begins") + 1;
    int to = lines.indexOf("    // README ends");
    String program =
        String.join("\n", lines.subList(from, to)).indent(-4).replace("steps;", "300;");
    // The README leaves out what only the test needs.
    String shown = program.replace("      last = gradients.value().item();\n", "");
    assertThat(Files.readString(Path.of("../README.md"))).contains(shown);
  }

  @Test
  void contributingShowsTheCellThatIsTested() throws IOException {
    contributingShows("MinimalGatedUnit");
  }

  @Test
  void contributingShowsTheOpThatIsTested() throws IOException {
    contributingShows("Spike");
  }

  private static void contributingShows(String name) throws IOException {
    var source = Path.of("src/test/java/carousel/nn/recurrent/" + name + ".java");
    String text = Files.readString(source);
    String record = text.substring(text.indexOf("/**"));
    assertThat(Files.readString(Path.of("../CONTRIBUTING.md"))).contains(record.strip());
  }
}
