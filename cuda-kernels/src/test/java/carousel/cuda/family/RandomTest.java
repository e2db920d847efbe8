package carousel.cuda.family;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import carousel.cuda.Cuda;
import carousel.tensor.DType;
import carousel.tensor.Device;
import carousel.tensor.Philox;
import carousel.tensor.Shape;
import carousel.tensor.TensorScope;
import carousel.tensor.op.Distribution;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The device draws the numbers that the CPU draws. */
@Tag(Cuda.DEVICE)
class RandomTest {
  private static final long SEED = 0x123456789ABCDEF0L;
  private static final long COUNTER = 0xFFFF_FFF0L; // carries into the upper word

  private static double[] draw(Device device, Distribution d, DType type, int n) {
    try (var scope = TensorScope.open(device)) {
      return Philox.at(SEED, COUNTER).draw(d, type, Shape.of(n)).toDoubleArray();
    }
  }

  private static boolean[] flip(Device device, double probability, int n) {
    try (var scope = TensorScope.open(device)) {
      return Philox.at(SEED, COUNTER).bernoulli(probability, n).toBooleanArray();
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 2, 3, 5, 207, 70_001})
  void uniformNumbersAreTheSameBitForBit(int n) {
    for (DType type : new DType[] {DType.F32, DType.F64}) {
      assertThat(draw(Cuda.device(), Distribution.UNIFORM, type, n))
          .containsExactly(draw(Device.cpu(), Distribution.UNIFORM, type, n));
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 2, 3, 5, 207, 70_001})
  void normalNumbersAreTheSameButForTheLibrary(int n) {
    for (DType type : new DType[] {DType.F32, DType.F64}) {
      double[] actual = draw(Cuda.device(), Distribution.NORMAL, type, n);
      double[] wanted = draw(Device.cpu(), Distribution.NORMAL, type, n);
      assertThat(actual).hasSameSizeAs(wanted);
      for (int i = 0; i < n; i++) {
        double ulp = type == DType.F32 ? Math.ulp((float) wanted[i]) : Math.ulp(wanted[i]);
        assertThat(actual[i]).as("%s %d", type, i).isCloseTo(wanted[i], within(4 * ulp));
      }
    }
  }

  @ParameterizedTest
  @ValueSource(doubles = {0, 0x1p-24, 0.1, 0.5, 1 - 0x1p-24, 1})
  void flipsAreTheSame(double probability) {
    assertThat(flip(Cuda.device(), probability, 4099))
        .containsExactly(flip(Device.cpu(), probability, 4099));
  }
}
