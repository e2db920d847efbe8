package carousel.tensor.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import carousel.tensor.Device;
import carousel.tensor.contract.Combinations;
import carousel.tensor.contract.Contract;
import carousel.tensor.contract.GuardedMemory;
import carousel.tensor.contract.OpCase;
import carousel.tensor.contract.OpCases;
import carousel.tensor.host.HostMemory;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The contract of the rows for every family of loops, also those that this machine does not prefer. */
class KernelsContractTest {
  private static final int SHOWN = 8;
  private static final int SMALL = 300;

  @Test
  void everyRow() {
    List<GuardedMemory> memories = new ArrayList<>();
    List<Device> devices = new ArrayList<>();
    Operands.kernels()
        .forEach(kernels -> {
          var memory = new GuardedMemory(HostMemory.pool());
          memories.add(memory);
          devices.add(Device.of(kernels.description(), new CpuBackend(memory, kernels)));
        });
    List<String> wrong =
        OpCases.all()
            .filter(c -> c.operands().getFirst().shape().size() < SMALL)
            .flatMap(c -> Contract.violations(c, some(c, devices)).stream())
            .toList();
    assertThat(wrong.stream().limit(SHOWN)).as("%d cases fail", wrong.size()).isEmpty();
    for (int i = 0; i < devices.size(); i++) {
      assertThat(memories.get(i).damage())
          .as("written beyond a tensor on %s", devices.get(i))
          .isEmpty();
    }
  }

  /** The loops without vectors, and vectors of one width, another for the next case of a row. */
  private static List<Device> some(OpCase c, List<Device> devices) {
    List<Device> some = new ArrayList<>(devices.subList(0, 1));
    some.addAll(Combinations.oneOf(devices.subList(1, devices.size()), c.toString()));
    return some;
  }
}
