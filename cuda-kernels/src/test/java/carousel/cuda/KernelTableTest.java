package carousel.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import carousel.cuda.driver.KernelSource;
import carousel.cuda.emulator.EmulatedDriver;
import carousel.cuda.emulator.KernelDeclaration;
import carousel.cuda.launch.Kernel;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** The kernels that the families declare are those in the files, with the same parameters. */
class KernelTableTest {

  @TestFactory
  Stream<DynamicTest> matchesTheFiles() {
    Map<String, List<Kernel>> files =
        CudaBackend.kernels().collect(Collectors.groupingBy(Kernel::file));
    EmulatedDriver driver = Cuda.emulated();
    return files.entrySet().stream()
        .map(file ->
            DynamicTest.dynamicTest(
                file.getKey(), () -> matches(driver, file.getKey(), file.getValue())));
  }

  private static void matches(EmulatedDriver driver, String file, List<Kernel> kernels) {
    Map<String, KernelDeclaration> declared =
        driver.declarations(KernelSource.of(file)).stream()
            .collect(Collectors.toMap(KernelDeclaration::symbol, Function.identity()));
    assertThat(kernels.stream().map(Kernel::symbol))
        .containsExactlyInAnyOrderElementsOf(declared.keySet());
    for (Kernel kernel : kernels) {
      List<String> types = Objects.requireNonNull(declared.get(kernel.symbol())).types();
      assertThat(types).as("%s", kernel).hasSameSizeAs(kernel.parameters());
      for (int i = 0; i < types.size(); i++) {
        assertThat(kernel.parameters().get(i).accepts(types.get(i)))
            .as("%s, argument %d: %s", kernel, i, types.get(i))
            .isTrue();
      }
    }
  }
}
