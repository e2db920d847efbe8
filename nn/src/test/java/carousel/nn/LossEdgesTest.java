package carousel.nn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.assertj.core.api.Assertions.withinPercentage;

import carousel.autograd.Grad;
import carousel.tensor.DType;
import carousel.tensor.Scope;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
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

  private Scope run;

  @BeforeEach
  void open() {
    run = Scope.open();
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
        .containsExactly(
            new double[] {0, 0, -1, 1, slopes[4], 0, -4, 4 / 3.0}, within(1e-6));
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
            .containsExactly(new double[] {0, 0, INF, INF, INF, INF, 0, 0, Math.log(2)}, within(1e-7));
        // σ(x) − y.
        assertThat(doubles(slope(loss, x)))
            .containsExactly(0, 0, 1, -1, 0.5, -0.5, 0, 0, 0.5);
        // A positive that does not count is worth 0, however wrong.
        Tensor none = x.zerosLike();
        assertThat(doubles(Loss.bceWithLogits(of(type, -INF), of(type, 1), of(type, 0), Reduction.NONE)))
            .containsExactly(0);
        assertThat(doubles(Grad.of(() -> Loss.bceWithLogits(none, y, Reduction.SUM), y).get(0)))
            .as("by the targets: −x").containsOnly(0);
        return null;
      });
    }
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
      for (Reduction reduction : Reduction.values()) {
        CrossEntropy loss = form.withReduction(reduction);
        forms.add(x -> loss.apply(x, targets));
        forms.add(x -> loss.ofLogProbabilities(x, targets));
        forms.add(x -> loss.ofLogProbabilities(x.logSoftmax(-1), targets));
      }
    }
    return forms;
  }

  @ParameterizedTest
  @EnumSource(names = {"F32", "F64"})
  void whatIsIgnoredHasNoGradientWhateverItHolds(DType type) {
    Tensor at = Tensor.of(NO, 1, NO);
    for (Interpreter by : List.of(Interpreter.EAGER, FusedContract.BODIES)) {
      for (double odd : new double[] {Double.NaN, INF, -INF, 0.0, 1e300}) {
        Tensor x =
            Tensor.of(Shape.of(3, 3), odd, odd, odd, -1.0, -2, -0.5, 0, odd, 0).cast(type);
        Tensor plain =
            Tensor.of(Shape.of(3, 3), 0.0, 0, 0, -1, -2, -0.5, 0, 0, 0).cast(type);
        List<UnaryOperator<Tensor>> forms = forms(at, type);
        for (int i = 0; i < forms.size(); i++) {
          UnaryOperator<Tensor> form = forms.get(i);
          by.run(() -> {
            same(form.apply(x), form.apply(plain));
            same(slope(form, x), slope(form, plain));
            // And of the gradient.
            var twice = Grad.orZero(() -> slope(form, x).square().sum(), x).get(0);
            var expected = Grad.orZero(() -> slope(form, plain).square().sum(), plain).get(0);
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
      for (int n : new int[] {1, 2, 15, 100, 3000}) {
        for (double d : new double[] {0, 0.5, 2, 8, 15, 16, 17, 20, 30, 60, 80}) {
          for (double offset : new double[] {0, 1024, -4096}) {
            by.run(() -> {
              Tensor others = Tensor.full(type, offset - d, 1, n);
              for (int place : new int[] {0, n / 2, n}) {
                Tensor x =
                    Tensor.concat(
                        1,
                        List.of(
                            others.narrow(1, 0, place),
                            Tensor.full(type, offset, 1, 1),
                            others.narrow(1, place, n - place)));
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
