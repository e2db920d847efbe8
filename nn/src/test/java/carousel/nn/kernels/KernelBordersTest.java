package carousel.nn.kernels;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import carousel.nn.FusedContract;
import carousel.tensor.DType;
import carousel.tensor.Device;
import carousel.tensor.TensorScope;
import carousel.tensor.contract.Combinations;
import carousel.tensor.contract.GuardedMemory;
import carousel.tensor.cpu.CpuBackend;
import carousel.tensor.cpu.vector.VectorKernels;
import carousel.tensor.host.HostMemory;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Fused kernels of the CPU write nothing beyond their tensors, and read nothing that was not written: each
 * block of memory has borders, and is full of NaN at first.
 */
@Tag("cpu")
class KernelBordersTest {
  /**
   * Less than a vector, vectors and a rest, whole vectors; of every width there is. Each kernel in two of
   * the sizes, one of each type.
   */
  @ParameterizedTest
  @CsvSource({
    "0, F32, 1, 1, 128",
    "1, F64, 5, 3, 128",
    "2, F32, 9, 21, 256",
    "3, F64, 4, 8, 256",
    "4, F32, 5, 37, 512",
    "5, F64, 33, 16, 512"
  })
  void hold(int number, DType type, int inputs, int units, int bits) {
    assumeTrue(FusedContract.VECTORS, "no loops are made without the Vector API");
    var memory = new GuardedMemory(HostMemory.pool());
    var device = Device.of("guarded", new CpuBackend(memory, new VectorKernels(bits)));
    Map<String, Supplier<List<KernelCase>>> kernels = new FusedKernels(type, inputs, units).cases();
    List<String> names = List.copyOf(kernels.keySet());
    kernels.forEach((name, make) -> {
      if (!Combinations.isTried(3, number, names.indexOf(name))) {
        return;
      }
      try (var scope = TensorScope.open(device)) {
        for (KernelCase one : make.get()) {
          assertThat(one.differs(Runnable::run)).as("%s is wrong", name).isFalse();
          assertThat(memory.damage()).as("written beyond by %s", name).isEmpty();
        }
      }
    });
  }
}
