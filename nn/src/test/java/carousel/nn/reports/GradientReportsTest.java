package carousel.nn.reports;

import static carousel.tensor.DType.F32;
import static carousel.tensor.DType.F64;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import carousel.autograd.Grad;
import carousel.autograd.Gradients;
import carousel.nn.Parameter;
import carousel.nn.layer.Embedding;
import carousel.tensor.DType;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import carousel.tensor.TensorException;
import carousel.tensor.TensorScope;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** What users of other frameworks reported of gradients at points that are not easy, tried here. */
class GradientReportsTest {
  private static final double INF = Double.POSITIVE_INFINITY;

  private TensorScope run;

  @BeforeEach
  void open() {
    run = TensorScope.open();
  }

  @AfterEach
  void close() {
    run.close();
  }

  private static Tensor gradient(UnaryOperator<Tensor> f, Tensor x) {
    return Grad.orZero(() -> f.apply(x).sum(), x).get(0);
  }

  /** f and its first derivatives at a point, elementwise. */
  private static List<double[]> derivatives(UnaryOperator<Tensor> f, int order, Tensor x) {
    List<double[]> all = new ArrayList<>(List.of(f.apply(x).toDoubleArray()));
    UnaryOperator<Tensor> g = f;
    for (int k = 1; k <= order; k++) {
      UnaryOperator<Tensor> below = g;
      g = t -> gradient(below, t);
      all.add(g.apply(x).toDoubleArray());
    }
    return all;
  }

  @Test
  @DisplayName("PyTorch 773, 106789, 82644: products with zeros, to third order")
  void products() {
    Tensor x = Tensor.of(2.0, 3, 0, 0);
    assertThat(gradient(Tensor::prod, x).toDoubleArray()).containsOnly(0);
    for (int i = 0; i < 4; i++) {
      int row = i;
      double[] h = gradient(t -> gradient(Tensor::prod, t).select(0, row), x).toDoubleArray();
      double[] wanted = {0, 0, 0, 0};
      if (i >= 2) {
        wanted[5 - i] = 6;
      }
      assertThat(h).containsExactly(wanted);
    }
    // ∂³/∂x₀∂x₂∂x₃ = x₁
    double[] third =
        gradient(t -> gradient(u -> gradient(Tensor::prod, u).select(0, 2), t).select(0, 3), x)
            .toDoubleArray();
    assertThat(third).containsExactly(3, 2, 0, 0);
    assertThat(gradient(t -> t.prod(0), Tensor.of(new double[] {0})).toDoubleArray())
        .containsExactly(1);
  }

  @Test
  @DisplayName("PyTorch 194699: a product of zeros and large numbers has the gradient 0, not 0·∞")
  void productsThatOverflow() {
    float h = 1e13f;
    Tensor x = Tensor.of(Shape.of(3, 3), h, 0, 0, h, h, 0, h, h, h);
    assertThat(x.prod().item()).isZero();
    assertThat(gradient(Tensor::prod, x).toDoubleArray()).containsOnly(0);
    for (int n = 3; n <= 9; n++) {
      for (int first = 0; first < n; first++) {
        for (int second = 0; second < n; second++) {
          if (first != second) {
            float[] values = new float[n];
            Arrays.fill(values, 1e38f);
            values[first] = 0;
            values[second] = 0;
            assertThat(gradient(Tensor::prod, Tensor.of(values)).toDoubleArray()).containsOnly(0);
          }
        }
      }
    }
  }

  @Test
  @DisplayName("PyTorch 31515, 31782: running sums and products of nothing")
  void nothing() {
    Tensor none = Tensor.zeros(F64, 2, 0);
    assertThat(gradient(t -> t.cumsum(1), none).shape()).isEqualTo(Shape.of(2, 0));
    assertThat(gradient(t -> t.prod(1), none).shape()).isEqualTo(Shape.of(2, 0));
    assertThat(none.prod(1).toDoubleArray()).containsExactly(1, 1);
    assertThat(gradient(t -> t.logSumExp(1), none).shape()).isEqualTo(Shape.of(2, 0));
    assertThat(gradient(t -> t.softmax(1), none).shape()).isEqualTo(Shape.of(2, 0));
    assertThat(gradient(t -> t.norm(1), none).shape()).isEqualTo(Shape.of(2, 0));
    assertThat(gradient(t -> t.sort(1, true).values(), none).shape()).isEqualTo(Shape.of(2, 0));
  }

