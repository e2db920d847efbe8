package carousel.autograd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.assertj.core.api.Assertions.withinPercentage;

import carousel.tensor.DType;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Norms and products of which some part leaves the range of numbers, and the whole does not. */
class RangeTest {
  private TensorScope run;

  @BeforeEach
  void open() {
    run = TensorScope.open();
  }

  @AfterEach
  void close() {
    run.close();
  }

  /** Gradients that are their own values. */
  private static Gradients gradients(Tensor... wanted) {
    Tensor[] leaves = Arrays.stream(wanted).map(Tensor::zerosLike).toArray(Tensor[]::new);
    return Grad.of(
        () -> {
          Tensor loss = leaves[0].mul(wanted[0]).cast(DType.F64).sum();
          for (int i = 1; i < leaves.length; i++) {
            loss = loss.add(leaves[i].mul(wanted[i]).cast(DType.F64).sum());
          }
          return loss;
        },
        leaves);
  }

  /** 121 of them, in one tensor or in as many: {@code √121 · 3e38}. */
  @ParameterizedTest
  @ValueSource(ints = {1, 11, 121})
  void theNormOfGradientsMayBeGreaterThanAnyOfF32(int tensors) {
    Tensor[] all = new Tensor[tensors];
    Arrays.setAll(all, i -> Tensor.full(DType.F32, 3e38, 121 / tensors));
    Gradients g = gradients(all);
    assertThat(g.norm()).isCloseTo(11 * 3e38, withinPercentage(1e-4));
    Gradients clipped = g.clipNorm(1);
    assertThat(clipped.get(0).get(0)).isCloseTo(1 / 11.0, within(1e-6));
    assertThat(clipped.norm()).isCloseTo(1, within(1e-6));
  }

  @Test
  void theNormOfGradientsOfSeveralTypes() {
    Gradients g = gradients(Tensor.full(DType.F32, 3e38, 9), Tensor.full(DType.F64, 4e38, 9));
    assertThat(g.norm()).isCloseTo(15e38, withinPercentage(1e-4));
  }

  @Test
  void aWideNormHasTheGradientOfANormAndNoneAtTheOrigin() {
    Tensor x = Tensor.of(3f, 0f, -4f);
    assertThat(x.wideNorm().dtype()).isEqualTo(DType.F64);
    assertThat(Grad.of(x::wideNorm, x).get(0).toFloatArray()).containsExactly(0.6f, 0, -0.8f);
    Tensor zero = x.zerosLike();
    assertThat(Grad.of(zero::wideNorm, zero).get(0).toFloatArray()).containsExactly(0, 0, 0);
  }

  /** Factors that cancel, in every order; the gradient is the product of the others. */
  @ParameterizedTest
  @ValueSource(ints = {0, 1, 2, 3})
  void productsDoNotLeaveTheRangeOnTheWay(int order) {
    float[][] all = {
      {1e30f, 1e-30f, 1e30f, 1e-30f},
      {1e30f, 1e30f, 1e-30f, 1e-30f},
      {1e-30f, 1e-30f, 1e30f, 1e30f},
      {1e-38f, 1e30f, 1e38f, 1e-30f}
    };
    float[] x = all[order];
    Tensor product = Tensor.of(x).prod();
    assertThat(product.item()).isCloseTo(1, within(1e-6));
    Tensor leaf = Tensor.of(x);
    float[] g = Grad.of(leaf::prod, leaf).get(0).toFloatArray();
    for (int i = 0; i < x.length; i++) {
      assertThat((double) g[i]).isCloseTo(1.0 / x[i], withinPercentage(1e-3));
    }
    Tensor wide =
        Tensor.of(
            Shape.of(2, 2),
            Arrays.stream(new double[] {0, 1, 2, 3}).map(i -> Math.pow(x[(int) i], 8)).toArray());
    assertThat(wide.prod().item()).isCloseTo(1, within(1e-5));
    assertThat(wide.prod(new int[] {0, 1}, true).item()).isCloseTo(1, within(1e-5));
  }

