package carousel.nn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carousel.autograd.Anomaly;
import carousel.autograd.Grad;
import carousel.nn.init.Init;
import carousel.nn.layer.Attention;
import carousel.nn.recurrent.Ctc;
import carousel.nn.recurrent.Lstm;
import carousel.nn.recurrent.Recurrent;
import carousel.tensor.DType;
import carousel.tensor.Philox;
import carousel.tensor.Tensor;
import carousel.tensor.TensorException;
import carousel.tensor.TensorScope;
import java.util.Map;
import java.util.function.Supplier;
import org.assertj.core.api.AbstractThrowableAssert;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Where a number that is not finite was born is named. */
class AnomalyTest {
  private final TensorScope scope = TensorScope.open();

  @AfterEach
  void close() {
    scope.close();
  }

  private static AbstractThrowableAssert<?, ? extends Throwable> found(Supplier<?> code) {
    return assertThatThrownBy(() -> Anomaly.detect(code)).isInstanceOf(TensorException.class);
  }

  @Test
  void namesTheOpTheElementThePlaceAndThePath() {
    Tensor x = Tensor.of(1f, -2, 3);
    found(() -> Grad.of(() -> x.mul(2).relu().log().exp().sum(), x))
        .hasMessageStartingWith("anomaly: log, gave -Infinity at [1] of F32 [3]\n")
        .hasMessageContaining("operand 0: F32 [3], from 0.0 to 6.0")
        .hasMessageContaining("applied at ")
        .hasMessageContaining("AnomalyTest.java:")
        .hasMessageEndingWith("path: log ← relu ← mul");
  }

  @Test
  void namesTheOpWhoseGradientItIs() {
    Tensor x = Tensor.of(4f, 0, 1);
    // Its value is finite; its slope at 0 is not.
    found(() -> Grad.of(() -> x.sqrt().mul(3).sum(), x))
        .hasMessageStartingWith("anomaly: the gradient of sqrt, in its ")
        .hasMessageContaining("gave Infinity at [1] of F32 [3]")
        .hasMessageContaining("sqrt applied at ")
        .hasMessageContaining("AnomalyTest.java:")
        .hasMessageContaining("path: gradient of sqrt ← gradient of mul ← gradient of sum");
  }

  @Test
  void namesTheOpWhoseSecondGradientItIs() {
    Tensor x = Tensor.of(0.0, 2);
    // x^1.5 has a slope of 0 at 0, whose own slope is infinite.
    assertThat(Grad.of(() -> x.pow(1.5).sum(), x).get(0).get(0)).isZero();
    found(() -> Grad.of(() -> Grad.of(() -> x.pow(1.5).sum(), x).get(0).sum(), x))
        .hasMessageContaining("gave Infinity at [0]")
        .hasMessageContaining("the gradient of ")
        .hasMessageContaining("gradient of sum");
  }

  @Test
  void namesWhatCameFromOutside() {
    Tensor x = Tensor.of(1f, Float.NaN);
    found(() -> x.add(1).exp())
        .hasMessageStartingWith(
            "anomaly: NaN came from outside of the code, at [1] of F32 [2], an operand of add");
    Tensor limit = Tensor.of(1f, 2).maximum(Double.NEGATIVE_INFINITY);
    assertThat(limit.toFloatArray()).containsExactly(1, 2);
    assertThat(Anomaly.detect(() -> Tensor.of(1f, 2).maximum(Double.NEGATIVE_INFINITY)).get(0))
        .isEqualTo(1);
  }

