package carousel.house;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/**
 * The figure in docs/architecture.md is drawn from the modules' descriptors, and so what it shows is what there is.
 * {@code ./mvnw test -pl benchmarks -am -Dtest=FigureTest -Dsurefire.failIfNoSpecifiedTests=false
 * -Dcarousel.house.draw=true} draws it anew.
 */
class FigureTest {
  private static final Path DOCUMENT = House.root().resolve("docs/architecture.md");
  private static final Pattern FIGURE = Pattern.compile("```mermaid\n(.*?)```", Pattern.DOTALL);

  @Test
  void showsTheModulesAsTheirDescriptorsDrawThem() throws IOException {
    String drawn = new Figure().draw();
    String text = Files.readString(DOCUMENT);
    Matcher figure = FIGURE.matcher(text);
    assertThat(figure.find()).as("a figure in docs/architecture.md").isTrue();
    if (Boolean.getBoolean("carousel.house.draw")) {
      Files.writeString(
          DOCUMENT, text.substring(0, figure.start(1)) + drawn + text.substring(figure.end(1)));
      return;
    }
    assertThat(figure.group(1))
        .as("the figure; with -Dcarousel.house.draw=true this test draws it anew")
        .isEqualTo(drawn);
  }

  @Test
  void everyModuleIsInIt() {
    assertThat(House.MODULES).contains("tensor-core", "cuda-kernels", "nn", "benchmarks");
    assertThat(new Figure().draw())
        .contains("  autograd --> tensor_core\n")
        .contains("  cuda_kernels -->|offers BackendProvider, Probe| tensor_core\n")
        .doesNotContain("null");
  }
}
