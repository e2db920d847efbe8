package carousel.tensor.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import carousel.tensor.DType;
import carousel.tensor.Device;
import carousel.tensor.contract.LongSums;
import carousel.tensor.cpu.loop.Kernels;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Long sums by every family of loops, on vectors of every width and without any. */
class LongSumKernelsTest {
  static Stream<Kernels> kernels() {
    return Operands.kernels();
  }

  @ParameterizedTest
  @MethodSource("kernels")
  void sumsDoNotGrowWorse(Kernels kernels) {
    var device = Device.of("long sums on " + kernels.description(), Operands.backend(kernels));
    for (DType type : new DType[] {DType.F32, DType.F64}) {
      assertThat(LongSums.violations(device, type, 72_000, 2)).as("%s", device).isEmpty();
    }
  }
}