  @Test
  @DisplayName("JAX 37821: relu and its relatives at 0; equal ones share, and the shares sum to 1")
  void ties() {
    Tensor zero = Tensor.of(0.0, -0.0);
    assertThat(gradient(Tensor::relu, zero).toDoubleArray()).containsOnly(0);
    assertThat(gradient(t -> t.maximum(0), zero).toDoubleArray())
        .containsExactly(gradient(t -> t.maximum(t.zerosLike()), zero).toDoubleArray());
    Tensor b = Tensor.of(0.0, 0.0);
    Gradients g = Grad.of(() -> zero.maximum(b).sum(), zero, b);
    assertThat(g.get(0).add(g.get(1)).toDoubleArray()).containsOnly(1);
    Tensor same = Tensor.full(F64, 7, 5);
    assertThat(gradient(Tensor::max, same).toDoubleArray()).containsOnly(0.2);
  }

  @Test
  @DisplayName("JAX 3058, TensorFlow 22048: a norm of zeros, and clipping by it")
  void norms() {
    Tensor x = Tensor.zeros(F64, 3);
    assertThat(gradient(Tensor::norm, x).toDoubleArray()).containsOnly(0);
    Gradients clipped = Grad.of(() -> x.square().sum(), x).clipNorm(1);
    assertThat(clipped.get(0).toDoubleArray()).containsOnly(0);
    // Below the limit clipping changes nothing, and so does not change the second derivative.
    assertThat(
            gradient(t -> Grad.of(() -> t.square().sum(), t).clipNorm(1).get(0), x).toDoubleArray())
        .containsOnly(2);
  }

  @Test
  @DisplayName("Nx 1779: clamp passes its gradient on once, whatever that is")
  void clamps() {
    Tensor x = Tensor.of(-2.0, -0.5, 0.5, 2.0);
    Tensor w = Tensor.of(-3.0, -0.25, 5.0, 7.0);
    assertThat(gradient(t -> t.clamp(-1, 1).mul(w), x).toDoubleArray())
        .containsExactly(0, -0.25, 5, 0);
    assertThat(gradient(t -> t.clamp(-1, 1).mul(w).mean(), x).toDoubleArray())
        .containsExactly(0, -0.0625, 1.25, 0);
  }

  @Test
  @DisplayName(
      "NNlib 671, JAX 2140, burn 5373, snntorch 427: softplus and sigmoid at 0 and far from it, to third order")
  void softplusAndSigmoid() {
    for (DType type : List.of(F32, F64)) {
      double ulp = type == F32 ? 1e-6 : 1e-14;
      Tensor x = Tensor.of(0.0, 2.5, -2.5, 100, -100, 1000, -1000, INF, -INF).cast(type);
      var softplus = derivatives(Tensor::softplus, 3, x);
      var logSigmoid = derivatives(t -> t.neg().softplus().neg(), 3, x);
      var sigmoid = derivatives(Tensor::sigmoid, 3, x);
      for (int i = 0; i < x.dim(0); i++) {
        double v = x.toDoubleArray()[i];
        double s = 1 / (1 + Math.exp(-v));
        double n = 1 / (1 + Math.exp(v)); // 1 − s, without cancellation
        double[] soft = {
          Math.max(v, 0) + Math.log1p(Math.exp(-Math.abs(v))), s, s * n, s * n * (n - s)
        };
        double[] log = {
          Math.min(v, 0) - Math.log1p(Math.exp(-Math.abs(v))), n, -s * n, -s * n * (n - s)
        };
        double[] sig = {s, s * n, s * n * (n - s), s * n * (1 - 6 * s * n)};
        for (int k = 0; k <= 3; k++) {
          close(softplus.get(k)[i], soft[k], ulp, "softplus", k, v);
          close(logSigmoid.get(k)[i], log[k], ulp, "logSigmoid", k, v);
          close(sigmoid.get(k)[i], sig[k], ulp, "sigmoid", k, v);
        }
      }
    }
  }

  private static void close(
      double got, double wanted, double bound, String what, int order, double at) {
    if (Double.isInfinite(wanted)) {
      assertThat(got).isEqualTo(wanted);
    } else {
      assertThat(got)
          .as("derivative %d of %s at %s", order, what, at)
          .isCloseTo(wanted, within(bound * Math.max(1, Math.abs(wanted))));
    }
  }

