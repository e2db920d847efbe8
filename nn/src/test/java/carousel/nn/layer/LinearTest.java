package carousel.nn.layer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carousel.nn.FusedContract;
import carousel.nn.Parameter;
import carousel.nn.init.Init;
import carousel.tensor.DType;
import carousel.tensor.Philox;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import carousel.tensor.TensorException;
import carousel.tensor.TensorScope;
import carousel.tensor.op.LayerComposites;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class LinearTest {
  private TensorScope run;

  @BeforeEach
  void open() {
    run = TensorScope.open();
  }

  @AfterEach
  void close() {
    run.close();
  }

  private static Linear by(int in, int out, double... weights) {
    return new Linear(
        Parameter.of(Tensor.of(Shape.of(in, out), weights)),
        Parameter.of(Tensor.arange(DType.F64, 1, out + 1, 1)));
  }

  @Test
  void isAffineInTheLastAxis() {
    var linear = by(2, 3, 1, 2, 3, 4, 5, 6);
    Tensor x = Tensor.of(Shape.of(2, 1, 2), 1.0, 10.0, -1.0, 0.0);
    Tensor y = linear.apply(x);
    assertThat(y.shape()).isEqualTo(Shape.of(2, 1, 3));
    assertThat(y.toDoubleArray()).containsExactly(42, 54, 66, 0, 0, 0);
    assertThat(linear.apply(Tensor.of(1.0, 10.0)).toDoubleArray()).containsExactly(42, 54, 66);
    assertThat(linear.apply(Tensor.zeros(DType.F64, 0, 2)).shape()).isEqualTo(Shape.of(0, 3));
  }

  @Test
  void mayHaveNoBias() {
    var linear = Linear.withoutBias(4, 2, Init.ones(), Philox.of(1));
    assertThat(linear.apply(Tensor.ones(1, 4)).toFloatArray()).containsExactly(4, 4);
    assertThat(linear.parameters().names()).containsExactly("weight");
    assertThat(linear.bias()).isNull();
  }

  @Test
  void startsByItsRecipes() {
    var linear = Linear.of(4, 2, Init.normal(1).as(DType.F64), Philox.of(1));
    assertThat(linear.parameters().names()).containsExactly("weight", "bias");
    assertThat(linear.parameters().get("bias").value().sameValues(Tensor.zeros(DType.F64, 2)))
        .isTrue();
    var noisy = Linear.of(4, 2, Init.uniform(1), Init.constant(3), Philox.of(1));
    assertThat(noisy.parameters().get("bias").value().toFloatArray()).containsExactly(3, 3);
    assertThat(noisy.weight().value().shape()).isEqualTo(Shape.of(4, 2));
  }

  @Test
  void saysWhatDoesNotFit() {
    var linear = by(2, 3, 1, 2, 3, 4, 5, 6);
    assertThatThrownBy(() -> linear.apply(Tensor.zeros(DType.F64, 2, 3)))
        .isInstanceOf(TensorException.class)
        .hasMessage("linear: x [2,3] must have a last axis of 2, the rows of the weight [2,3]");
    assertThatThrownBy(() -> linear.apply(Tensor.of(Shape.SCALAR, 1.0)))
        .hasMessageContaining("x [] must have a last axis of 2");
    assertThatThrownBy(() -> new Linear(Parameter.of(Tensor.zeros(3)), null))
        .hasMessageContaining("the weight must be a matrix [in,out], got [3]");
    assertThatThrownBy(
            () -> new Linear(Parameter.of(Tensor.zeros(3, 2)), Parameter.of(Tensor.zeros(3))))
        .hasMessageContaining("the bias must have shape [2]")
        .hasMessageContaining("got [3]");
  }

  @Test
  void theKernelAgreesWithTheBody() {
    int[][] sizes = {{0, 3, 4}, {1, 1, 1}, {5, 0, 3}, {7, 13, 33}, {20, 40, 207}};
    for (int[] s : sizes) {
      Tensor x = Philox.of(1).normal(DType.F64, 0, 1, s[0], s[1]);
      Tensor w = Philox.of(2).normal(DType.F64, 0, 1, s[2], s[1]).transpose(0, 1);
      Tensor b = Philox.of(3).normal(DType.F64, 0, 1, s[2]);
      FusedContract.check(LayerComposites.LINEAR, 1e-12, x, w, b);
    }
  }
}