  /** What hides by −∞ is finite where it is read, and so is its gradient. */
  @Test
  void aLimitIsNoAnomaly() {
    Tensor x = Tensor.of(new float[][] {{1, 2, 3}, {4, 5, 6}});
    Tensor mask = Tensor.of(new boolean[][] {{true, false, false}, {false, true, true}});
    Tensor square = Tensor.of(new boolean[][] {{true, false}, {false, false}});
    double hidden = Double.NEGATIVE_INFINITY;
    Map<String, Supplier<Tensor>> codes =
        Map.of(
            "softmax", () -> x.maskedFill(mask, hidden).softmax(1).square().sum(),
            "logSumExp", () -> x.maskedFill(mask, hidden).mul(2).transpose(0, 1).logSumExp(0).sum(),
            "max", () -> x.maskedFill(mask, hidden).max(1).sum(),
            "additive",
                () -> x.add(x.zerosLike().maskedFill(mask, hidden)).softmax(1).square().sum(),
            "pad", () -> x.pad(1, 1, 1, hidden).softmax(1).square().sum(),
            "full", () -> x.maximum(Tensor.full(DType.F32, hidden, 3)).sum(),
            "cummax", () -> x.pad(1, 1, 0, hidden).max(1).sum(),
            "attention", () -> Attention.scaledDotProduct(x, x, x, square).square().sum(),
            "ctc",
                () -> Ctc.of().apply(x.unsqueeze(1).logSoftmax(2), Tensor.of(new int[][] {{1}})));
    codes.forEach((name, code) -> {
      Tensor plain = Grad.of(code, x).get(0);
      Tensor watched = Anomaly.detect(() -> Grad.of(code, x).get(0));
      assertThat(watched.allClose(plain, 1e-5, 1e-7)).as(name).isTrue();
    });
  }

  /** A limit explains an infinity where it is one, and never a NaN. */
  @Test
  void besideALimitAnomaliesAreFound() {
    Tensor x = Tensor.of(1f, 0, 3);
    Tensor mask = Tensor.of(true, false, false);
    Supplier<Tensor> filled = () -> x.maskedFill(mask, Double.NEGATIVE_INFINITY);
    found(() -> filled.get().add(x.log()))
        .hasMessageStartingWith("anomaly: log, gave -Infinity at [1] of F32 [3]");
    found(() -> filled.get().mul(3e38).mul(3e38))
        .hasMessageStartingWith("anomaly: mul, gave Infinity at [2] of F32 [3]");
    found(() -> filled.get().mul(0)).hasMessageStartingWith("anomaly: mul, gave NaN at [0]");
    found(() -> filled.get().narrow(0, 0, 1).softmax(0))
        .hasMessageContaining("softmax, gave NaN at [0]");
    Tensor data = Tensor.of(1f, Float.NEGATIVE_INFINITY);
    found(() -> data.exp()).hasMessageStartingWith("anomaly: -Infinity came from outside");
  }

  @Test
  void looksInsideOfLayers() {
    var init = Init.uniform(0.5);
    var lstm = Recurrent.of(Lstm.of(2, 3, init, Philox.of(1)));
    Tensor x = Philox.of(2).uniform(DType.F32, -1, 1, 4, 2, 2);
    var wx = lstm.parameters().get("cell.wx");
    wx.assign(wx.value().onesLike().mul(3e38));
    found(() -> Grad.of(() -> lstm.run(x).y().sum(), lstm.parameters()))
        .hasMessageContaining("gave ")
        .hasMessageContaining("carousel.nn.recurrent")
        .hasMessageContaining("AnomalyTest.java:");
  }

  @Test
  void changesNothingWhereAllIsWell() {
    var lstm = Recurrent.of(Lstm.of(2, 3, Init.uniform(0.5), Philox.of(1)));
    Tensor x = Philox.of(2).uniform(DType.F32, -1, 1, 4, 2, 2);
    var plain = Grad.of(() -> lstm.run(x).y().square().sum(), lstm.parameters());
    var watched =
        Anomaly.detect(() -> Grad.of(() -> lstm.run(x).y().square().sum(), lstm.parameters()));
    for (int i = 0; i < plain.size(); i++) {
      assertThat(watched.get(i).allClose(plain.get(i), 1e-5, 1e-6)).isTrue();
    }
  }
}
