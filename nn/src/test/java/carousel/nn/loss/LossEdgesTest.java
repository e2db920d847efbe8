package carousel.nn.loss;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.assertj.core.api.Assertions.withinPercentage;

import carousel.autograd.Grad;
import carousel.autograd.GradCheck;
import carousel.nn.FusedContract;
import carousel.tensor.DType;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import carousel.tensor.op.Interpreter;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Losses where a logarithm is infinite, a share is 0 or nearly 1, or a row does not count. */
class LossEdgesTest {
  private static final double INF = Double.POSITIVE_INFINITY;
  private static final int NO = CrossEntropy.IGNORED;

  private TensorScope run;

  @BeforeEach
  void open() {
    run = TensorScope.open();
  }

  @AfterEach
  void close() {
    run.close();
  }

  private static double[] doubles(Tensor x) {
    return x.cast(DType.F64).toDoubleArray();
  }

  private static Tensor of(DType type, double... values) {
    return Tensor.of(values).cast(type);
  }

  /** The gradient of the sum. */
  private static Tensor slope(UnaryOperator<Tensor> loss, Tensor x) {
    return Grad.of(() -> loss.apply(x).sum(), x).get(0);
  }

  @ParameterizedTest
  @EnumSource(names = {"F32", "F64"})
  void noLogarithmOfAProbabilityIsBelowMinusOneHundred(DType type) {
    Tensor p = of(type, 1, 0, 1, 0, 1e-44, 1e-300, 0.25, 0.25);
    Tensor y = of(type, 0, 1, 1, 0, 1, 1, 1, 0);
    double[] losses = doubles(Loss.binary(p, y, Reduction.NONE));
    double small = doubles(p)[4] < Math.exp(-100) ? 100 : -Math.log(doubles(p)[4]);
    assertThat(losses[4]).isCloseTo(small, withinPercentage(1e-4));
    losses[4] = 0;
    assertThat(losses)
        .containsExactly(
            new double[] {100, 100, 0, 0, 0, 100, -Math.log(0.25), -Math.log(0.75)}, within(1e-7));
    double[] slopes = doubles(slope(x -> Loss.binary(x, y, Reduction.NONE), p));
    assertThat(slopes)
        .as("what is cut has no gradient, and 1/p and 1/(1 − p) are those of the rest")
        .containsExactly(new double[] {0, 0, -1, 1, slopes[4], 0, -4, 4 / 3.0}, within(1e-6));
    assertThat(slopes[4]).isNotNaN();
  }

  /** {@code 1 − p} would be 1, and the loss 0. */
  @Test
  void aSmallProbabilityOfWhatIsNotSoHasItsLoss() {
    Tensor p = Tensor.of(1e-10f);
    assertThat(Loss.binary(p, p.zerosLike(), Reduction.SUM).item())
        .isCloseTo(1e-10, withinPercentage(1e-4));
  }

  @ParameterizedTest
  @EnumSource(names = {"F32", "F64"})
  void aSureLogitCostsNothingWhereItIsRightAndAllWhereItIsWrong(DType type) {
    for (Interpreter by : List.of(Interpreter.EAGER, FusedContract.BODIES)) {
      by.run(() -> {
        Tensor x = of(type, INF, -INF, INF, -INF, INF, -INF, 1e30, -1e30, 0);
        Tensor y = of(type, 1, 0, 0, 1, 0.5, 0.5, 1, 0, 0);
        UnaryOperator<Tensor> loss = v -> Loss.bceWithLogits(v, y, Reduction.NONE);
        assertThat(doubles(loss.apply(x)))
            .containsExactly(
                new double[] {0, 0, INF, INF, INF, INF, 0, 0, Math.log(2)}, within(1e-7));
        // σ(x) − y.
        assertThat(doubles(slope(loss, x))).containsExactly(0, 0, 1, -1, 0.5, -0.5, 0, 0, 0.5);
        // A positive that does not count is worth 0, however wrong.
        Tensor none = x.zerosLike();
        assertThat(
                doubles(
                    Loss.bceWithLogits(of(type, -INF), of(type, 1), of(type, 0), Reduction.NONE)))
            .containsExactly(0);
        assertThat(doubles(Grad.of(() -> Loss.bceWithLogits(none, y, Reduction.SUM), y).get(0)))
            .as("by the targets: −x")
            .containsOnly(0);
        return null;
      });
    }
  }

  private static final double[] P = {0.5, 0.25, 0.25, 0, 1, 0, 0, 0.75, 0.25};
  private static final double[] Q = {0.25, 0.25, 0.5, 0.5, 0.5, 0, 0.25, 0.25, 0.5};

