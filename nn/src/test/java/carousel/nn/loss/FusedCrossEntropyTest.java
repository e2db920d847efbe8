package carousel.nn.loss;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;
import static org.assertj.core.api.Assertions.withinPercentage;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import carousel.autograd.Grad;
import carousel.autograd.GradCheck;
import carousel.nn.FusedContract;
import carousel.tensor.DType;
import carousel.tensor.Philox;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import carousel.tensor.TensorException;
import carousel.tensor.TensorScope;
import carousel.tensor.op.LayerComposites;
import carousel.tensor.op.Op;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The kernel of {@code cross_entropy} against its body. */
class FusedCrossEntropyTest {
  private TensorScope run;

  @BeforeEach
  void open() {
    assumeFalse("off".equals(System.getProperty("carousel.fused")), "-Dcarousel.fused=off");
    run = TensorScope.open();
  }

  @AfterEach
  void close() {
    if (run != null) {
      run.close();
    }
  }

  private static double tolerance(DType type) {
    return type == DType.F64 ? 1e-13 : 2e-6;
  }

  /** Targets in [0, V), every third ignored. */
  private static Tensor targets(int rows, int classes) {
    int[] at = new int[rows];
    for (int i = 0; i < rows; i++) {
      at[i] = i % 3 == 2 ? LayerComposites.NO_TARGET : (7 * i + 3) % classes;
    }
    return Tensor.of(Shape.of(rows), at);
  }

  @Test
  void agreesWithTheBody() {
    int[][] sizes = {
      {0, 5}, {1, 1}, {5, 1}, {3, 2}, {7, 13}, {4, 207}, {37, 1000}, {2, 4098}, {3, 10000}
    };
    for (int[] size : sizes) {
      Tensor at = targets(size[0], size[1]);
      for (var type : new DType[] {DType.F32, DType.F64}) {
        Tensor logits = Philox.of(size[1]).normal(type, 3, 4, size);
        FusedContract.check(LayerComposites.CROSS_ENTROPY, tolerance(type), logits, at);
      }
    }
  }

  @Test
  void followsTheBodyThroughInfinitiesAndNaN() {
    float inf = Float.POSITIVE_INFINITY;
    Tensor logits =
        Tensor.of(
            Shape.of(6, 3),
            0,
            -inf,
            1,
            0,
            -inf,
            1,
            inf,
            0,
            1,
            Float.NaN,
            0,
            1,
            -inf,
            -inf,
            -inf,
            3e38f,
            -3e38f,
            0);
    Tensor at = Tensor.of(0, 1, 0, 1, 2, 1);
    FusedContract.check(LayerComposites.CROSS_ENTROPY, tolerance(DType.F32), logits, at);
    FusedContract.check(
        LayerComposites.CROSS_ENTROPY, tolerance(DType.F64), logits.cast(DType.F64), at);
  }

  @Test
  void keepsSmallLossesBesideLargeLogits() {
    Tensor logits = Tensor.of(Shape.of(1, 2), 30000f, 29985f);
    Tensor loss = Op.apply(LayerComposites.CROSS_ENTROPY, logits, Tensor.of(new int[] {0}));
    assertThat(loss.get(0)).isCloseTo(Math.log1p(Math.exp(-15)), withinPercentage(30));
  }

  /** The body multiplies its zero cotangent by the NaN; what is ignored has no gradient at all. */
  @Test
  void nothingFlowsIntoAnIgnoredRowThatIsNotANumber() {
    Tensor logits = Tensor.of(Shape.of(2, 2), Float.NaN, 1, 0, 0);
    var g =
        Grad.of(
            () ->
                Op.apply(
                        LayerComposites.CROSS_ENTROPY,
                        logits,
                        Tensor.of(LayerComposites.NO_TARGET, 1))
                    .sum(),
            logits);
    assertThat(g.value().item()).isCloseTo(Math.log(2), within(1e-6));
    assertThat(g.get(0).toFloatArray()).containsExactly(0, 0, 0.5f, -0.5f);
  }

  @Test
  void takesACotangentOfAnyLayout() {
    Tensor logits = Philox.of(1).normal(DType.F64, 0, 1, 4, 5);
    Tensor at = targets(4, 5);
    Tensor wide = Philox.of(2).normal(DType.F64, 0, 1, 4, 2);
    var byKernel =
        Grad.of(
            () -> Op.apply(LayerComposites.CROSS_ENTROPY, logits, at).mul(wide.select(1, 1)).sum(),
            logits);
    var byBody =
        Grad.of(
            () ->
                LayerComposites.CROSS_ENTROPY
                    .body()
                    .apply(logits, at)[0]
                    .mul(wide.select(1, 1))
                    .sum(),
            logits);
    assertThat(byKernel.get(0).allClose(byBody.get(0), 1e-13, 1e-13)).isTrue();
  }

  @Test
  void runsTheBodyForRowsThatAreNotDense() {
    Tensor logits = Philox.of(3).normal(DType.F64, 0, 1, 5, 4).transpose(0, 1);
    Tensor at = targets(4, 5);
    assertThat(LayerComposites.CROSS_ENTROPY.fused(logits, at)).isNull();
    Tensor strided = Op.apply(LayerComposites.CROSS_ENTROPY, logits, at);
    assertThat(
            strided.allClose(
                Op.apply(LayerComposites.CROSS_ENTROPY, logits.copy(), at), 1e-13, 1e-13))
        .isTrue();
  }

  @Test
  void leavesRowsWithoutClassesToTheBody() {
    assertThat(LayerComposites.CROSS_ENTROPY.fused(Tensor.zeros(0, 0), targets(0, 1))).isNull();
  }

  @Test
  void leavesATargetThatIsNoClassToTheBodysError() {
    // A device may say so when its result is read.
    for (int wrong : new int[] {-1, 3}) {
      assertThatThrownBy(() ->
              Op.apply(LayerComposites.CROSS_ENTROPY, Tensor.zeros(2, 3), Tensor.of(0, wrong))
                  .toFloatArray())
          .isInstanceOf(TensorException.class)
          .hasMessageContaining("index " + wrong + " is out of range [0,3)");
    }
  }

  @Test
  void hasSecondDerivatives() {
    Tensor logits = Philox.of(4).normal(DType.F64, 0, 1, 3, 5);
    Tensor at = targets(3, 5);
    GradCheck.standard()
        .run("cross_entropy", in -> Op.apply(LayerComposites.CROSS_ENTROPY, in[0], at), logits)
        .require();
  }

  @Test
  void addsOnlyTheGradientToTheMemoryOfTheLogits() {
    int rows = 64;
    int classes = 4096;
    Tensor logits = Philox.of(5).normal(DType.F32, 0, 1, rows, classes);
    Tensor at = targets(rows, classes);
    var memory = logits.device().backend().memory();
    try (var scope = TensorScope.open()) {
      long before = memory.inUse();
      Tensor loss = Op.apply(LayerComposites.CROSS_ENTROPY, logits, at);
      assertThat(memory.inUse() - before).isLessThan(8192);
      var g = Grad.of(() -> Op.apply(LayerComposites.CROSS_ENTROPY, logits, at).sum(), logits);
      assertThat(g.get(0).shape()).isEqualTo(logits.shape());
      assertThat(memory.inUse() - before).isLessThan(4L * rows * classes + 16384);
      assertThat(loss.shape()).isEqualTo(Shape.of(rows));
    }
  }
}
