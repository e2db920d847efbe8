package carousel.nn.loss;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import carousel.autograd.Grad;
import carousel.nn.Goldens;
import carousel.tensor.Tensor;
import carousel.tensor.TensorException;
import carousel.tensor.TensorScope;
import carousel.tensor.golden.Golden;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

class LossTest {
  private static final Golden REGRESSION = Golden.load("regression-losses");
  private static final Golden BCE = Golden.load("bce-with-logits");

  private TensorScope run;

  @BeforeEach
  void open() {
    run = TensorScope.open();
  }

  @AfterEach
  void close() {
    run.close();
  }

  private interface Pair {
    Tensor of(Tensor x, Tensor y, Reduction reduction);
  }

  private static final Map<String, Pair> PAIRS =
      Map.of(
          "mse",
          Loss::mse,
          "l1",
          Loss::l1,
          "smoothL1",
          (x, y, reduction) -> Loss.smoothL1(x, y, 0.5, reduction),
          "huber",
          (x, y, reduction) -> Loss.huber(x, y, 0.7, reduction));

  @TestFactory
  Stream<DynamicTest> regressionAgreesWithPyTorch() {
    return PAIRS.entrySet().stream()
        .flatMap(entry ->
            Stream.of(Reduction.values())
                .map(reduction -> {
                  String key = key(entry.getKey(), reduction);
                  return DynamicTest.dynamicTest(
                      key,
                      () -> {
                        try (var scope = TensorScope.open()) {
                          Goldens.expect(
                              REGRESSION,
                              key,
                              Goldens.tensor(REGRESSION, "w"),
                              new String[] {"x", "y"},
                              new Tensor[] {
                                Goldens.tensor(REGRESSION, "x"), Goldens.tensor(REGRESSION, "y")
                              },
                              in -> entry.getValue().of(in[0], in[1], reduction),
                              1e-12);
                        }
                      });
                }));
  }

  private static final Map<String, Pair> BINARY =
      Map.of(
          "bce",
          Loss::bceWithLogits,
          "bcePosWeight",
          (x, y, reduction) ->
              Loss.bceWithLogits(x, y, Goldens.tensor(BCE, "posWeight"), reduction));

  @TestFactory
  Stream<DynamicTest> binaryAgreesWithPyTorch() {
    return BINARY.entrySet().stream()
        .flatMap(entry ->
            Stream.of(Reduction.values())
                .map(reduction -> {
                  String key = key(entry.getKey(), reduction);
                  return DynamicTest.dynamicTest(
                      key,
                      () -> {
                        try (var scope = TensorScope.open()) {
                          Tensor y = Goldens.tensor(BCE, "y");
                          Goldens.expect(
                              BCE,
                              key,
                              Goldens.tensor(BCE, "w"),
                              new String[] {"x"},
                              new Tensor[] {Goldens.tensor(BCE, "x")},
                              in -> entry.getValue().of(in[0], y, reduction),
                              1e-12);
                        }
                      });
                }));
  }

  private static String key(String name, Reduction reduction) {
    return name + "." + reduction.name().toLowerCase(Locale.ROOT);
  }

  @Test
  void reducesByTheMeanUnlessTold() {
    Tensor x = Goldens.tensor(REGRESSION, "x");
    Tensor y = Goldens.tensor(REGRESSION, "y");
    REGRESSION.expect("mse.mean", Loss.mse(x, y).toDoubleArray(), 1e-12);
    Tensor logits = Goldens.tensor(BCE, "x");
    Tensor targets = Goldens.tensor(BCE, "y");
    BCE.expect("bce.mean", Loss.bceWithLogits(logits, targets).toDoubleArray(), 1e-12);
  }

  @Test
  void halfSquaredHasTheDifferenceForAGradient() {
    Tensor y = Tensor.of(1.0, 2.0, -3.0);
    Tensor d = Tensor.of(0.0, 4.0, -3.0);
    var gradients = Grad.of(() -> Loss.halfSquared(y, d), y, d);
    assertThat(gradients.value().item()).isEqualTo(2.5);
    assertThat(gradients.get(0).sameValues(y.sub(d))).isTrue();
    assertThat(gradients.get(1).sameValues(d.sub(y))).isTrue();
  }

  /** By logits the loss of a confident and right answer stays exact: e^-30 in F32 is far from 0. */
  @Test
  void bceWithLogitsDoesNotCancel() {
    Tensor x = Tensor.of(-30f, 30f);
    Tensor y = Tensor.of(0f, 1f);
    double expected = Math.log1p(Math.exp(-30));
    for (float loss : Loss.bceWithLogits(x, y, Reduction.NONE).toFloatArray()) {
      assertThat((double) loss).isCloseTo(expected, within(1e-6 * expected));
    }
  }

  @Test
  void binaryIsThatOfTheLogitsProbabilities() {
    Tensor x = Tensor.of(-2.0, 0.0, 3.0);
    Tensor y = Tensor.of(0.25, 1.0, 0.0);
    Tensor byLogits = Loss.bceWithLogits(x, y, Reduction.NONE);
    assertThat(Loss.binary(x.sigmoid(), y, Reduction.NONE).allClose(byLogits, 1e-14, 0)).isTrue();
    var direct = Grad.of(() -> Loss.binary(x.sigmoid(), y, Reduction.SUM), x);
    var logits = Grad.of(() -> Loss.bceWithLogits(x, y, Reduction.SUM), x);
    assertThat(direct.get(0).allClose(logits.get(0), 1e-13, 1e-15)).isTrue();
  }

  @Test
  void binaryCutsTheLogarithm() {
    Tensor p = Tensor.of(0.0, 1.0, 1.0, 0.0);
    Tensor y = Tensor.of(1.0, 0.0, 1.0, 0.0);
    assertThat(Loss.binary(p, y, Reduction.NONE).toDoubleArray())
        .usingComparatorWithPrecision(1e-9)
        .containsExactly(100, 100, 0, 0);
    for (double g : Grad.of(() -> Loss.binary(p, y, Reduction.SUM), p).get(0).toDoubleArray()) {
      assertThat(g).isFinite();
    }
  }

  @Test
  void neverBroadcasts() {
    Tensor x = Tensor.zeros(2, 3);
    Tensor y = Tensor.zeros(3);
    PAIRS.forEach((name, loss) ->
        assertThatThrownBy(() -> loss.of(x, y, Reduction.MEAN))
            .isInstanceOf(TensorException.class)
            .hasMessageContaining(
                name + ": shapes differ: [2,3] and [3]; a loss does not broadcast"));
    assertThatThrownBy(() -> Loss.bceWithLogits(x, y)).hasMessageContaining("shapes differ");
    assertThatThrownBy(() -> Loss.binary(x, y, Reduction.SUM))
        .hasMessageContaining("shapes differ");
    assertThatThrownBy(() -> Loss.halfSquared(x, y)).hasMessageContaining("halfSquared");
    assertThatThrownBy(() -> Loss.huber(x, x, 0, Reduction.SUM))
        .hasMessageContaining("huber: the width of the parabola must be above 0 and finite, got 0");
  }
}
