package carousel.cuda;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import carousel.autograd.Grad;
import carousel.cuda.driver.CubinCache;
import carousel.cuda.driver.Grid;
import carousel.cuda.emulator.EmulatedDriver;
import carousel.cuda.emulator.GuardedMemory;
import carousel.cuda.family.RandomLaunches;
import carousel.cuda.launch.Kernel;
import carousel.cuda.launch.Launcher;
import carousel.cuda.replay.CudaRecorder;
import carousel.nn.recurrent.Recurrent;
import carousel.tensor.Tensor;
import carousel.tensor.contract.OpCases;
import carousel.tensor.jvm.FreshJvm;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.assertj.core.api.Assertions;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;

/** AddressSanitizer sees what kernels read and write beyond their memory, in a JVM of its own. */
class SanitizerTest {
  /** Draws as many numbers as it is told into memory for seven. */
  static final class Draws {
    private Draws() {}

    /** Takes the number of elements. */
    public static void main(String... arguments) {
      EmulatedDriver driver = CudaProvider.emulated(true);
      var memory = new GuardedMemory(driver);
      long y = memory.allocate(7 * 4);
      Kernel uniform =
          RandomLaunches.kernels()
              .filter(kernel -> kernel.symbol().equals("random_uniform_f32"))
              .findFirst()
              .orElseThrow();
      new Launcher(new CudaRecorder(driver, memory))
          .call(uniform)
          .i64(1)
          .i64(0)
          .pointer(0)
          .pointer(y)
          .i64(Long.parseLong(arguments[0]))
          .start(Grid.of(1));
      System.getLogger("test").log(System.Logger.Level.INFO, "drawn");
    }
  }

  @Test
  void ofWhatIsThereNothingIsReported() throws Exception {
    assertThat(run(Draws.class, "7")).contains("drawn").doesNotContain("AddressSanitizer");
  }

  @Test
  void everyFamilyOfKernelsStaysWithinItsMemory() throws Exception {
    assertThat(run(SanitizedProgram.class, ""))
        .contains("all agree")
        .doesNotContain("AddressSanitizer");
  }

  @Test
  void oneElementTooManyIsReported() throws Exception {
    assertThat(run(Draws.class, "8"))
        .contains("AddressSanitizer: heap-buffer-overflow")
        .contains("random.cu")
        .contains("random_uniform_f32")
        .doesNotContain("drawn");
  }

  private static String run(Class<?> program, String argument)
      throws IOException, InterruptedException {
    Cuda.emulated(); // skips without a compiler
    String library = output(Map.of(), List.of("g++", "-print-file-name=libasan.so")).strip();
    if (!Path.of(library).isAbsolute() || !Files.exists(Path.of(library))) {
      Assumptions.abort("needs AddressSanitizer's library, libasan.so, which g++ does not find");
    }
    String classes =
        Stream.of(
                program,
                CudaBackend.class,
                Tensor.class,
                OpCases.class,
                Grad.class,
                Recurrent.class,
                Assertions.class)
            .map(FreshJvm::origin)
            .distinct()
            .collect(Collectors.joining(":"));
    return output(
        Map.of("LD_PRELOAD", library, "ASAN_OPTIONS", "detect_leaks=0:handle_segv=0"),
        List.of(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-Xmx512m",
            "-Duser.language=en",
            "--enable-native-access=ALL-UNNAMED",
            "--add-modules", // the CPU's kernels say which composites there are
            "jdk.incubator.vector",
            "-Dcarousel.cuda.cache=" + CubinCache.configured(),
            "-D" + CudaProvider.ASAN + "=true",
            "-cp",
            classes,
            program.getName(),
            argument));
  }

  private static String output(Map<String, String> environment, List<String> command)
      throws IOException, InterruptedException {
    ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
    builder.environment().putAll(environment);
    Process process = builder.start();
    String output = new String(process.getInputStream().readAllBytes(), UTF_8);
    process.waitFor();
    return output;
  }
}
