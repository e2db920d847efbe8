package carousel.cuda.driver;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import carousel.tensor.TensorException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** Compiling needs no GPU: runs wherever NVRTC is, as {@link LibrarySearch} finds it. */
class NvrtcTest {
  private static final List<Integer> TARGETS = List.of(75, 80, 90, 100);

  private static Nvrtc nvrtc() {
    var search = LibrarySearch.ofThisMachine();
    var found = search.find(CudaLibrary.Kind.NVRTC, LibrarySearch.MAJORS.getFirst());
    if (found.isEmpty()) {
      Assumptions.abort(
          "needs NVRTC, e.g. from org.bytedeco:cuda-redist: "
              + search.missing(CudaLibrary.Kind.NVRTC, LibrarySearch.MAJORS.getFirst()));
    }
    return new Nvrtc(found.get().symbols());
  }

  /** Each file for one target, in turn: nvcc, where it is, compiles all for all. */
  @TestFactory
  Stream<DynamicTest> compilesEveryFile() throws IOException {
    Nvrtc nvrtc = nvrtc();
    List<Integer> targets =
        Arrays.stream(nvrtc.capabilities()).boxed().filter(TARGETS::contains).toList();
    List<String> names = new ArrayList<>();
    try (var files = Files.newDirectoryStream(Path.of("src/main/cuda"), "*.cu")) {
      files.forEach(file -> names.add(file.getFileName().toString()));
    }
    return IntStream.range(0, names.size())
        .mapToObj(i -> {
          String name = names.get(i);
          int target = targets.get(i % targets.size());
          return DynamicTest.dynamicTest(
              name + " sm_" + target,
              () ->
                  assertThat(nvrtc.compile(KernelSource.of(name), target))
                      .startsWith(0x7F, 'E', 'L', 'F'));
        });
  }

  @Test
  void findsHeadersInMemory() {
    var source =
        new KernelSource(
            "a.cu",
            Map.of(
                "a.cu",
                    "#include \"h.cuh\"\nextern \"C\" __global__ void k(int *x) { *x = ANSWER; }",
                "h.cuh", "#define ANSWER 42"));

    assertThat(nvrtc().compile(source, 90)).isNotEmpty();
  }

  @Test
  void passesOnWhatTheCompilerSays() {
    var source = new KernelSource("bad.cu", Map.of("bad.cu", "__global__ void k() { nonsense; }"));
    Nvrtc nvrtc = nvrtc();

    assertThatExceptionOfType(TensorException.class)
        .isThrownBy(() -> nvrtc.compile(source, 90))
        .withMessageContaining("does not compile bad.cu for compute capability 9.0")
        .withMessageContaining("identifier \"nonsense\" is undefined");
  }

  @Test
  void makesPtxForADeviceItDoesNotKnow() {
    var source = new KernelSource("a.cu", Map.of("a.cu", "extern \"C\" __global__ void k() {}"));
    Nvrtc nvrtc = nvrtc();

    assertThat(new String(nvrtc.compile(source, 990), US_ASCII))
        .contains(".entry k")
        .endsWith("\0");
    assertThat(nvrtc.fingerprint(990)).contains(nvrtc.version(), "compute_");
    assertThat(nvrtc.fingerprint(90)).contains("sm_90");
    assertThatExceptionOfType(TensorException.class)
        .isThrownBy(() -> nvrtc.compile(source, 35))
        .withMessageContaining("the device has 3.5");
  }
}
