package carousel.tensor.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import carousel.tensor.DType;
import carousel.tensor.Engine;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import carousel.tensor.cpu.loop.Kernels;
import carousel.tensor.op.Ternary;
import carousel.tensor.op.Unary;
import carousel.tensor.reference.ReferenceBackend;
import carousel.tensor.spi.Backend;
import java.math.BigDecimal;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What is rounded twice on the way is wrong by a unit, or, where it underflows in between, by most of its bits. */
class RoundedOnceTest {
  private static final int SIZE = 500;

  static Stream<Backend> backends() {
    return Stream.concat(
        Stream.of(new ReferenceBackend()), Operands.kernels().map(RoundedOnceTest::backend));
  }

  private static Backend backend(Kernels kernels) {
    return Operands.backend(kernels);
  }

  /** a·b + c with a·b on the middle between two numbers, and c too small to be seen in double. */
  @ParameterizedTest
  @MethodSource("backends")
  void fmaOfF32(Backend backend) {
    var random = new SplittableRandom(1);
    try (var scope = TensorScope.open()) {
      Tensor a = Operands.empty(DType.F32, SIZE);
      Tensor b = Operands.empty(DType.F32, SIZE);
      Tensor c = Operands.empty(DType.F32, SIZE);
      for (long i = 0; i < SIZE; i++) {
        // (1 + 2⁻¹²·k)² ends in 2⁻²⁴ for odd k.
        double factor = 1 + (2 * random.nextInt(800) + 1) * 0x1p-12;
        Element.F32.set(Engine.address(a) + 4 * i, factor);
        Element.F32.set(Engine.address(b) + 4 * i, factor);
        Element.F32.set(Engine.address(c) + 4 * i, (random.nextBoolean() ? 1 : -1) * 0x1p-70);
      }
      Tensor y = Operands.empty(DType.F32, SIZE);
      backend.ternary(Ternary.FMA, a, b, c, y);
      double[] x = a.toDoubleArray();
      double[] more = c.toDoubleArray();
      double[] got = y.toDoubleArray();
      for (int i = 0; i < SIZE; i++) {
        var exact = new BigDecimal(x[i]).pow(2).add(new BigDecimal(more[i]));
        assertThat(got[i]).as("%s² + %s", x[i], more[i]).isEqualTo(exact.floatValue());
      }
    }
  }

  /** x·eˣ, which is a number where eˣ alone has lost most of its bits: (x·e^½ˣ)·e^½ˣ. */
  @ParameterizedTest
  @MethodSource("backends")
  void siluOfF64BelowTheSmallestSigmoid(Backend backend) {
    try (var scope = TensorScope.open()) {
      Tensor x = Operands.empty(DType.F64, SIZE);
      for (long i = 0; i < SIZE; i++) {
        Element.F64.set(Engine.address(x) + 8 * i, -690 - i * 0.125);
      }
      Tensor y = Operands.empty(DType.F64, SIZE);
      backend.unary(Unary.SILU, x, y);
      double[] at = x.toDoubleArray();
      double[] got = y.toDoubleArray();
      for (int i = 0; i < SIZE; i++) {
        double half = Math.exp(at[i] / 2);
        double expected = at[i] * half * half;
        assertThat(Math.abs(got[i] - expected) / Math.ulp(expected))
            .as("silu(%s) = %s, not %s", at[i], got[i], expected)
            .isLessThanOrEqualTo(6);
      }
    }
  }
}