  @Test
  void productsOfManyHalvesAndTwos() {
    int n = 3000;
    double[] x = new double[n];
    Arrays.setAll(x, i -> i < n / 2 ? 2 : 0.5);
    assertThat(Tensor.of(x).prod().item()).isEqualTo(1);
    Tensor leaf = Tensor.of(x);
    double[] g = Grad.of(leaf::prod, leaf).get(0).toDoubleArray();
    for (int i = 0; i < n; i++) {
      assertThat(g[i]).isEqualTo(1 / x[i]);
    }
    x[7] = 0;
    Tensor zero = Tensor.of(x);
    assertThat(zero.prod().item()).isZero();
    double[] others = Grad.of(zero::prod, zero).get(0).toDoubleArray();
    assertThat(others[7]).isEqualTo(0.5);
    assertThat(Arrays.stream(others).sum()).isEqualTo(0.5);
  }

  @Test
  void productsThatLeaveTheRangeDoSo() {
    assertThat(Tensor.of(1e30f, 1e30f).prod().item()).isEqualTo(Double.POSITIVE_INFINITY);
    assertThat(Tensor.of(-1e300, 1e300, 1e300).prod().item()).isEqualTo(Double.NEGATIVE_INFINITY);
    assertThat(Tensor.of(1e-300, 1e-300).prod().item()).isZero();
    assertThat(Tensor.of(1e-30f, 1e-30f).prod().item()).isZero();
    assertThat(Tensor.of(Double.MIN_VALUE, 0x1p1000, 0x1p74).prod().item()).isEqualTo(1);
    assertThat(Tensor.of(Double.MAX_VALUE, 1).prod().item()).isEqualTo(Double.MAX_VALUE);
    assertThat(Tensor.of(Double.NaN, 1).prod().item()).isNaN();
    assertThat(Tensor.of(Double.POSITIVE_INFINITY, 0).prod().item()).isNaN();
    assertThat(Tensor.of(Double.POSITIVE_INFINITY, -2).prod().item())
        .isEqualTo(Double.NEGATIVE_INFINITY);
    assertThat(Tensor.zeros(DType.F64, 0).prod().item()).isEqualTo(1);
  }

  /** {@code ∂²/∂x∂y} of a product of three is the third. */
  @Test
  void productsHaveSecondDerivatives() {
    Tensor x = Tensor.of(1e30, 2, 1e-30);
    Tensor v = Tensor.of(0.0, 1, 0);
    double[] hv = Grad.hvp(x::prod, List.of(x), List.of(v)).get(0).toDoubleArray();
    assertThat(hv).containsExactly(new double[] {1e-30, 0, 1e30}, within(1e15));
    assertThat(hv[0]).isCloseTo(1e-30, withinPercentage(1e-9));
  }

  @Test
  void standardDeviationsAreThoseOfTheirNumbers() {
    Tensor x = Tensor.of(Shape.of(2, 3), 1.0, 2, 4, -1, -1, -1);
    assertThat(x.std(1).toDoubleArray())
        .containsExactly(new double[] {Math.sqrt(7 / 3.0), 0}, within(1e-15));
    assertThat(x.std(1, true, 0).toDoubleArray())
        .containsExactly(new double[] {Math.sqrt(14 / 9.0), 0}, within(1e-15));
    assertThat(x.std(1, true, 0).shape()).isEqualTo(Shape.of(2, 1));
    assertThat(x.std().item()).isCloseTo(Math.sqrt(x.variance().item()), within(1e-15));
    // Squares of these are no F32; their spread beside their size is.
    assertThat(Tensor.of(1e30f, -1e30f).std(new int[0], false, 0).item())
        .isCloseTo(1e30, withinPercentage(1e-4));
    assertThat(Tensor.of(16777216f, 16777218f, 16777220f).variance().item()).isEqualTo(4);
    assertThat(Tensor.of(16777216f, 16777218f, 16777220f).std().item()).isEqualTo(2);
    assertThat(Tensor.of(5.0).std().item()).isNaN();
    assertThat(Tensor.of(5.0).std(new int[0], false, 0).item()).isZero();
  }

  /** At a deviation of 0 nothing flows, and nothing flows of that either. */
  @Test
  void nothingFlowsAtADeviationOfZero() {
    Tensor x = Tensor.of(3.0, 3, 3);
    assertThat(Grad.of(x::std, x).get(0).toDoubleArray()).containsExactly(0, 0, 0);
    Tensor second =
        Grad.orZero(() -> Grad.of(x::std, x).get(0).mul(Tensor.of(1.0, -2, 5)).sum(), x).get(0);
    assertThat(second.toDoubleArray()).containsExactly(0, 0, 0);
  }
}
