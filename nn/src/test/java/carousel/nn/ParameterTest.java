package carousel.nn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carousel.tensor.DType;
import carousel.tensor.Engine;
import carousel.tensor.Tensor;
import carousel.tensor.TensorException;
import carousel.tensor.TensorScope;
import org.junit.jupiter.api.Test;

class ParameterTest {

  @Test
  void hasValuesOfItsOwn() {
    try (var run = TensorScope.open()) {
      Tensor initial = Tensor.of(1f, 2f);
      var parameter = Parameter.of(initial);
      initial.fill(9);
      assertThat(parameter.value().toFloatArray()).containsExactly(1, 2);

      Tensor held = parameter.value();
      parameter.assign(Tensor.of(3f, 4f));
      assertThat(parameter.value()).isSameAs(held);
      assertThat(held.toFloatArray()).containsExactly(3, 4);
      assertThat(parameter).hasToString("Parameter F32 [2]");
    }
  }

  @Test
  void livesInTheScopeItWasMadeInAndNothingElseStays() {
    try (var run = TensorScope.open()) {
      var parameter = Parameter.of(() -> Tensor.ones(100).mul(2).add(1));
      assertThat(run.bytes()).isEqualTo(Engine.storage(parameter.value()).bytes());
      try (var step = TensorScope.open()) {
        parameter.assign(Tensor.zeros(100));
      }
      assertThat(parameter.value().sum().item()).isZero();
    }
  }

  @Test
  void endsWithItsScope() {
    Parameter parameter;
    try (var run = TensorScope.open()) {
      parameter = Parameter.of(Tensor.ones(2));
    }
    assertThatThrownBy(() -> parameter.value().toFloatArray())
        .isInstanceOf(TensorException.class)
        .hasMessageContaining("use after close");
  }

  @Test
  void keepsItsTypeAndShape() {
    try (var run = TensorScope.open()) {
      var parameter = Parameter.of(Tensor.zeros(2, 3));
      // A source that would broadcast is as wrong as any other.
      assertThatThrownBy(() -> parameter.assign(Tensor.zeros(3)))
          .isInstanceOf(TensorException.class)
          .hasMessageContaining("cannot assign F32 [3] to a parameter of F32 [2,3]");
      assertThatThrownBy(() -> parameter.assign(Tensor.zeros(DType.F64, 2, 3)))
          .hasMessageContaining("cannot assign F64 [2,3] to a parameter of F32 [2,3]");
      assertThatThrownBy(() -> Parameter.of(Tensor.of(1, 2)))
          .isInstanceOf(TensorException.class)
          .hasMessageContaining("must be F32 or F64")
          .hasMessageContaining("I32 [2]")
          .hasMessageContaining("cast(DType.F32)");
    }
  }
}
