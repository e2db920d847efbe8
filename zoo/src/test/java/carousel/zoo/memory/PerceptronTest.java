package carousel.zoo.memory;

import static org.assertj.core.api.Assertions.assertThat;

import carousel.zoo.system.Preset;
import carousel.zoo.system.SystemTrial;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The system of the guide in CONTRIBUTING runs as it says. */
class PerceptronTest {
  @TempDir private Path folder;

  @Test
  void isAcceptedAndLeavesWhatTheGuideNames() throws IOException {
    var trial = SystemTrial.of(new Perceptron(), Preset.QUICK);
    var measured = trial.begin(folder.resolve("run"), () -> false).orElseThrow();
    assertThat(measured.passed()).as(trial.printed()).isTrue();
    assertThat(SystemTrial.files(folder.resolve("run")))
        .containsKeys(
            "settings.properties", "history.csv", "figures.csv", "mistakes.svg", "mistakes.png");
  }

  @Test
  void contributingShowsIt() throws IOException {
    String source = Files.readString(Path.of("src/test/java/carousel/zoo/memory/Perceptron.java"));
    assertThat(Files.readString(Path.of("../CONTRIBUTING.md"))).contains(source.strip());
  }
}