  /** What PyTorch's sum and batchmean are; where p is 0, q may be 0, and its logarithm −∞. */
  @ParameterizedTest
  @EnumSource(names = {"F32", "F64"})
  void divergencesOfDistributions(DType type) {
    Tensor p = Tensor.of(Shape.of(3, 3), P).cast(type);
    Tensor logQ = Tensor.of(Shape.of(3, 3), Q).log().cast(type);
    double[] expected = new double[3];
    double[] slopes = new double[9];
    for (int i = 0; i < 9; i++) {
      expected[i / 3] += P[i] == 0 ? 0 : P[i] * Math.log(P[i] / Q[i]);
      slopes[i] = -P[i];
    }
    Tensor logP = p.log();
    double mean = (expected[0] + expected[1] + expected[2]) / 3;
    for (Interpreter by : List.of(Interpreter.EAGER, FusedContract.BODIES)) {
      by.run(() -> {
        assertThat(doubles(Loss.kl(logQ, p, Reduction.NONE)))
            .containsExactly(expected, within(1e-6));
        assertThat(doubles(Loss.klOfLogs(logQ, logP, Reduction.NONE)))
            .containsExactly(expected, within(1e-6));
        assertThat(Loss.kl(logQ, p).item()).isCloseTo(mean, within(1e-6));
        assertThat(doubles(slope(v -> Loss.kl(v, p, Reduction.NONE), logQ)))
            .containsExactly(slopes, within(1e-6));
        assertThat(doubles(slope(v -> Loss.klOfLogs(v, logP, Reduction.NONE), logQ)))
            .containsExactly(slopes, within(1e-6));
        // p (ln p − ln q + 1); 0 where p is.
        double[] byTarget = doubles(slope(v -> Loss.klOfLogs(logQ, v, Reduction.NONE), logP));
        for (int i = 0; i < 9; i++) {
          double right = P[i] == 0 ? 0 : P[i] * (Math.log(P[i] / Q[i]) + 1);
          assertThat(byTarget[i]).isCloseTo(right, within(1e-6));
        }
        return null;
      });
    }
    assertThat(doubles(Loss.kl(of(type, -INF, 0), of(type, 0.5, 0.5), Reduction.SUM)))
        .as("what the model holds to be impossible")
        .containsExactly(INF);
  }

  /** By the integral of p ln(p/q), over ±12 deviations. */
  @Test
  void divergencesOfGaussians() {
    double[] mu = {0.3, -1, 0};
    double[] logVariance = {0.5, -2, 1e-5};
    double[] nu = {1, -1.5, 0};
    double[] otherLogVariance = {-0.4, 0.7, 0};
    double standard = 0;
    double other = 0;
    for (int i = 0; i < 3; i++) {
      standard += integral(mu[i], logVariance[i], 0, 0);
      other += integral(mu[i], logVariance[i], nu[i], otherLogVariance[i]);
    }
    Tensor m = Tensor.of(Shape.of(1, 3), mu);
    Tensor v = Tensor.of(Shape.of(1, 3), logVariance);
    assertThat(Loss.klGaussian(m, v, Reduction.MEAN).item()).isCloseTo(standard, within(1e-9));
    assertThat(
            Loss.klGaussian(
                    m,
                    v,
                    Tensor.of(Shape.of(1, 3), nu),
                    Tensor.of(Shape.of(1, 3), otherLogVariance),
                    Reduction.SUM)
                .item())
        .isCloseTo(other, within(1e-9));
    GradCheck.standard()
        .withOrder(2)
        .run("klGaussian", in -> Loss.klGaussian(in[0], in[1], in[1], in[0], Reduction.SUM), m, v)
        .require();
    // ½ (e^v − 1 − v) = v²/4.
    assertThat(Loss.klGaussian(Tensor.of(0f), Tensor.of(1e-4f), Reduction.SUM).item())
        .isCloseTo(0.25e-8, withinPercentage(1));
  }

