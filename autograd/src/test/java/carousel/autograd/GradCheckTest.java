package carousel.autograd;

import static carousel.tensor.DType.F64;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import carousel.autograd.GradCheck.Jacobian;
import carousel.tensor.DType;
import carousel.tensor.Philox;
import carousel.tensor.Scope;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import carousel.tensor.TensorException;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** The check itself: it passes right gradients, and finds wrong ones and says where. */
class GradCheckTest {
  private final Scope scope = Scope.open();
  private final Tensor x = Philox.of(1).normal(F64, 0, 1, 2, 3);
  private final Tensor w = Philox.of(2).normal(F64, 0, 1, 3, 2);

  @AfterEach
  void close() {
    scope.close();
  }

  @ParameterizedTest
  @EnumSource(Jacobian.class)
  void passesRightGradients(Jacobian jacobian) {
    double[] before = x.toDoubleArray();
    var report =
        GradCheck.strict()
            .withJacobian(jacobian)
            .withOrder(3)
            .run("tanh(x·w)", in -> in[0].matmul(in[1]).tanh(), x, w);
    assertThat(report.require()).isSameAs(report);
    assertThat(report.passed()).isTrue();
    assertThat(report.failed()).isZero();
    assertThat(report.error()).isLessThan(1e-8);
    // 12 input elements at each order; with the whole Jacobian 4 outputs, then 12, then 12.
    assertThat(report.compared()).isEqualTo(jacobian == Jacobian.FULL ? 12 * (4 + 12 + 12) : 36);
    assertThat(x.toDoubleArray()).as("inputs are restored").containsExactly(before);
  }

  /** x₄ is a constant to autograd, not to the function. */
  private static Tensor planted(Tensor x) {
    Tensor mask = Tensor.of(Shape.of(2, 3), false, false, false, false, true, false);
    return Tensor.where(mask, x.detach(), x).square().sum();
  }

  @Test
  void findsAPlantedErrorAndNamesInputAndElement() {
    var report =
        GradCheck.standard().run("planted", in -> in[0].sum().add(planted(in[1])), w.copy(), x);
    assertThat(report.passed()).isFalse();
    assertThat(report.failed()).isEqualTo(1);
    assertThat(report.compared()).isEqualTo(12);
    var worst = requireNonNull(report.worst());
    assertThat(worst.order()).isEqualTo(1);
    assertThat(worst.input()).isEqualTo(1);
    assertThat(worst.inputIndex()).isEqualTo(4);
    assertThat(worst.output()).isEqualTo(-1);
    assertThat(worst.passed()).isFalse();
    assertThat(worst.analytic()).isZero();
    // Projected on one random number v: v · 2·x₄.
    assertThat(Math.abs(worst.numeric())).isPositive();
    assertThatThrownBy(report::require)
        .isInstanceOf(TensorException.class)
        .hasMessageContaining("gradient check failed: planted: 1 of 12 entries differ")
        .hasMessageContaining("order 1, input 1, element 4: analytic 0");
  }

  @Test
  void theWholeJacobianNamesTheOutputToo() {
    // y = (x, 2·x without gradient at element 1).
    var report =
        GradCheck.standard()
            .withJacobian(Jacobian.FULL)
            .run(
                "planted",
                in -> {
                  Tensor half =
                      Tensor.where(Tensor.of(Shape.of(2), false, true), in[0].detach(), in[0]);
                  return Tensor.concat(0, List.of(in[0], half.mul(2)));
                },
                Tensor.of(3.0, 5.0));
    var worst = requireNonNull(report.worst());
    assertThat(report.compared()).isEqualTo(8);
    assertThat(report.failed()).isEqualTo(1);
    assertThat(worst.inputIndex()).isEqualTo(1);
    assertThat(worst.output()).isEqualTo(3);
    assertThat(worst.analytic()).isZero();
    assertThat(worst.numeric()).isCloseTo(2, within(1e-9));
    assertThat(worst.error()).isCloseTo(1, within(1e-9));
    assertThat(worst.toString()).contains("output element 3");
  }

