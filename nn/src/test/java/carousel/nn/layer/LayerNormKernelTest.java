package carousel.nn.layer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import carousel.nn.FusedContract;
import carousel.tensor.DType;
import carousel.tensor.Device;
import carousel.tensor.Philox;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import carousel.tensor.op.LayerComposites;
import carousel.tensor.op.Op;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** The kernel of {@code layer_norm}, on devices that have one, against its body. */
class LayerNormKernelTest {
  private static final List<int[]> SIZES =
      List.of(
          new int[] {1, 1},
          new int[] {5, 1},
          new int[] {3, 2},
          new int[] {7, 13},
          new int[] {4, 207},
          new int[] {2, 4098},
          new int[] {300, 3},
          new int[] {1000, 1});

  private TensorScope run;

  @BeforeEach
  void open() {
    assumeFalse("off".equals(System.getProperty("carousel.fused")), "-Dcarousel.fused=off");
    run = TensorScope.open();
    assumeFalse(
        TensorScope.current().device() == Device.cpu(), "no kernel for layer_norm on the CPU");
  }

  @AfterEach
  void close() {
    if (run != null) {
      run.close();
    }
  }

  @TestFactory
  Stream<DynamicTest> agreesWithTheBody() {
    return SIZES.stream()
        .flatMap(size ->
            Stream.of(DType.F32, DType.F64)
                .map(type ->
                    DynamicTest.dynamicTest(
                        type + " " + Arrays.toString(size), () -> agrees(type, 1, size))));
  }

  @Test
  void agreesWithTheBodyOverTwoAxes() {
    agrees(DType.F64, 2, 5, 4, 3);
    agrees(DType.F32, 2, 2, 3, 7, 11);
  }

  private static void agrees(DType type, int axes, int... size) {
    try (var scope = TensorScope.open()) {
      var rng = Philox.of(size[0]);
      int[] last = Arrays.copyOfRange(size, size.length - axes, size.length);
      FusedContract.check(
          LayerComposites.LAYER_NORM,
          type == DType.F64 ? 1e-11 : 2e-4,
          rng.normal(type, 2, 3, size),
          rng.normal(type, 1, 1, last),
          rng.normal(type, 0, 1, last),
          Tensor.full(type, 0.1));
    }
  }

  /**
   * Rows that lie far from 0 beside what they differ in: the difference of mean square and squared mean
   * would be lost, and so would be what rounding takes from the mean.
   */
  @Test
  void keepsSmallDifferencesBesideALargeMean() {
    Tensor x = Philox.of(1).normal(DType.F32, 0, 1, 4, 300).add(4096);
    Tensor expected = LayerNorm.of(DType.F64, 300).apply(x.cast(DType.F64));
    Tensor actual = LayerNorm.of(DType.F32, 300).apply(x);
    assertThat(actual.cast(DType.F64).allClose(expected, 2e-6, 2e-6)).isTrue();
  }

  @Test
  void runsTheBodyOfWhatIsNotDense() {
    Tensor x = Philox.of(2).normal(DType.F64, 0, 1, 5, 4).transpose(0, 1);
    Tensor ones = Tensor.ones(DType.F64, 5);
    Tensor zeros = Tensor.zeros(DType.F64, 5);
    Tensor epsilon = Tensor.full(DType.F64, 1e-5);
    assertThat(LayerComposites.LAYER_NORM.fused(x, ones, zeros, epsilon)).isNull();
    Tensor strided = Op.apply(LayerComposites.LAYER_NORM, x, ones, zeros, epsilon);
    Tensor dense = Op.apply(LayerComposites.LAYER_NORM, x.copy(), ones, zeros, epsilon);
    assertThat(strided.shape()).isEqualTo(Shape.of(4, 5));
    assertThat(strided.allClose(dense, 1e-13, 1e-13)).isTrue();
  }
}
