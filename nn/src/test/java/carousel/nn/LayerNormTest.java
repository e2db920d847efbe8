package carousel.nn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carousel.tensor.DType;
import carousel.tensor.Scope;
import carousel.tensor.Tensor;
import carousel.tensor.TensorException;
import carousel.tensor.golden.Golden;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class LayerNormTest {
  private static final Golden GOLDEN = Golden.load("layer-norm");

  private Scope run;

  @BeforeEach
  void open() {
    run = Scope.open();
  }

  @AfterEach
  void close() {
    run.close();
  }

  @ParameterizedTest
  @ValueSource(strings = {"last", "lastTwo"})
  void agreesWithPyTorch(String key) {
    Tensor x = Goldens.tensor(GOLDEN, "x");
    Tensor w = Goldens.tensor(GOLDEN, "w");
    var gain = Parameter.of(Goldens.tensor(GOLDEN, key + ".gain"));
    var bias = Parameter.of(Goldens.tensor(GOLDEN, key + ".bias"));
    var layer = new LayerNorm(gain, bias, 1e-5);
    Goldens.expect(
        GOLDEN,
        key,
        w,
        new String[] {"x", "gain", "bias"},
        new Tensor[] {x, gain.value(), bias.value()},
        in -> layer.apply(in[0]),
        1e-12);

    var plain = LayerNorm.of(DType.F64, gain.value().shape().toArray());
    Goldens.expect(
        GOLDEN,
        key + ".plain",
        w,
        new String[] {"x"},
        new Tensor[] {x},
        in -> plain.apply(in[0]),
        1e-12);
  }

  @Test
  void isARecordOfTwoParameters() {
    var layer = LayerNorm.of(4);
    assertThat(layer.parameters().names()).containsExactly("gain", "bias");
    assertThat(layer.apply(Tensor.full(DType.F32, 7, 2, 4)).toFloatArray()).containsOnly(0);
  }

  @Test
  void saysWhatDoesNotFit() {
    var layer = LayerNorm.of(2, 3);
    assertThatThrownBy(() -> layer.apply(Tensor.zeros(5, 3, 2)))
        .isInstanceOf(TensorException.class)
        .hasMessage("layerNorm: x [5,3,2] does not end in [2,3], the shape of the gain");
    assertThatThrownBy(() -> layer.apply(Tensor.zeros(3)))
        .hasMessageContaining("x [3] does not end in [2,3]");
    var three = Parameter.of(Tensor.ones(3));
    assertThatThrownBy(() -> new LayerNorm(three, Parameter.of(Tensor.ones(2)), 1e-5))
        .hasMessageContaining("got [3] and [2]");
    assertThatThrownBy(() -> new LayerNorm(three, three, -1)).hasMessageContaining("epsilon");
  }
}
