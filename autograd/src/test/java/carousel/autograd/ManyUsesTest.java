package carousel.autograd;

import static carousel.tensor.DType.F32;
import static org.assertj.core.api.Assertions.assertThat;

import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import carousel.tensor.spi.Memory;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A value that is used very often, as a weight is by the steps of a loop: its gradient is the sum over all uses. */
class ManyUsesTest {
  @ParameterizedTest
  @ValueSource(ints = {1, 63, 64, 65, 128, 4095, 4096, 4097, 20_000})
  void theGradientIsTheSumOverAllUses(int uses) {
    try (var scope = TensorScope.open()) {
      Tensor w = Tensor.full(F32, 1, 2);
      Memory memory = scope.device().backend().memory();
      long before = memory.inUse();
      try (var step = TensorScope.open()) {
        double actual = Grad.of(() -> used(w, uses), w).get(0).toDoubleArray()[1];
        double exact = uses * (double) 0.1f;
        // A chain of 20,000 such terms is off by 4e-5.
        assertThat(Math.abs(actual / exact - 1)).as("%d uses", uses).isLessThan(1e-6);
      }
      assertThat(memory.inUse()).isEqualTo(before);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {64, 200})
  void andCanBeDifferentiatedAgain(int uses) {
    try (var scope = TensorScope.open()) {
      Tensor w = Tensor.of(0.5, 2.0);
      Tensor v = Tensor.of(1.0, 1.0);
      Tensor second =
          Grad.hvp(
                  () -> {
                    Tensor sum = w.square().mul(w).sum();
                    for (int i = 1; i < uses; i++) {
                      sum = sum.add(w.square().mul(w).sum());
                    }
                    return sum;
                  },
                  List.of(w),
                  List.of(v))
              .get(0);
      double[] actual = second.toDoubleArray();
      assertThat(actual[0]).isEqualTo(uses * 6 * 0.5);
      assertThat(actual[1]).isEqualTo(uses * 6 * 2.0);
    }
  }

  private static Tensor used(Tensor w, int uses) {
    Tensor sum = w.mul(0.1).sum();
    for (int i = 1; i < uses; i++) {
      sum = sum.add(w.mul(0.1).sum());
    }
    return sum;
  }
}
