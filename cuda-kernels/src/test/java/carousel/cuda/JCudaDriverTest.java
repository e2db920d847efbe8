package carousel.cuda;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * JCuda's driver on a machine without a GPU: JCuda's own native code runs, down to a {@code libcuda.so.1} that
 * poses as NVIDIA's. It says whether arguments, addresses and errors arrive, and nothing of order on a device.
 */
class JCudaDriverTest {
  private static final Path JCUDA = Path.of("target", "jcuda");

  @TempDir static Path folder;

  @BeforeAll
  static void libraries() throws Exception {
    if (!Files.isDirectory(JCUDA)) {
      Assumptions.abort(
          "needs JCuda with its native parts: ./mvnw -Pcuda copies them to target/jcuda");
    }
    Cuda.emulated(); // the kernels are compiled by g++
    FakeLibraries.device(folder);
    FakeLibraries.cublas(folder, 12);
    FakeLibraries.cublas(folder, 13);
  }

  /** What the program prints. */
  private static String run(List<String> flags, String fail, int cublas, String rows)
      throws IOException, InterruptedException {
    var command =
        new ArrayList<>(
            List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString()));
    command.addAll(List.of("--enable-native-access=ALL-UNNAMED", "-XX:+UseSerialGC", "-Xmx1g"));
    command.addAll(flags);
    command.addAll(List.of("-cp", classPath(), FakeGpuProgram.class.getName()));
    command.addAll(List.of(folder.toString(), Integer.toString(cublas), rows));
    var builder = new ProcessBuilder(command).redirectErrorStream(true);
    builder.environment().put("LD_LIBRARY_PATH", folder.toString());
    builder.environment().put("FAKE_FAIL", fail);
    var program = builder.start();
    String output = new String(program.getInputStream().readAllBytes(), UTF_8);
    assertThat(program.waitFor(5, TimeUnit.MINUTES)).isTrue();
    return output;
  }

  private static String classPath() throws IOException {
    try (var jars = Files.list(JCUDA)) {
      return Stream.of(
              jars.map(Path::toString),
              Stream.of(Path.of("target", "classes"), Path.of("target", "test-classes"))
                  .map(Path::toString),
              Stream.of("jdk.module.path", "java.class.path")
                  .map(System::getProperty)
                  .filter(path -> path != null))
          .flatMap(paths -> paths)
          .reduce((a, b) -> a + File.pathSeparator + b)
          .orElseThrow();
    }
  }

  @Test
  void computesWithTheBindingOfCublas12() throws Exception {
    assertThat(run(List.of(), "", 12, "MatMul|Unary\\.TANH|Binary\\.ADD")).contains(" cases agree");
  }

  @Test
  void computesWithCublas13() throws Exception {
    assertThat(run(List.of("-Dcarousel.cuda.blocking=true"), "", 13, "MatMul|Copy.*|Cast.*"))
        .contains(" cases agree");
  }

  @Test
  void roundsOperandsIfAskedTo() throws Exception {
    List<String> flags = List.of("-Dcarousel.cuda.bf16=true");
    assertThat(run(flags, "", 12, "Unary\\.TANH")).contains(" cases agree");
    assertThat(run(flags, "", 13, "Unary\\.TANH")).contains(" cases agree");
  }

  @Test
  void saysThatAKernelFailed() throws Exception {
    assertThat(run(List.of(), "cuEventSynchronize:700", 13, "MatMul"))
        .contains("cuda:0: a kernel failed", "start the program again");
    assertThat(
            run(List.of("-Dcarousel.cuda.blocking=true"), "cuLaunchKernel:701", 13, "Unary\\.TANH"))
        .contains("a launch was refused", "the launch of fill_f32");
    assertThat(run(List.of(), "cuGraphLaunch:719", 13, "MatMul"))
        .contains("cuda:0: a kernel failed", "a replay");
    assertThat(run(List.of(), "cuGraphInstantiate:801", 13, "MatMul"))
        .contains("cuGraphInstantiate");
  }

  @Test
  void saysThatADeviceIsLostOrFull() throws Exception {
    assertThat(run(List.of(), "cuMemcpyHtoDAsync:999", 13, "MatMul"))
        .contains("the device is lost");
    assertThat(run(List.of(), "cuModuleLoadData:222", 13, "Unary\\.TANH"))
        .contains("does not accept the compiled kernels");
    assertThat(run(List.of(), "cuMemAllocHost:2", 13, "MatMul")).contains("cuda:0: out of memory");
  }
}
