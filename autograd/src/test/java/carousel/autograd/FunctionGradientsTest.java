package carousel.autograd;

import static java.util.Map.entry;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import carousel.tensor.DType;
import carousel.tensor.Device;
import carousel.tensor.Philox;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import java.math.BigDecimal;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Gradients of functions that are made of rows where formulas break: zeros, ties, ends, infinities. */
class FunctionGradientsTest {
  private static final double INF = Double.POSITIVE_INFINITY;

  private TensorScope scope;

  @BeforeEach
  void open() {
    scope = TensorScope.open();
  }

  @AfterEach
  void close() {
    scope.close();
  }

  private static double[] gradient(UnaryOperator<Tensor> f, double... x) {
    Tensor at = Tensor.of(x);
    return Grad.orZero(() -> f.apply(at).sum(), at).get(0).toDoubleArray();
  }

  /** The gradient of {@code f}, as a function that can be differentiated again. */
  private static UnaryOperator<Tensor> slope(UnaryOperator<Tensor> f) {
    return x -> Grad.orZero(() -> f.apply(x).sum(), x).get(0);
  }

  /** Σ_j w_j Π_{k ≤ j} x_k by one x_i: the products without it. */
  private static double[] productSlopes(double[] x, double[] w) {
    double[] slopes = new double[x.length];
    for (int i = 0; i < x.length; i++) {
      double without = 1;
      for (int j = 0; j < x.length; j++) {
        without *= j == i ? 1 : x[j];
        slopes[i] += j >= i ? w[j] * without : 0;
      }
    }
    return slopes;
  }

  @Test
  void aRunningProductAtZeros() {
    double[] w = {1, -2, 3, 0.5, 2};
    for (double[] x :
        new double[][] {
          {2, 0, 3, -1, 4}, {0, 2, 3, 4, 5}, {2, 0, 0, 3, 1}, {0, 0, 0, 0, 0}, {1, 2, 3, 4, 0}
        }) {
      UnaryOperator<Tensor> f = y -> y.cumprod(0).mul(Tensor.of(w));
      assertThat(gradient(f, x)).isEqualTo(productSlopes(x, w));
      // A product is linear in each factor: its second derivatives are differences, exactly.
      double[] v = {1, 0.5, -2, 3, -1};
      double[] second = gradient(y -> slope(f).apply(y).mul(Tensor.of(v)), x);
      for (int i = 0; i < x.length; i++) {
        double[] up = x.clone();
        double[] down = x.clone();
        up[i]++;
        down[i]--;
        double[] above = productSlopes(up, w);
        double[] below = productSlopes(down, w);
        double expected = 0;
        for (int j = 0; j < x.length; j++) {
          expected += v[j] * (above[j] - below[j]) / 2;
        }
        assertThat(second[i]).isCloseTo(expected, within(1e-12));
      }
      GradCheck.standard()
          .withOrder(2)
          .run("cumprod", in -> in[0].cumprod(0), Tensor.of(x))
          .require();
    }
  }

  @Test
  void aLinearRecurrenceByItsFactorsAndItsStart() {
    Tensor a = Tensor.of(Shape.of(4, 2), 9.0, 9, 0, 0.5, -2, 0, 1, 1);
    Tensor b = Tensor.of(Shape.of(4, 2), 1.0, 2, 3, 4, 0, 0, -1, 1);
    GradCheck.standard()
        .withOrder(2)
        .run("linearScan", in -> in[0].linearScan(in[1], 0), a, b)
        .require();
    // The first factor is not read, infinite or not.
    Tensor open = a.copy();
    open.select(0, 0).fill(INF);
    var gradients = Grad.of(() -> open.linearScan(b, 0).sum(), open, b);
    assertThat(gradients.get(0).select(0, 0).toDoubleArray()).containsExactly(0, 0);
    assertThat(gradients.get(1).isFinite().all().item()).isEqualTo(1);
  }

