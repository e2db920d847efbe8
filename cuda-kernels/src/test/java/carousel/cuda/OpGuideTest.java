package carousel.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import carousel.autograd.GradCheck;
import carousel.tensor.Tensor;
import carousel.tensor.contract.OpCases;
import carousel.tensor.jvm.FreshJvm;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import org.assertj.core.api.Assertions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The op that CONTRIBUTING.md adds: its lines as they stand there, put where it says, are all that a row needs. They go into
 * copies of three files, of which two are compiled and all are in front of the others on a class path.
 */
class OpGuideTest {
  private static final Path CORE = Path.of("../tensor-core/src/main/java");
  private static final Path UNARY = Path.of("carousel/tensor/op/Unary.java");
  private static final Path ACTIVATIONS = Path.of("carousel/tensor/Activations.java");
  private static final String ROWS = "unary_rows.cuh";
  private static final Pattern BLOCK = Pattern.compile("```[\\w ]*\n(.*?)```", Pattern.DOTALL);

  @TempDir private Path folder;
  private String row = "";
  private String method = "";
  private String kernel = "";

  @BeforeEach
  void readTheGuide() throws IOException {
    Cuda.emulated(); // skips without a compiler
    String text = Files.readString(Path.of("../CONTRIBUTING.md"));
    String guide =
        text.substring(text.indexOf("\n## Add an op\n"), text.indexOf("\n## Add a cell\n"));
    List<String> blocks = BLOCK.matcher(guide).results().map(block -> block.group(1)).toList();
    assertThat(blocks).as("a row, a method and a line of CUDA's").hasSize(3);
    row = blocks.get(0);
    method = blocks.get(1);
    kernel = blocks.get(2);
  }

  @Test
  void itsLinesAreAllThatARowNeeds() throws Exception {
    assertThat(outcome(row, kernel)).contains("all is well");
  }

  @Test
  void aWrongRuleIsFound() throws Exception {
    String wrong = row.replace(".square()", "");
    assertThat(wrong).isNotEqualTo(row);
    assertThat(outcome(wrong, kernel))
        .contains("ELLIOTT", "WRONG", "input 0")
        .doesNotContain("all is well");
  }

  @Test
  void aMissingKernelIsFound() throws Exception {
    assertThat(outcome(row, "")).contains("unary.cu has no unary_elliott_f32", "unary_elliott_f64");
  }

  /** What the program finds with these lines added. */
  private String outcome(String javaLines, String cudaLines) throws Exception {
    Path unary = copied(UNARY, "public enum Unary ", javaLines);
    Path activations = copied(ACTIVATIONS, "public sealed interface Activations ", method);
    Path kernels = folder.resolve("carousel/cuda/kernels").resolve(ROWS);
    Files.createDirectories(kernels.getParent());
    String rows = Files.readString(Path.of("src/main/cuda").resolve(ROWS));
    int first = rows.indexOf("\nNUMERIC(neg") + 1;
    Files.writeString(kernels, rows.substring(0, first) + cudaLines + rows.substring(first));
    compile(unary, activations);
    return FreshJvm.runBehind(
            folder,
            List.of(
                OpGuideProgram.class,
                CudaBackend.class,
                Tensor.class,
                OpCases.class,
                GradCheck.class,
                Assertions.class,
                Test.class))
        .output();
  }

  /** A copy of a file with lines put first into the declaration that begins so. */
  private Path copied(Path file, String declaration, String lines) throws IOException {
    String text = Files.readString(CORE.resolve(file));
    int at = text.indexOf("{\n", text.indexOf(declaration)) + 2;
    Path copy = folder.resolve("sources").resolve(file);
    Files.createDirectories(copy.getParent());
    return Files.writeString(copy, text.substring(0, at) + lines + text.substring(at));
  }

  private void compile(Path... files) throws IOException, InterruptedException {
    var command =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "javac").toString(),
                "-nowarn",
                "-proc:none",
                "-d",
                folder.toString(),
                "-cp",
                FreshJvm.origin(Tensor.class)));
    for (Path file : files) {
      command.add(file.toString());
    }
    var compiler = new ProcessBuilder(command).redirectErrorStream(true).start();
    String output = new String(compiler.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(compiler.waitFor()).as(output).isZero();
  }
}
