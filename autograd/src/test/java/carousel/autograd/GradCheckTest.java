package carousel.autograd;

import static carousel.tensor.DType.F64;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import carousel.autograd.GradCheck.Extent;
import carousel.autograd.GradReport.Kind;
import carousel.autograd.GradReport.Verdict;
import carousel.tensor.DType;
import carousel.tensor.Philox;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import carousel.tensor.TensorException;
import carousel.tensor.TensorScope;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** What the check does with its settings and its inputs, and how it reports. */
class GradCheckTest {
  private final TensorScope scope = TensorScope.open();
  private final Tensor x = Philox.of(1).normal(F64, 0, 1, 2, 3);
  private final Tensor w = Philox.of(2).normal(F64, 0, 1, 3, 2);

  private record Weight(String name, Tensor value) implements Leaf {}

  @AfterEach
  void close() {
    scope.close();
  }

  @ParameterizedTest
  @EnumSource(Extent.class)
  void passesRightGradientsOfAnyOrderAndExtent(Extent extent) {
    double[] before = x.toDoubleArray();
    var report =
        GradCheck.standard()
            .withExtent(extent)
            .withOrder(3)
            .run("tanh(x·w)", in -> in[0].matmul(in[1]).tanh(), x, w);
    assertThat(report.require()).isSameAs(report);
    assertThat(report.verdict()).isEqualTo(Verdict.RIGHT);
    assertThat(report.worst()).isNull();
    assertThat(report.failed()).isZero();
    assertThat(report.error()).isBetween(0.0, 1e-8);
    assertThat(report.orders()).hasSize(3);
    // 4 numbers by forward mode; then elements, or three directions of two inputs, at each order.
    long one = extent == Extent.DIRECTIONS ? 6 : 12;
    long expected = extent == Extent.JACOBIAN ? 4 + 12 * (1 + 4 + 1 + 12 + 1 + 12) : 4 + 3 * one;
    assertThat(report.compared()).isEqualTo(expected);
    assertThat(report.orders().getFirst().escape())
        .isEqualTo(extent == Extent.DIRECTIONS ? 8e-9 : 0, within(1e-20));
    assertThat(x.toDoubleArray()).as("inputs are restored").containsExactly(before);
  }

  @Test
  void elementsAreNamedWithTheDerivative() {
    // x[1,1] is a constant to autograd, not to the function.
    Tensor mask = Tensor.of(Shape.of(2, 3), false, false, false, false, true, false);
    var report =
        GradCheck.standard()
            .run("planted", in -> Tensor.where(mask, in[0].detach(), in[0]).square().sum(), x);
    var worst = requireNonNull(report.worst());
    assertThat(worst.kind()).isEqualTo(Kind.GRADIENT);
    assertThat(worst.where()).isEqualTo("input 0[1,1]");
    assertThat(worst.analytic()).isZero();
    assertThat(worst.numeric()).isCloseTo(2 * x.toDoubleArray()[4], within(1e-9));
    assertThatThrownBy(report::require)
        .isInstanceOf(AssertionError.class)
        .hasMessageContaining("gradient of planted: WRONG")
        .hasMessageContaining("gradient, order 1, input 0[1,1]: the gradient says 0")
        .hasMessageContaining("order 1:");
  }

  @Test
  void wrongElementsOfALargeInputAreFoundByHalving() {
    Tensor large = Philox.of(3).normal(F64, 0, 1, 40, 50);
    double[] mask = new double[2000];
    mask[77] = 1;
    mask[1999] = 1;
    Tensor at = Tensor.of(Shape.of(40, 50), mask);
    var report =
        GradCheck.standard()
            .withOrder(1)
            .run("two of many", in -> in[0].sin().add(in[0].detach().mul(at)).sum(), large);
    assertThat(report.findings())
        .extracting(GradReport.Finding::where)
        .containsExactlyInAnyOrder("input 0[1,27]", "input 0[39,49]");
    assertThat(report.orders().getFirst().directions()).isEqualTo(3);
  }

  @Test
  void leavesAreNamedAndRestoredAndMayBeLeftOut() {
    var leaves = List.of(new Weight("cell.wx", x), new Weight("cell.wh", w));
    double[] before = x.toDoubleArray();
    assertThat(GradCheck.of(() -> x.matmul(w).tanh(), leaves).require().compared()).isPositive();
    assertThat(x.toDoubleArray()).containsExactly(before);
    var report = GradCheck.of(() -> x.matmul(w.detach()).tanh(), leaves);
    assertThat(report.verdict()).isEqualTo(Verdict.WRONG);
    assertThat(report.findings()).anySatisfy(f -> assertThat(f.where()).startsWith("cell.wh["));
    var without = GradCheck.standard().without("cell.wh");
    without.run("x alone", () -> x.matmul(w.detach()).tanh(), leaves).require();
    assertThatThrownBy(
            () -> GradCheck.standard().without("cell.*").run("none", () -> x.sum(), leaves))
        .isInstanceOf(TensorException.class)
        .hasMessageContaining("none has no F32 or F64 input");
  }