  @Test
  void sharesOfALogarithmOfASum() {
    UnaryOperator<Tensor> f = x -> x.logAddExp(Tensor.of(1.0));
    // At a tie a half, and a quarter from there on: σ and its slopes.
    assertThat(gradient(f, 1)[0]).isEqualTo(0.5);
    assertThat(gradient(slope(f), 1)[0]).isEqualTo(0.25);
    assertThat(gradient(slope(slope(f)), 1)[0]).isCloseTo(0, within(1e-15));
    assertThat(gradient(f, -INF, INF, -800, 801)).containsExactly(0, 1, 0, 1);
    assertThat(gradient(slope(f), -INF, INF, 1e300)).containsOnly(0);
    assertThat(gradient(x -> x.logAddExp(x), -INF, 3)).containsExactly(1, 1);
    assertThat(gradient(x -> x.logCumSumExp(0).narrow(0, 2, 1), 2, 2, 2)[0])
        .isCloseTo(1 / 3.0, within(1e-15));
    assertThat(gradient(x -> x.logCumSumExp(0).narrow(0, 2, 1), -INF, -INF, 2))
        .containsExactly(0, 0, 1);
  }

  @Test
  void kinksHaveTheGradientThatIsStated() {
    assertThat(gradient(Tensor::hardTanh, -1, 1, 0, -INF, INF)).containsExactly(0, 0, 1, 0, 0);
    assertThat(gradient(Tensor::relu6, 0, 6, 3)).containsExactly(0, 0, 1);
    assertThat(gradient(Tensor::hardSwish, -3, 3, 0, -INF, INF)).containsExactly(0, 1, 0.5, 0, 1);
    assertThat(gradient(x -> x.softShrink(0.5), -0.5, 0.5, 2)).containsExactly(0, 0, 1);
    assertThat(gradient(x -> x.hardShrink(0.5), -0.5, 0.5, 2)).containsExactly(0, 0, 1);
    assertThat(gradient(x -> x.threshold(0.5, 9), 0.5, 1)).containsExactly(0, 1);
    assertThat(gradient(x -> x.celu(2), 0, 5, -INF)).containsExactly(1, 1, 0);
    assertThat(gradient(slope(x -> x.celu(2)), 3, INF, -INF)).containsOnly(0);
    assertThat(gradient(Tensor::logSigmoid, 0, -INF, INF)).containsExactly(0.5, 1, 0);
    assertThat(gradient(Tensor::softsign, 0, 1e200, -INF)).containsExactly(1, 0, 0);
    assertThat(gradient(x -> x.nanToNum(1, 2, 3), Double.NaN, INF, -INF, 4))
        .containsExactly(0, 0, 0, 1);
    assertThat(gradient(x -> x.cummax(0).values(), 1, 3, 3, 2)).containsExactly(1, 1, 2, 0);
  }

  /** At −∞ and ∞: value, slope, value, slope. */
  private record Limits(UnaryOperator<Tensor> of, double... numbers) {}

