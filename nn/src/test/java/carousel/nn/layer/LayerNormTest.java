package carousel.nn.layer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carousel.nn.Goldens;
import carousel.nn.Parameter;
import carousel.nn.recurrent.Cell;
import carousel.nn.recurrent.HiddenState;
import carousel.nn.recurrent.Recurrent;
import carousel.tensor.DType;
import carousel.tensor.Philox;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import carousel.tensor.TensorException;
import carousel.tensor.TensorScope;
import carousel.tensor.golden.Golden;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class LayerNormTest {
  private static final Golden GOLDEN = Golden.load("layer-norm");

  private TensorScope run;

  @BeforeEach
  void open() {
    run = TensorScope.open();
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

  /** Rows far from 0, as exact as F64 finds them of the same numbers; by ops, and in the kernel of a step. */
  @ParameterizedTest
  @ValueSource(doubles = {0, 1e2, 1e4, -1e5, 1e6})
  void isExactFarFromZero(double offset) {
    for (int width : new int[] {3, 64, 300}) {
      Tensor x = Philox.of(width).normal(DType.F32, 0, 1, 4, width).add(offset);
      Tensor right = LayerNorm.of(DType.F64, width).apply(x.cast(DType.F64));
      Tensor y = LayerNorm.of(DType.F32, width).apply(x);
      assertThat(y.cast(DType.F64).sub(right).abs().max().item())
          .as("width %d", width)
          .isLessThan(3e-6);
      var cell = new Normalised(LayerNorm.of(DType.F32, width));
      Tensor inScan = Recurrent.of(cell).apply(x.unsqueeze(0)).squeeze(0);
      assertThat(inScan.cast(DType.F64).sub(right).abs().max().item())
          .as("width %d, in a scan", width)
          .isLessThan(3e-6);
      // Equal numbers have no spread, whatever rounding says.
      Tensor equal = Tensor.full(DType.F32, offset + 0.1, 2, width);
      assertThat(
              new LayerNorm(cell.norm().gain(), cell.norm().bias(), 1e-12)
                  .apply(equal)
                  .abs()
                  .max()
                  .item())
          .as("equal numbers, width %d", width)
          .isLessThan(1e-2);
    }
  }

  /** Whatever the scale, as long as squares fit; beyond, never some number that looks right. */
  @ParameterizedTest
  @ValueSource(doubles = {1e3, 1e10, 1e17, 1e18, 2e19, 1e20, 1e30, 1e38})
  void isRightAsFarAsSquaresFit(double scale) {
    for (int width : new int[] {3, 64, 300}) {
      Tensor x = Philox.of(width).uniform(DType.F32, -1, 1, 4, width).mul(scale);
      Tensor right = LayerNorm.of(DType.F64, width).apply(x.cast(DType.F64));
      var layer = LayerNorm.of(DType.F32, width);
      Tensor inScan = Recurrent.of(new Normalised(layer)).apply(x.unsqueeze(0)).squeeze(0);
      for (Tensor y : List.of(layer.apply(x), inScan)) {
        if (scale <= 1e17) {
          assertThat(y.allClose(right.cast(DType.F32), 0, 3e-6)).as("width %d", width).isTrue();
        } else {
          for (int row = 0; row < 4; row++) {
            Tensor is = y.select(0, row);
            boolean gone = is.isNan().all().item() == 1 || is.abs().max().item() == 0;
            assertThat(gone || is.allClose(right.select(0, row).cast(DType.F32), 0, 3e-6))
                .as("width %d, row %d: %s", width, row, is)
                .isTrue();
          }
        }
      }
    }
  }

  /** What a layer gives of the input, step by step. */
  private record Normalised(LayerNorm norm) implements Cell<HiddenState> {
    @Override
    public int inputs() {
      return norm.gain().value().dim(0);
    }

    @Override
    public int outputs() {
      return inputs();
    }

    @Override
    public Tensor project(Tensor x) {
      return x;
    }

    @Override
    public HiddenState step(Tensor z, HiddenState state) {
      return new HiddenState(norm.apply(z));
    }

    @Override
    public HiddenState zero(int batch) {
      return new HiddenState(norm.gain().value().zerosLike(Shape.of(batch, outputs())));
    }
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
