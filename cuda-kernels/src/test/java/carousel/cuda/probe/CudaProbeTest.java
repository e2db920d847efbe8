package carousel.cuda.probe;

import static carousel.cuda.probe.FakeDriver.NAME;
import static carousel.cuda.probe.FakeDriver.searchIn;
import static org.assertj.core.api.Assertions.assertThat;

import carousel.cuda.driver.LibrarySearch;
import carousel.tensor.spi.Probe;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.ServiceLoader;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CudaProbeTest {

  @TempDir Path folder;

  private CudaProbe probe() {
    return new CudaProbe(searchIn(folder), new LibrarySearch(List.of(), 0, false));
  }

  @Test
  void isFoundAsAServiceAndAnswersOnThisMachine() {
    CudaProbeTest.class.getModule().addUses(Probe.class);
    var findings =
        ServiceLoader.load(Probe.class).stream()
            .filter(provider -> provider.type() == CudaProbe.class)
            .map(provider -> provider.get().look())
            .toList();

    assertThat(findings).hasSize(1);
    var finding = findings.getFirst();
    assertThat(finding.subject()).isEqualTo("CUDA");
    assertThat(finding.facts()).isNotEmpty();
    if (!finding.found()) {
      assertThat(finding.advice()).isNotEmpty();
    }
  }

  @Test
  void describesEveryDeviceOfADriverThatAnswers() throws Exception {
    FakeDriver.build(folder);

    var report = probe().report();

    assertThat(report)
        .isEqualTo(
            new CudaReport.Ready(
                folder.resolve(NAME).toString(),
                12060,
                List.of(
                    new GpuInfo(0, "Fake 0", 9, 1, 100, 40L << 30),
                    new GpuInfo(1, "Fake 1", 9, 1, 101, 80L << 30))));
    assertThat(report.facts())
        .containsExactly(
            "driver " + folder.resolve(NAME) + ", for CUDA 12.6",
            "device 0: Fake 0, compute capability 9.1, 100 SMs, 40.0 GiB",
            "device 1: Fake 1, compute capability 9.1, 101 SMs, 80.0 GiB");
    assertThat(report.advice()).isEmpty();
    assertThat(probe().look().facts()).containsAll(report.facts());
  }

  @Test
  void asksForANewerDriverWhereItIsTooOld() throws Exception {
    FakeDriver.build(folder, "VERSION=11040");

    var report = probe().report();

    assertThat(report).isInstanceOf(CudaReport.Ready.class);
    assertThat(report.advice()).singleElement().asString().contains("CUDA 11.4", "CUDA 12.0");
  }

  @Test
  void namesTheCallAndTheErrorOfADriverThatFails() throws Exception {
    FakeDriver.build(folder, "INIT=100");

    CudaProbe probe = probe();

    assertThat(probe.report())
        .isEqualTo(
            new CudaReport.DriverFails(
                folder.resolve(NAME).toString(), "cuInit", 100, "CUDA_ERROR_NO_DEVICE"));
    assertThat(probe.look().found()).isFalse();
    assertThat(probe.look().facts()).contains("cuInit failed: CUDA_ERROR_NO_DEVICE (100)");
    assertThat(probe.look().advice()).singleElement().asString().contains("CUDA_VISIBLE_DEVICES");
  }

  @Test
  void givesEachFamiliarErrorItsOwnAdvice() {
    assertThat(advice(34)).contains("stub");
    assertThat(advice(803)).contains("reboot");
    assertThat(advice(999)).contains("nvidia-smi");
  }

  private static String advice(int code) {
    return String.join("", new CudaReport.DriverFails(NAME, "cuInit", code, "E").advice());
  }

  @Test
  void takesNoDevicesForAFailure() throws Exception {
    FakeDriver.build(folder, "COUNT=0");

    assertThat(probe().report())
        .isInstanceOfSatisfying(
            CudaReport.DriverFails.class,
            fails -> assertThat(fails.call()).isEqualTo("cuDeviceGetCount"));
  }

  @Test
  void survivesALibraryWithoutTheFunctions() throws Exception {
    FakeDriver.build(folder, "WITHOUT_INIT");

    assertThat(probe().report().facts())
        .contains("cuInit failed: no such function in this library (-1)");
  }

  @Test
  void saysWhereItLookedWhenThereIsNoDriver() {
    var report = probe().report();

    assertThat(report.facts()).singleElement().asString().contains(NAME, folder.toString());
    assertThat(report.advice()).singleElement().asString().startsWith("Nothing to do unless");
  }

  @Test
  void knowsAContainerThatWasStartedWithoutItsGpu() throws Exception {
    FakeDriver.write(folder.resolve("proc/driver/nvidia/version"), "NVRM version: 570\n");

    var report = probe().report();

    assertThat(report.facts()).anyMatch(fact -> fact.contains("kernel module is loaded"));
    assertThat(report.advice()).singleElement().asString().contains("--gpus all");
  }

  @Test
  void knowsAGpuThatHasNoDriver() throws Exception {
    FakeDriver.write(folder.resolve("sys/bus/pci/devices/a/vendor"), "0x10de\n");
    FakeDriver.write(folder.resolve("sys/bus/pci/devices/a/class"), "0x030200\n");

    var report = probe().report();

    assertThat(report.facts()).anyMatch(fact -> fact.contains("on the PCI bus"));
    assertThat(report.advice()).singleElement().asString().contains("Install NVIDIA's driver");
  }

  @Test
  void doesNotTakeAnotherVendorsDisplayForAGpu() throws Exception {
    FakeDriver.write(folder.resolve("sys/bus/pci/devices/a/vendor"), "0x8086\n");
    FakeDriver.write(folder.resolve("sys/bus/pci/devices/a/class"), "0x030000\n");
    FakeDriver.write(folder.resolve("sys/bus/pci/devices/b/vendor"), "0x10de\n");
    FakeDriver.write(folder.resolve("sys/bus/pci/devices/b/class"), "0x040300\n"); // its sound

    assertThat(probe().report().facts()).hasSize(1);
  }

  @Test
  void mentionsALibraryThatCannotBeLoaded() throws Exception {
    Files.writeString(folder.resolve(NAME), "not an ELF file");

    assertThat(searchIn(folder).nothing().facts())
        .anyMatch(fact -> fact.contains("cannot be loaded"));
  }

  @Test
  void asksEachSystemForItsOwnLibrary() {
    assertThat(DriverSearch.on("Windows 11").name()).isEqualTo("nvcuda.dll");
    assertThat(DriverSearch.on("Linux").name()).isEqualTo("libcuda.so.1");
    assertThat(DriverSearch.on("Linux").places()).contains("/usr/lib/wsl/lib");
  }
}