  private static final Map<String, Limits> ACTIVATIONS =
      new TreeMap<>(
          Map.ofEntries(
              entry("relu", new Limits(Tensor::relu, 0, 0, INF, 1)),
              entry("relu6", new Limits(Tensor::relu6, 0, 0, 6, 0)),
              entry("leakyRelu", new Limits(x -> x.leakyRelu(0.25), -INF, 0.25, INF, 1)),
              entry("elu", new Limits(x -> x.elu(2), -2, 0, INF, 1)),
              entry("celu", new Limits(x -> x.celu(2), -2, 0, INF, 1)),
              entry("silu", new Limits(Tensor::silu, 0, 0, INF, 1)),
              entry("mish", new Limits(Tensor::mish, 0, 0, INF, 1)),
              entry("gelu", new Limits(Tensor::gelu, 0, 0, INF, 1)),
              entry("geluTanh", new Limits(Tensor::geluTanh, 0, 0, INF, 1)),
              entry("sigmoid", new Limits(Tensor::sigmoid, 0, 0, 1, 0)),
              entry("tanh", new Limits(Tensor::tanh, -1, 0, 1, 0)),
              entry("softplus", new Limits(Tensor::softplus, 0, 0, INF, 1)),
              entry("logSigmoid", new Limits(Tensor::logSigmoid, -INF, 1, 0, 0)),
              entry("softsign", new Limits(Tensor::softsign, -1, 0, 1, 0)),
              entry("hardTanh", new Limits(x -> x.hardTanh(-1, 1), -1, 0, 1, 0)),
              entry("hardSigmoid", new Limits(Tensor::hardSigmoid, 0, 0, 1, 0)),
              entry("hardSwish", new Limits(Tensor::hardSwish, 0, 0, INF, 1))));

  /** Infinite, and finite so far out that parts of the formulas leave the range; 37 at once, for vectors and rest. */
  @Test
  void activationsHaveTheirLimitsAndTheSlopesOfThem() {
    for (Device device : Device.all()) {
      for (DType type : new DType[] {DType.F32, DType.F64}) {
        double far = type == DType.F32 ? 3e38 : 1e308;
        try (var on = TensorScope.open(device)) {
          ACTIVATIONS.forEach((name, limits) -> {
            for (double at : new double[] {-INF, -far, far, INF}) {
              Tensor x = Tensor.full(type, at, 37);
              var g = Grad.of(() -> limits.of.apply(x).narrow(0, 1, 36).sum(), x);
              Tensor y = limits.of.apply(x);
              String what = name + " at " + at + " of " + type + " on " + device.name();
              double value = limits.numbers[at < 0 ? 0 : 2];
              for (double v : y.toDoubleArray()) {
                if (Double.isInfinite(value) && !Double.isInfinite(at)) {
                  assertThat(v * Math.signum(value)).as(what).isGreaterThan(1e30);
                } else {
                  assertThat(v).as(what).isEqualTo(value, within(1e-6));
                }
              }
              assertThat(g.get(0).get(36))
                  .as("the slope of %s", what)
                  .isEqualTo(limits.numbers[at < 0 ? 1 : 3], within(1e-6));
            }
          });
        }
      }
    }
  }

  /** The slope of {@code a % b} by b is the whole quotient towards 0, which a division may round up. */
  @Test
  void aRemainderByItsDivisor() {
    checkRemainders();
  }

  static void checkRemainders() {
    double[] a = {1, -1, 1, 7, -7, 3.073110572007424E15, 0.3, 0};
    double[] b = {0.1, 0.1, -0.1, 2, -2, 0.75, 0.1, 3};
    Tensor divisor = Tensor.of(b);
    Tensor g = Grad.of(() -> Tensor.of(a).fmod(divisor).sum(), divisor).get(0);
    for (int i = 0; i < a.length; i++) {
      double quotient =
          new BigDecimal(a[i]).divideToIntegralValue(new BigDecimal(b[i])).doubleValue();
      assertThat(g.get(i)).as("%s %% %s", a[i], b[i]).isEqualTo(0 - quotient);
    }
  }

  /** In F32, where 1 − |x|/(1 + |x|) would have lost all of it. */
  @Test
  void aSmallSlopeKeepsItsDigits() {
    Tensor x = Tensor.of(1e8f, -1e6f);
    float[] slopes = Grad.of(() -> x.softsign().sum(), x).get(0).toFloatArray();
    assertThat(slopes[0]).isCloseTo(1e-16f, within(1e-22f));
    assertThat(slopes[1]).isCloseTo((float) (1 / (1000001.0 * 1000001)), within(1e-18f));
    Tensor z = Tensor.of(30f, -30f);
    float[] gates = Grad.of(() -> z.logSigmoid().sum(), z).get(0).toFloatArray();
    assertThat(gates[0]).isCloseTo((float) Math.exp(-30), within(1e-19f));
    assertThat(gates[1]).isEqualTo(1);
  }