  @Test
  @DisplayName(
      "PyTorch 1631, 28716, 26302, 46585: what is looked up often adds up; padding stays as it is")
  void lookups() {
    Tensor x = Tensor.of(new double[] {0.1});
    Tensor dy = Tensor.of(0.2, 0.3);
    assertThat(gradient(t -> t.gather(Tensor.of(0, 0), 0).mul(dy), x).item())
        .isCloseTo(0.5, within(1e-15));

    var table = new Embedding(Parameter.of(Tensor.ones(F64, 10, 8)), OptionalInt.of(0));
    Tensor weight = table.weight().value();
    Tensor pads = Tensor.zeros(DType.I32, 1, 3000);
    assertThat(table.apply(pads).toDoubleArray()).containsOnly(1);
    assertThat(Grad.orZero(() -> table.apply(pads).sum(), weight).get(0).toDoubleArray())
        .containsOnly(0);
    Tensor mixed = Tensor.concat(List.of(pads, Tensor.full(DType.I32, 4, 1, 2000)), 1);
    double[] g = Grad.of(() -> table.apply(mixed).square().sum(), weight).get(0).toDoubleArray();
    for (int i = 0; i < g.length; i++) {
      assertThat(g[i]).isEqualTo(i / 8 == 4 ? 4000 : 0);
    }
  }

  @Test
  @DisplayName("PyTorch 31829, 49724, JAX 6811: log-space programs, in which −∞ is an ordinary 0")
  void logSpace() {
    Tensor none = Tensor.of(-INF, -INF, -INF);
    assertThat(none.logSumExp().item()).isEqualTo(-INF);
    assertThat(gradient(Tensor::logSumExp, none).toDoubleArray()).containsOnly(0);
    // (−∞ ⊕ −∞) ⊕ x = x
    Tensor x = Tensor.of(new double[] {2});
    Tensor minus = Tensor.of(new double[] {-INF});
    Gradients g =
        Grad.of(
            () -> {
              Tensor inner = Tensor.stack(List.of(minus, minus), 0).logSumExp(0);
              return Tensor.stack(List.of(inner, x), 0).logSumExp(0).sum();
            },
            minus,
            x);
    assertThat(g.value().item()).isEqualTo(2);
    assertThat(g.get(0).item()).isZero();
    assertThat(g.get(1).item()).isEqualTo(1);
    // A forward pass of a Markov chain, two states, that starts and stays in one of them.
    Tensor stay = Tensor.of(Shape.of(2, 2), 0.0, -INF, -INF, 0.0);
    Tensor e = Tensor.of(Shape.of(3, 2), -1.0, -2, -3, -4, -5, -6);
    Gradients chain =
        Grad.of(
            () -> {
              Tensor a = Tensor.of(0.0, -INF);
              for (int t = 0; t < 3; t++) {
                a = a.unsqueeze(1).add(stay).logSumExp(0).add(e.select(0, t));
              }
              return a.logSumExp();
            },
            e);
    assertThat(chain.value().item()).isEqualTo(-9);
    assertThat(chain.get(0).toDoubleArray()).containsExactly(1, 0, 1, 0, 1, 0);
    assertThat(Tensor.of(INF, 1.0).logSumExp().item()).isEqualTo(INF);
  }

  @Test
  @DisplayName(
      "PyTorch 41508, AllenNLP 890, burn 4697: a row that is masked whole does not spoil the others")
  void rowsThatAreMaskedWhole() {
    Tensor scores = Tensor.of(Shape.of(2, 3), 1.0, 2, 3, 4, 5, 6);
    Tensor allowed = Tensor.of(Shape.of(2, 3), true, true, false, false, false, false);
    Tensor use = Tensor.of(Shape.of(2, 1), true, false);
    double a = 1 / (1 + Math.exp(1));
    // Of a row of −∞ the softmax is NaN, as 0/0 is. It does not get past the mask to what was
    // masked,
    UnaryOperator<Tensor> plain = s -> Tensor.where(allowed, s, s.scalarLike(-INF)).softmax(1);
    assertThat(plain.apply(scores).select(0, 1).isNan().all().item()).isOne();
    assertThat(gradient(s -> plain.apply(s).select(1, 0), scores).toDoubleArray())
        .containsExactly(new double[] {a * (1 - a), -a * (1 - a), 0, 0, 0, 0}, within(1e-15));
    // nor into the sums that follow where such a row is replaced.
    UnaryOperator<Tensor> attention =
        s -> {
          Tensor masked = Tensor.where(allowed, s, s.scalarLike(-INF));
          Tensor safe = Tensor.where(allowed.any(1, true), masked, masked.scalarLike(0));
          return Tensor.where(use, safe.softmax(1), s.scalarLike(0));
        };
    assertThat(attention.apply(scores).toDoubleArray())
        .containsExactly(new double[] {a, 1 - a, 0, 0, 0, 0}, within(1e-15));
    assertThat(gradient(s -> attention.apply(s).narrow(1, 0, 1), scores).toDoubleArray())
        .containsExactly(new double[] {a * (1 - a), -a * (1 - a), 0, 0, 0, 0}, within(1e-15));
  }