  /** {@code ½ (σ²/τ² − 1 − ln(σ²/τ²) + (μ − ν)²/τ²)}, where 1/τ² is beyond the type and the parts are not. */
  @ParameterizedTest
  @EnumSource(
      value = DType.class,
      names = {"F32", "F64"})
  void divergencesOfNarrowGaussians(DType type) {
    double far = type == DType.F32 ? 1 : 8;
    for (double log : new double[] {0, -80, -90, -100, -160, -200, -400, -3000, 80, 90, 100}) {
      for (double shift : new double[] {0, -5, 2}) {
        for (double apart : new double[] {0, 3, -0.5}) {
          double other = fit(type, log * far);
          double variance = fit(type, other + shift);
          double between = fit(type, apart * Math.exp(Math.max(other / 2, -80 * far)));
          Tensor mean = of(type, between);
          Tensor logVariance = of(type, variance);
          Tensor otherMean = of(type, 0);
          Tensor otherLog = of(type, other);
          var got =
              Grad.of(
                  () -> Loss.klGaussian(mean, logVariance, otherMean, otherLog, Reduction.SUM),
                  mean,
                  logVariance,
                  otherMean,
                  otherLog);
          double ratio = variance - other;
          double z =
              between == 0
                  ? 0
                  : Math.signum(between) * Math.exp(Math.log(Math.abs(between)) - other / 2);
          double slope =
              between == 0
                  ? 0
                  : Math.signum(between) * Math.exp(Math.log(Math.abs(between)) - other);
          String what = type + " ln τ² = " + other + ", ln σ² = " + variance + ", μ = " + between;
          near(type, what, got.value().item(), 0.5 * (Math.expm1(ratio) - ratio + z * z));
          near(type, what, got.get(0).item(), slope);
          near(type, what, got.get(1).item(), 0.5 * Math.expm1(ratio));
          near(type, what, got.get(2).item(), -slope);
          near(type, what, got.get(3).item(), -0.5 * (Math.expm1(ratio) + z * z));
        }
      }
    }
  }

  private static double fit(DType type, double x) {
    return type == DType.F32 ? (float) x : x;
  }

  /** Equal to some roundings; beyond the type infinite. */
  private static void near(DType type, String what, double actual, double wanted) {
    double most = type == DType.F32 ? Float.MAX_VALUE : Double.MAX_VALUE;
    if (Math.abs(wanted) > most) {
      assertThat(actual).as(what).isEqualTo(Math.signum(wanted) * INF);
    } else {
      double relative = type == DType.F32 ? 1e-4 : 1e-11;
      assertThat(actual)
          .as(what)
          .isCloseTo(
              wanted, within(relative * Math.abs(wanted) + (type == DType.F32 ? 1e-7 : 1e-15)));
    }
  }

  private static double integral(
      double mu, double logVariance, double nu, double otherLogVariance) {
    double sigma = Math.exp(logVariance / 2);
    double sum = 0;
    double step = 1e-3;
    for (double z = -12; z < 12; z += step) {
      double x = mu + sigma * z;
      double logP = -z * z / 2 - logVariance / 2;
      double w = (x - nu) * Math.exp(-otherLogVariance / 2);
      double logQ = -w * w / 2 - otherLogVariance / 2;
      sum += Math.exp(-z * z / 2) / Math.sqrt(2 * Math.PI) * step * (logP - logQ);
    }
    return sum;
  }

  /** A loss without a reduction is the mean of the one with. */
  @Test
  void shortFormsAreMeans() {
    Tensor x = Tensor.of(0.1, 0.7, 0.4);
    Tensor y = Tensor.of(0.9, 0.2, 0.4);
    same(Loss.l1(x, y), Loss.l1(x, y, Reduction.NONE).mean());
    same(Loss.mse(x, y), Loss.mse(x, y, Reduction.NONE).mean());
    same(Loss.huber(x, y, 0.3), Loss.huber(x, y, 0.3, Reduction.NONE).mean());
    same(Loss.smoothL1(x, y, 0.3), Loss.smoothL1(x, y, 0.3, Reduction.NONE).mean());
    same(Loss.binary(x, y), Loss.binary(x, y, Reduction.NONE).mean());
    same(Loss.bceWithLogits(x, y), Loss.bceWithLogits(x, y, Reduction.NONE).mean());
    same(Loss.kl(x, y), Loss.kl(x, y, Reduction.NONE).mean());
    Tensor rows = Tensor.of(Shape.of(2, 2), 0.1, 0.7, 0.4, -1);
    Tensor at = Tensor.of(1, 0);
    same(Loss.nll(rows, at), Loss.nll(rows, at, Reduction.NONE).mean());
    same(Loss.crossEntropy(rows, at), Loss.crossEntropy(rows, at, Reduction.NONE).mean());
  }

  /** Every form, on logits, on log probabilities, and on log probabilities made of logits. */
  private static List<UnaryOperator<Tensor>> forms(Tensor targets, DType type) {
    Tensor weights = of(type, 1, 2, 0);
    List<UnaryOperator<Tensor>> forms = new ArrayList<>();
    for (CrossEntropy form :
        List.of(
            CrossEntropy.of(),
            CrossEntropy.of().withSmoothing(0.1),
            CrossEntropy.of().withSmoothing(1),
            CrossEntropy.of().withWeights(weights),
            CrossEntropy.of().withWeights(weights).withSmoothing(0.3))) {
      forms.add(x -> form.apply(x, targets));
      forms.add(x -> form.ofLogProbabilities(x, targets));
      forms.add(x -> form.ofLogProbabilities(x.logSoftmax(-1), targets));
    }
    return forms;
  }

