package carousel.zoo;

import static org.assertj.core.api.Assertions.assertThat;

import carousel.autograd.GradCheck;
import carousel.tensor.TensorScope;
import carousel.zoo.system.Figure;
import carousel.zoo.system.Options;
import carousel.zoo.system.Preset;
import carousel.zoo.system.Results;
import carousel.zoo.system.Seeded;
import carousel.zoo.system.SystemTrial;
import carousel.zoo.system.ZooSystem;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every system of the registry, by being listed there. */
class SystemsTest {
  @TempDir private Path folder;

  static Stream<String> names() {
    return Systems.names().stream();
  }

  @Test
  void eachIsThereOnce() {
    assertThat(new HashSet<>(Systems.names())).hasSameSizeAs(Systems.names());
  }

  @ParameterizedTest
  @MethodSource("names")
  void saysWhatItIsAndWhatCountsAsPassed(String name) {
    declared(Systems.of(name));
  }

  private static <O extends Record & Seeded> void declared(ZooSystem<O> system) {
    var options = Options.of(system.options());
    for (var entry : options.entries()) {
      assertThat(entry.help()).as(entry.name()).isNotBlank().doesNotEndWith(".");
    }
    for (var preset : Preset.values()) {
      var chosen = options.read(system.preset(preset));
      assertThat(options.read(options.values(chosen))).isEqualTo(chosen);
      var figures = system.figures(chosen);
      assertThat(figures).anyMatch(Figure::isBounded);
      assertThat(figures.stream().map(Figure::name)).doesNotHaveDuplicates();
    }
    assertThat(system.figures(options.read(system.preset(Preset.PAPER))))
        .as("a number of the source beside one of its own")
        .anyMatch(figure -> !figure.published().isEmpty());
  }

  @ParameterizedTest
  @MethodSource("names")
  void isAcceptedAndEndsAtTheSameBitsStoppedOrNot(String name) throws Exception {
    var whole = folder.resolve("whole");
    var trial = SystemTrial.of(Systems.of(name), Preset.SMALL);
    var asked = new AtomicInteger();
    var measured =
        trial.begin(
            whole,
            () -> {
              asked.incrementAndGet();
              return false;
            });
    assertThat(measured.orElseThrow().passed()).as(trial.printed()).isTrue();
    pictures(whole);

    var parts = folder.resolve("parts");
    var left = new AtomicInteger(asked.get() / 3);
    var run = trial.begin(parts, () -> left.decrementAndGet() < 0);
    assertThat(run).as("stopped").isEmpty();
    left.set(asked.get() / 3);
    while (run.isEmpty()) {
      run = trial.resume(parts, () -> left.decrementAndGet() < 0);
      left.set(asked.get());
    }
    assertThat(run.orElseThrow().values()).isEqualTo(measured.orElseThrow().values());
    assertThat(SystemTrial.files(parts)).isEqualTo(SystemTrial.files(whole));
  }

  /** At least one, each as SVG that is well-formed and as PNG that is not empty. */
  private static void pictures(Path run) throws Exception {
    try (var files = Files.list(run)) {
      var svgs = files.filter(file -> file.toString().endsWith(".svg")).toList();
      assertThat(svgs).isNotEmpty();
      for (var svg : svgs) {
        var read = DocumentBuilderFactory.newInstance().newDocumentBuilder().parse(svg.toFile());
        assertThat(read.getElementsByTagName("title").item(0).getTextContent()).isNotBlank();
        var png = svg.resolveSibling(svg.getFileName().toString().replace(".svg", ".png"));
        assertThat(ImageIO.read(png.toFile()).getWidth()).isGreaterThan(1000);
      }
    }
  }

  @ParameterizedTest
  @MethodSource("names")
  void itsLossHasTheGradientsOfItsSlopes(String name) {
    try (var scope = TensorScope.open()) {
      Systems.of(name)
          .loss()
          .ifPresent(
              d -> GradCheck.standard().withOrder(2).run(name, d.loss(), d.leaves()).require());
    }
  }

  @ParameterizedTest
  @MethodSource("names")
  void hasRowsInTheResults(String name) throws IOException {
    var rows = new Results(Files.readString(Path.of("../docs/results.md"))).of(name);
    assertThat(rows)
        .as("write them by ./carousel results %s", name)
        .isNotEmpty()
        .allMatch(row -> row.size() == 8);
    assertThat(rows.getFirst().get(6)).as("date").matches("\\d{4}-\\d{2}-\\d{2}");
    assertThat(rows.getFirst().get(7)).as("settings").startsWith("`").contains("=");
    assertThat(rows.stream().map(row -> row.get(1).replaceFirst(":.*", "")))
        .containsExactlyElementsOf(figures(Systems.of(name)));
    assertThat(rows).noneMatch(row -> row.get(3).endsWith("✗"));
  }

  private static <O extends Record & Seeded> List<String> figures(ZooSystem<O> system) {
    var quick = Options.of(system.options()).read(system.preset(Preset.QUICK));
    return system.figures(quick).stream().map(Figure::name).toList();
  }
}