  @Test
  @DisplayName("DL4J 8342: pieces that are stacked again, twice the same")
  void piecesTwice() {
    Tensor x = Tensor.of(Shape.of(1, 2), 2.0, 3);
    Tensor label = Tensor.of(Shape.of(1, 2), 1.0, 4);
    for (int i = 0; i < 3; i++) {
      Tensor g =
          gradient(
              t -> Tensor.stack(List.of(t.select(1, 0), t.select(1, 1)), 1).sub(label).square(), x);
      assertThat(g.toDoubleArray()).containsExactly(2, -2);
    }
  }

  private static void refused(String message, UnaryOperator<Tensor> f, Tensor x) {
    assertThatThrownBy(() -> gradient(f, x))
        .isInstanceOf(TensorException.class)
        .hasMessageContaining(message);
  }

  @Test
  @DisplayName(
      "PyTorch 36470, 55980, d2l 1103: results that are collected in a buffer, or changed afterwards, are refused")
  void writesWithinAProgram() {
    Tensor x = Tensor.of(1.0, 2, 3);
    // The loop of the report, by stack instead of a buffer, has the gradient of f(n) = σ(f(n − 1)
    // x).
    Tensor one = Tensor.full(F64, 1);
    refused(
        "none flows through a write",
        t -> {
          Tensor f = Tensor.ones(F64, 10);
          for (int i = 1; i < 10; i++) {
            f.select(0, i).assign(f.select(0, i - 1).mul(t).sigmoid());
          }
          return f;
        },
        one);
    Tensor stacked =
        gradient(
            t -> {
              List<Tensor> f = new ArrayList<>(List.of(Tensor.full(F64, 1)));
              for (int i = 1; i < 10; i++) {
                f.add(f.getLast().mul(t).sigmoid());
              }
              return Tensor.stack(f, 0);
            },
            one);
    double step = 1e-6;
    double slope = (chain(1 + step) - chain(1 - step)) / (2 * step);
    assertThat(stacked.item()).isCloseTo(slope, within(1e-9));

    refused("a result of the program", t -> change(t.mul(2)).mul(10), x);
    refused("a result of the program", t -> change(t), x); // by a view of the leaf
    refused("none flows through a write", t -> t.zerosLike().assign(t).mul(t), x);
    refused(
        "none flows through a write",
        t -> Grad.checkpoint(() -> t.zerosLike().assign(t).mul(t)),
        x);
    refused("a result of the program", t -> Grad.checkpoint(() -> change(t.mul(2)).mul(t)), x);
    refused("none flows through a write", t -> gradient(u -> u.zerosLike().assign(t).mul(u), t), x);

    Tensor seen = Tensor.zeros(F64, 3);
    Tensor g =
        gradient(
            t -> {
              Tensor y = t.square();
              seen.assign(y.detach());
              Grad.off(() -> seen.assign(seen.mul(10)));
              return y.mul(seen); // a constant
            },
            x);
    assertThat(g.toDoubleArray()).containsExactly(20, 160, 540);
  }

  private static Tensor change(Tensor t) {
    t.narrow(0, 0, 1).fill(0);
    return t;
  }

  private static double chain(double x) {
    double f = 1;
    double sum = f;
    for (int i = 1; i < 10; i++) {
      f = 1 / (1 + Math.exp(-f * x));
      sum += f;
    }
    return sum;
  }

  @Test
  @DisplayName("MLX 3668: a root of 0 behind a maximum")
  void rootOfZero() {
    Tensor xy = Tensor.of(Shape.of(3, 2), 0.0, 0, 3, 4, 0, 0);
    assertThat(gradient(t -> t.norm(1).maximum(1e-10), xy).toDoubleArray())
        .containsExactly(new double[] {0, 0, 0.6, 0.8, 0, 0}, within(1e-15));
    // The root itself has the slope ∞ at 0, and 0·∞ is NaN, as everywhere: what must not be 0 is
    // cut before it.
    assertThat(gradient(t -> t.square().sum(1).maximum(1e-20).sqrt(), xy).toDoubleArray())
        .containsExactly(new double[] {0, 0, 0.6, 0.8, 0, 0}, within(1e-15));
  }
}