  @ParameterizedTest
  @EnumSource(names = {"F32", "F64"})
  void whatIsIgnoredHasNoGradientWhateverItHolds(DType type) {
    Tensor at = Tensor.of(NO, 1, NO);
    for (Interpreter by : List.of(Interpreter.EAGER, FusedContract.BODIES)) {
      for (double odd : new double[] {Double.NaN, INF, -INF}) {
        Tensor x = Tensor.of(Shape.of(3, 3), odd, odd, odd, -1.0, -2, -0.5, 0, odd, 0).cast(type);
        Tensor plain = Tensor.of(Shape.of(3, 3), 0.0, 0, 0, -1, -2, -0.5, 0, 0, 0).cast(type);
        List<UnaryOperator<Tensor>> forms = forms(at, type);
        for (int i = 0; i < forms.size(); i++) {
          UnaryOperator<Tensor> form = forms.get(i);
          by.run(() -> {
            same(form.apply(x), form.apply(plain));
            same(slope(form, x), slope(form, plain));
            // And of the gradient.
            Tensor twice = Grad.orZero(() -> slope(form, x).square().sum(), x).get(0);
            Tensor expected = Grad.orZero(() -> slope(form, plain).square().sum(), plain).get(0);
            same(twice, expected);
            return null;
          });
        }
      }
    }
  }

  /** A class without a weight, and a target that smoothing leaves nothing, count 0 times: also ∞. */
  @Test
  void whatDoesNotCountMayBeImpossible() {
    Tensor x = Tensor.of(Shape.of(1, 3), 0, 1, Float.NEGATIVE_INFINITY);
    Tensor weights = Tensor.of(1f, 2f, 0f);
    CrossEntropy weighted = CrossEntropy.of().withReduction(Reduction.SUM).withWeights(weights);
    assertThat(weighted.apply(x, Tensor.of(2)).item()).isZero();
    double rest = Math.log(1 + Math.E);
    assertThat(weighted.withSmoothing(1).apply(x, Tensor.of(2)).item())
        .as("(1 · −ln p₀ + 2 · −ln p₁) / 3")
        .isCloseTo((rest + 2 * (rest - 1)) / 3, within(1e-6));
    assertThat(doubles(slope(v -> weighted.apply(v, Tensor.of(2)), x))).containsOnly(0);
  }

  /**
   * Two classes at a distance d: the loss is {@code ln(1 + n e^−d)}, its gradient {@code ∓1/(1 + e^d / n)}; n
   * other classes, so that rows are longer than vectors and blocks.
   */
  @ParameterizedTest
  @EnumSource(names = {"F32", "F64"})
  void aSureRowIsAsExactAsAnyOther(DType type) {
    double bound = type == DType.F32 ? 1e-5 : 4e-14;
    for (Interpreter by : List.of(Interpreter.EAGER, FusedContract.BODIES)) {
      for (int n : new int[] {1, 15, 3000}) {
        for (double d : new double[] {0, 2, 8, 16, 30, 80}) {
          for (double offset : new double[] {0, -4096}) {
            by.run(() -> {
              Tensor others = Tensor.full(type, offset - d, 1, n);
              for (int place : new int[] {0, n}) {
                Tensor x =
                    Tensor.concat(
                        List.of(
                            others.narrow(1, 0, place),
                            Tensor.full(type, offset, 1, 1),
                            others.narrow(1, place, n - place)),
                        1);
                Tensor at = Tensor.of(place);
                double rest = n * Math.exp(-d);
                String what = type + " n=" + n + " d=" + d + " offset " + offset + " at " + place;
                double loss = Loss.crossEntropy(x, at).item();
                close(what, loss, Math.log1p(rest), bound);
                double[] slopes = doubles(slope(v -> Loss.crossEntropy(v, at), x));
                if (by == Interpreter.EAGER) {
                  close(what + " slope", slopes[place], -rest / (1 + rest), bound);
                }
                close(what + " other", slopes[place == 0 ? n : 0], rest / n / (1 + rest), bound);
                close(what, -x.logSoftmax(1).get(0, place), Math.log1p(rest), bound);
                double sum = x.logSumExp(1).item();
                close(what, sum - offset, Math.log1p(rest), bound, Math.ulp((float) offset));
              }
              return null;
            });
          }
        }
      }
    }
  }

  /** To the bit, but for the sign of zeros. */
  private static void same(Tensor actual, Tensor expected) {
    assertThat(doubles(actual)).containsExactly(doubles(expected), within(0.0));
  }

  private static void close(String what, double actual, double expected, double bound) {
    close(what, actual, expected, bound, 0);
  }

  private static void close(
      String what, double actual, double expected, double bound, double absolute) {
    assertThat(actual).as(what).isCloseTo(expected, within(bound * Math.abs(expected) + absolute));
  }
}