  @Test
  void secondOrderFindsWhatFirstOrderCannotSee() {
    // The right gradient 2·x, but made of constants: its own gradient is missing.
    GradCheck.Function f =
        in -> {
          Tensor d = in[0].detach();
          return in[0].sub(d).mul(d).mul(2).add(d.square()).sum();
        };
    assertThat(GradCheck.standard().run("x²", f, x).passed()).isTrue();
    var report = GradCheck.strict().run("x²", f, x);
    assertThat(report.failed()).isEqualTo(6);
    var worst = requireNonNull(report.worst());
    assertThat(worst.order()).isEqualTo(2);
  }

  @Test
  void aGradientThatIsNanFails() {
    // √(x²) at 0: the function is 0, its gradient 0/0.
    var report = GradCheck.standard().run("√x²", in -> in[0].square().sqrt(), Tensor.of(1.0, 0.0));
    assertThat(report.failed()).isEqualTo(1);
    var worst = requireNonNull(report.worst());
    assertThat(worst.inputIndex()).isEqualTo(1);
  }

  @Test
  void smallErrorsAreJudgedByTheTolerances() {
    // A gradient that is 1e-4 too large.
    GradCheck.Function f = in -> in[0].mul(1 + 1e-4).sub(in[0].detach().mul(1e-4)).sum();
    assertThat(GradCheck.standard().run("f", f, x).passed()).isTrue();
    assertThat(GradCheck.strict().withOrder(1).run("f", f, x).passed()).isFalse();
    assertThat(GradCheck.strict().withTolerances(0, 1e-3).run("f", f, x).passed()).isTrue();
    assertThat(GradCheck.standard().withTolerances(1e-5, 0).run("f", f, x).passed()).isFalse();
    assertThat(GradCheck.standard().withStep(1e-2).step()).isEqualTo(1e-2);
  }

  @Test
  void functionsAreDeterministic() {
    var rng = Philox.of(1);
    assertThatThrownBy(() ->
            GradCheck.standard().run("dropout", in -> in[0].mul(rng.uniform(F64, 0, 1, 2, 3)), x))
        .isInstanceOf(TensorException.class)
        .hasMessageContaining("dropout is not deterministic");
  }

  @Test
  void inputsAreF64() {
    assertThatThrownBy(() -> GradCheck.standard().run("f", in -> in[1], x, x.cast(DType.F32)))
        .isInstanceOf(TensorException.class)
        .hasMessageContaining("input 1 of f is F32")
        .hasMessageContaining("cast(DType.F64)");
  }

  @Test
  void inputsAreRestoredWhenTheFunctionThrows() {
    double[] before = x.toDoubleArray();
    var runs = new AtomicInteger();
    assertThatThrownBy(() ->
            GradCheck.standard()
                .run(
                    "f",
                    in -> {
                      if (runs.incrementAndGet() == 6) {
                        throw new IllegalStateException("mine");
                      }
                      return in[0].square();
                    },
                    x))
        .hasMessage("mine");
    assertThat(x.toDoubleArray()).containsExactly(before);
  }

  @Test
  void nothingToCompareIsNoFailure() {
    var report = GradCheck.standard().run("empty", in -> in[0].square(), Tensor.zeros(F64, 0));
    assertThat(report.compared()).isZero();
    assertThat(report.error()).isZero();
    assertThat(report.require().toString()).isEqualTo("empty: 0 of 0 entries differ; worst: none");
  }

  @ParameterizedTest
  @CsvSource({"0,1,1,1", "NaN,1,1,1", "1,-1,1,1", "1,1,-1,1", "1,1,1,0"})
  void settingsAreChecked(double step, double relative, double absolute, int order) {
    assertThatThrownBy(() -> new GradCheck(step, relative, absolute, Jacobian.FULL, order, 1))
        .isInstanceOf(TensorException.class)
        .hasMessageStartingWith("gradCheck: wants step > 0, tolerances ≥ 0 and order ≥ 1, got");
  }
}
