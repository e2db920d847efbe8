package carousel.cuda.probe;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import carousel.cuda.driver.LibrarySearch;
import carousel.tensor.TensorException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a user is told who asks for a GPU that is not ready, and what doctor says of it. */
class GpuSetupTest {

  @TempDir Path folder;

  private static CudaReport.Ready ready(int version, GpuInfo... devices) {
    return new CudaReport.Ready("libcuda.so.1", version, List.of(devices));
  }

  private static GpuInfo device(int major, int minor) {
    return new GpuInfo(0, "Fake 0", major, minor, 100, 40L << 30);
  }

  private GpuSetup setup(CudaReport report, boolean bindings) {
    return new GpuSetup(report, new LibrarySearch(List.of(folder), 1, false), folder, bindings);
  }

  private static String refusal(GpuSetup setup, int index) {
    return String.valueOf(
        assertThatExceptionOfType(TensorException.class)
            .isThrownBy(() -> setup.open(index))
            .actual()
            .getMessage());
  }

  @Test
  void saysWhereItLookedForADriver() {
    var nothing = FakeDriver.searchIn(folder).nothing();

    assertThat(refusal(setup(nothing, true), 0))
        .startsWith("cuda:0: no driver library; looked for")
        .contains(folder.toString(), "install its driver");
    assertThat(setup(nothing, true).problems()).isEqualTo(nothing.advice());
  }

  @Test
  void saysWhatTheDriverAnswered() {
    var fails = new CudaReport.DriverFails("libcuda.so.1", "cuInit", 803, "CUDA_ERROR_MISMATCH");

    assertThat(refusal(setup(fails, true), 0))
        .contains("cuInit failed: CUDA_ERROR_MISMATCH (803)", "reboot");
  }

  @Test
  void asksForANewerDriver() {
    var setup = setup(ready(11040, device(9, 0)), true);

    assertThat(refusal(setup, 0)).contains("CUDA 11.4", "CUDA 12.0 or later");
    assertThat(setup.problems()).anyMatch(problem -> problem.contains("CUDA 11.4"));
  }

  @Test
  void refusesADeviceThatIsNotThere() {
    assertThat(refusal(setup(ready(13000, device(9, 0)), true), 3))
        .startsWith("cuda:3: there is no such device; the driver shows [device 0: Fake 0")
        .contains("CUDA_VISIBLE_DEVICES");
  }

  @Test
  void refusesADeviceThatIsTooOld() {
    var setup = setup(ready(12060, device(7, 0)), true);

    assertThat(refusal(setup, 0)).contains("compute capability 7.0", "7.5 (Turing) or later");
    assertThat(setup.problems()).anyMatch(problem -> problem.contains("7.5 (Turing)"));
  }

  @Test
  void asksForTheBindings() {
    var setup = setup(ready(13000, device(9, 0)), false);

    assertThat(refusal(setup, 0)).contains("org.jcuda:jcublas", "-Pcuda");
    assertThat(setup.problems()).anyMatch(problem -> problem.contains("org.jcuda:jcublas"));
    assertThat(setup.facts()).contains("JCuda is not there");
  }

  @Test
  void asksForLibrariesInTheSameWordsAsDoctor() throws Exception {
    Files.createFile(folder.resolve("libnvrtc.so.11"));
    var setup = setup(ready(12060, device(9, 0)), true);

    String refusal = refusal(setup, 0);
    assertThat(refusal)
        .startsWith(
            "cuda:0: NVRTC was not found: looked for libnvrtc.so.12 on the library path and in ")
        .contains(folder.resolve("libnvrtc.so.11") + " is there, but of another CUDA version")
        .contains("Install the CUDA toolkit 12", "-Dcarousel.cuda.libraries=");
    assertThat(setup.problems()).anyMatch(problem -> refusal.endsWith(problem));
    assertThat(setup.facts()).contains("NVRTC was not found", "cuBLAS was not found");
  }

  @Test
  void hasNothingToAskForWhereAllIsThere() throws Exception {
    FakeDriver.compile("fake_cublas.c", folder.resolve("libcublas.so.13"), Stream.of());
    FakeDriver.compile("fake_cublas.c", folder.resolve("libnvrtc.so.13"), Stream.of());
    var setup = setup(ready(13000, device(9, 0)), true);

    assertThat(setup.problems()).isEmpty();
    assertThat(setup.facts())
        .contains("cuBLAS 13: " + folder.resolve("libcublas.so.13"))
        .contains("compiled kernels are kept in " + folder);
  }
}