  @Test
  void anEntropyAtZero() {
    assertThat(gradient(x -> x.xlogy(Tensor.of(0.0, 2, INF, -1)), 0, 0, 0, 0))
        .containsExactly(0, Math.log(2), 0, 0);
    assertThat(gradient(y -> Tensor.of(0.0, 0, 3).xlogy(y), 0, 2, 3)).containsExactly(0, 0, 1);
    assertThat(gradient(slope(y -> Tensor.of(0.0).xlogy(y)), 0)).containsExactly(0);
  }

  @Test
  void normsAtZeros() {
    for (double p : new double[] {0.5, 1, 1.5, 3, 10, INF}) {
      assertThat(gradient(x -> x.pNorm(p), 0, 0)).as("%s", p).doesNotContain(Double.NaN);
      double[] g = gradient(x -> x.pNorm(p), 0, -3);
      assertThat(g[0]).as("%s", p).isZero();
      assertThat(g[1]).as("%s", p).isCloseTo(-1, within(1e-15));
      double[] huge = gradient(x -> x.pNorm(p), 3e300, 4e300);
      if (p == 3) {
        assertThat(huge[0]).isCloseTo(9 / Math.pow(91, 2 / 3.0), within(1e-14));
      }
    }
    assertThat(gradient(slope(x -> x.pNorm(3)), 0, 0)).containsExactly(0, 0);
    // A point has the distance 0 to itself, and one of another: no NaN from the first.
    assertThat(gradient(x -> x.unsqueeze(1).distances(Tensor.of(Shape.of(2, 1), 1.0, 4)), 1, 7))
        .containsExactly(-1, 2);
  }

  @Test
  void anAngleAtTheOriginAndFarOut() {
    assertThat(gradient(a -> a.atan2(Tensor.of(0.0)), 0)).containsExactly(0);
    assertThat(gradient(a -> a.atan2(Tensor.of(1.0)), INF, -INF)).containsExactly(0, 0);
    assertThat(gradient(b -> Tensor.of(INF).atan2(b), 1, INF)).containsExactly(-0.0, -0.0);
    assertThat(gradient(slope(b -> Tensor.of(INF).atan2(b)), 1)[0]).isZero();
    assertThat(gradient(a -> a.atan2(Tensor.of(3e200)), 4e200)[0])
        .isCloseTo(3e200 / 25 / 1e200 / 1e200, within(1e-215));
    assertThat(gradient(b -> Tensor.of(4e-200).atan2(b), 3e-200)[0])
        .isCloseTo(-4 / 25.0 * 1e200, within(1e186));
    // At half an ulp below 1: 1/√(1 − x²), which 1 − x·x has lost half of.
    double x = Math.nextDown(1.0);
    assertThat(gradient(Tensor::asin, x)[0])
        .isCloseTo(1 / Math.sqrt(Math.ulp(x) * (1 + x)), within(1e-7));
  }

  @Test
  void anEinsumToSecondOrder() {
    var rng = Philox.of(1);
    Tensor a = rng.normal(DType.F64, 0, 1, 2, 3);
    Tensor b = rng.normal(DType.F64, 0, 1, 3, 1);
    Tensor c = rng.normal(DType.F64, 0, 1, 2, 2, 3);
    GradCheck.standard()
        .withOrder(2)
        .run("einsum", in -> Tensor.einsum("ij,jk,iik->k", in), a, b, c)
        .require();
    Tensor x = rng.normal(DType.F64, 0, 1, 3, 3);
    GradCheck.standard()
        .withOrder(2)
        .run("einsum of itself", in -> Tensor.einsum("ij,jk,kl->il", in[0], in[0], in[0]), x)
        .require();
  }
}
