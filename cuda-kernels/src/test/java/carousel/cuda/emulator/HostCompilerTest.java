package carousel.cuda.emulator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carousel.cuda.driver.KernelSource;
import carousel.tensor.TensorException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Compiled kernels are kept, found again, and never half done. */
class HostCompilerTest {
  private static final KernelSource KERNEL = TestKernel.source("y[threadIdx.x] = 1;");

  @TempDir Path cache;

  private HostCompiler compiler() {
    TestKernel.on(cache, false); // skips without a compiler
    return new HostCompiler("g++", false, cache);
  }

  private List<Path> files() throws IOException {
    try (Stream<Path> files = Files.list(cache)) {
      return files.filter(f -> f.getFileName().toString().startsWith("test-")).toList();
    }
  }

  @Test
  void whatIsCompiledIsFoundAgain() throws IOException {
    Path library = compiler().kernels(KERNEL);
    var when = Files.getLastModifiedTime(library);
    assertThat(compiler().kernels(KERNEL)).isEqualTo(library);
    assertThat(Files.getLastModifiedTime(library)).isEqualTo(when);
    assertThat(files()).containsExactly(library);
  }

  @Test
  void anotherSourceOrOtherFlagsGiveAnotherLibrary() throws IOException {
    Path library = compiler().kernels(KERNEL);
    Path other = compiler().kernels(TestKernel.source("y[threadIdx.x] = 2;"));
    Path sanitized = new HostCompiler("g++", true, cache).kernels(KERNEL);
    assertThat(files()).containsExactlyInAnyOrder(library, other, sanitized);
  }

  @Test
  void severalMayCompileAtOnce() throws Exception {
    HostCompiler compiler = compiler();
    try (ExecutorService threads = Executors.newFixedThreadPool(4)) {
      Callable<Path> build = () -> compiler.kernels(KERNEL);
      List<Path> built =
          threads.invokeAll(List.of(build, build, build, build)).stream()
              .map(Future::resultNow)
              .toList();
      assertThat(built).containsOnly(built.getFirst());
      assertThat(files()).containsExactly(built.getFirst());
    }
    assertThat(cache).isDirectoryNotContaining("glob:**build-*");
  }

  @Test
  void declarationsAreReadWithMacrosExpanded() {
    var ternary = KernelSource.of("ternary.cu");
    assertThat(compiler().declarations(ternary))
        .contains(
            new KernelDeclaration(
                "ternary_where_bool",
                List.of("const u8*", "const u8*", "const u8*", "u8*", "Positions<4>")));
  }

  @Test
  void aMissingCompilerSaysWhatToInstall() {
    assertThatThrownBy(() -> new HostCompiler("no-such-g++", false, cache))
        .isInstanceOf(TensorException.class)
        .hasMessageContaining("'no-such-g++', which cannot be started")
        .hasMessageContaining("install g++ 11 or later")
        .hasMessageContaining("-Dcarousel.cuda.emulator.compiler=");
  }

  @Test
  void aCacheThatCannotBeWrittenSaysHowToNameAnother() throws IOException {
    HostCompiler compiler = compiler();
    Path file = Files.createFile(cache.resolve("file"));
    var other = new HostCompiler("g++", false, file);
    assertThatThrownBy(() -> other.kernels(KERNEL))
        .isInstanceOf(TensorException.class)
        .hasMessageContaining("cannot write compiled kernels to " + file)
        .hasMessageContaining("-Dcarousel.cuda.cache=");
    assertThat(compiler.kernels(KERNEL)).exists();
  }
}
