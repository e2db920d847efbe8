package carousel.zoo.cli;

import static carousel.zoo.cli.Shell.carousel;
import static org.assertj.core.api.Assertions.assertThat;

import carousel.zoo.run.Reporter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What a shell may make of arguments: nothing, or files. */
class ArgumentsTest {
  @TempDir private Path folder;

  static Stream<List<String>> empties() {
    return Stream.of(
        List.of("train", "--out", ""),
        List.of("train", "--data", ""),
        List.of("train", "--resume", ""),
        List.of("eval", ""),
        List.of("sample", ""),
        List.of("export", "", "model.onnx"),
        List.of("export", "run", ""),
        List.of("run", "hopfield", "--out", ""));
  }

  @ParameterizedTest
  @MethodSource("empties")
  void anEmptyPathIsNoFolder(List<String> arguments) {
    var shell = carousel(arguments.toArray());
    assertThat(shell.code()).isEqualTo(2);
    assertThat(shell.complaint()).contains("empty; is a variable of the shell not set?");
  }

  /** No file is read in its place. */
  @Test
  void anArgumentMayBeginWithAnAt() throws Exception {
    var file = folder.resolve("words");
    Files.writeString(file, "--length 3");
    assertThat(carousel("sample", "@" + file).complaint()).contains("@" + file);
  }

  @Test
  void pathsAreQuotedWhereAShellWouldCutThem() {
    assertThat(Reporter.argument(Path.of("runs/2026-11-20-lstm")))
        .isEqualTo("runs/2026-11-20-lstm");
    assertThat(Reporter.argument(Path.of("my run"))).isEqualTo("'my run'");
    assertThat(Reporter.argument(Path.of("it's"))).isEqualTo("'it'\\''s'");
    assertThat(Reporter.argument(Path.of("a$b"))).isEqualTo("'a$b'");
  }
}
