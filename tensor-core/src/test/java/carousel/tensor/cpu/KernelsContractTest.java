package carousel.tensor.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import carousel.tensor.Device;
import carousel.tensor.contract.Contract;
import carousel.tensor.contract.GuardedMemory;
import carousel.tensor.contract.OpCases;
import carousel.tensor.cpu.loop.Kernels;
import carousel.tensor.host.HostMemory;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The contract of the rows for every family of loops, also those that this machine does not prefer. */
class KernelsContractTest {
  private static final int SHOWN = 8;
  private static final int SMALL = 300;

  @ParameterizedTest
  @MethodSource("carousel.tensor.cpu.Operands#kernels")
  void everyRow(Kernels kernels) {
    var memory = new GuardedMemory(HostMemory.pool());
    Device device = Device.of(kernels.description(), new CpuBackend(memory, kernels));
    List<String> wrong =
        OpCases.all()
            .filter(c -> c.operands().getFirst().shape().size() < SMALL)
            .flatMap(c -> Contract.violations(c, device).stream())
            .toList();
    assertThat(wrong.stream().limit(SHOWN)).as("%d cases fail", wrong.size()).isEmpty();
    assertThat(memory.damage()).as("written beyond a tensor").isEmpty();
  }
}