  @Test
  void leavesThatShareMemoryAreRefused() {
    var leaves = List.of(new Weight("a", x), new Weight("b", x.narrow(0, 0, 1)));
    assertThatThrownBy(() -> GradCheck.of(() -> x.sum(), leaves))
        .isInstanceOf(TensorException.class)
        .hasMessageContaining("a and b share memory");
  }

  @Test
  void aFunctionMayReadItsInputsWhereItHasThemFrom() {
    GradCheck.standard().run("closure", in -> x.matmul(w).tanh(), x, w).require();
  }

  @Test
  void tolerancesJudge() {
    // A gradient that is 1e-4 too large.
    GradCheck.Program f = in -> in[0].mul(1 + 1e-4).sub(in[0].detach().mul(1e-4)).sum();
    assertThat(GradCheck.standard().run("f", f, x).passed()).isFalse();
    assertThat(GradCheck.standard().withTolerances(1e-3, 0).run("f", f, x).passed()).isTrue();
    assertThat(GradCheck.standard().withTolerances(0, 1e-3).run("f", f, x).passed()).isTrue();
    assertThat(GradCheck.standard().withTolerances(1e-5, 0).run("f", f, x).passed()).isFalse();
  }

  @Test
  void noiseByDesignIsAllowedFor() {
    var calls = new AtomicInteger();
    GradCheck.Program f = in -> in[0].square().add(1e-9 * (calls.incrementAndGet() % 3));
    assertThat(requireNonNull(GradCheck.standard().run("f", f, x).worst()).kind())
        .isEqualTo(Kind.NOT_REPEATABLE);
    GradCheck.standard()
        .withNoise(1e-8)
        .withTolerances(1e-4, 1e-5)
        .withOrder(1)
        .run("f", f, x)
        .require();
  }

  @Test
  void kinksAreSaidAndPointsNearbyTried() {
    var report = GradCheck.standard().run("relu", in -> in[0].relu(), Tensor.of(0.0, 1.0));
    assertThat(report.verdict()).isEqualTo(Verdict.RIGHT);
    assertThat(report.toString()).contains("cannot be told (kink); nearby").contains("agrees");
  }

  @Test
  void secondOrderFindsWhatFirstOrderCannotSee() {
    GradCheck.Program f =
        in -> {
          Tensor d = in[0].detach();
          return in[0].sub(d).mul(d).mul(2).add(d.square()).sum();
        };
    assertThat(GradCheck.standard().withOrder(1).run("x²", f, x).passed()).isTrue();
    assertThat(requireNonNull(GradCheck.standard().run("x²", f, x).worst()).order()).isEqualTo(2);
  }

  @Test
  void programsThatFailThrowWhatTheyThrow() {
    double[] before = x.toDoubleArray();
    assertThatThrownBy(() ->
            GradCheck.standard()
                .run(
                    "f",
                    in -> {
                      throw new IllegalStateException("mine");
                    },
                    x))
        .hasMessage("mine");
    var runs = new AtomicInteger();
    assertThatThrownBy(() ->
            GradCheck.standard()
                .run(
                    "f",
                    in -> {
                      if (runs.incrementAndGet() > 60) {
                        throw new IllegalStateException("mine");
                      }
                      return in[0].square();
                    },
                    x))
        .hasMessage("mine");
    assertThat(x.toDoubleArray()).containsExactly(before);
    assertThatThrownBy(() -> GradCheck.standard().run("f", in -> "text", x))
        .hasMessageContaining("gives a java.lang.String");
  }

  @Test
  void whatItRanInIsSaid() {
    Tensor narrow = x.cast(DType.F32);
    assertThat(GradCheck.standard().run("f", in -> in[0].tanh(), narrow).require().ranIn())
        .isEqualTo("ran in F64 for F32");
    // Writes in place, which cannot be followed in F64.
    var report =
        GradCheck.standard()
            .run(
                "f",
                in -> {
                  Tensor y = in[0].tanh();
                  y.assign(y.copy());
                  return y.mul(in[0]);
                },
                narrow);
    assertThat(report.ranIn()).contains("ran in F32").contains("in place");
  }

  @Test
  void settingsAreNamed() {
    assertThat(GradCheck.standard().withSeed(7).withOrder(1).toString())
        .isEqualTo("order 1, seed 7");
    assertThat(GradCheck.standard().withDevice(x.device()).toString())
        .isEqualTo("order 2, " + x.device().name() + ", seed 1");
    GradCheck.standard().withDevice(x.device()).run("f", in -> in[0].tanh(), x).require();
    assertThat(GradCheck.standard().withDirections(5).run("f", in -> in[0].tanh(), x).toString())
        .contains("order 1: 12 slopes over 6 elements");
  }

  @ParameterizedTest
  @CsvSource({"0,1,1,1,1", "1,-1,1,1,1", "1,1,NaN,1,1", "1,1,1,-1,1", "1,1,1,1,-1"})
  void settingsAreChecked(
      int order, int directions, double relative, double absolute, double noise) {
    assertThatThrownBy(() ->
            new GradCheck(
                order, Extent.BY_SIZE, directions, relative, absolute, noise, 1, null, List.of()))
        .isInstanceOf(TensorException.class)
        .hasMessageStartingWith("gradCheck: wants order ≥ 1");
  }
}
