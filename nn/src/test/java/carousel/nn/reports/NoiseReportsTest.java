package carousel.nn.reports;

import static carousel.tensor.DType.F64;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import carousel.autograd.Grad;
import carousel.autograd.Gradients;
import carousel.nn.Layer;
import carousel.nn.Parameters;
import carousel.nn.Training;
import carousel.nn.init.Init;
import carousel.nn.layer.Dropout;
import carousel.nn.recurrent.Cell;
import carousel.nn.recurrent.Cells;
import carousel.nn.recurrent.GruResetAfter;
import carousel.nn.recurrent.GruResetBefore;
import carousel.nn.recurrent.HiddenState;
import carousel.nn.recurrent.Lstm;
import carousel.nn.recurrent.Marks;
import carousel.nn.recurrent.Noise;
import carousel.nn.recurrent.Recurrent;
import carousel.nn.recurrent.Stacked;
import carousel.tensor.Philox;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import java.util.List;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** What users of other frameworks reported of dropout, in layers over time and in checkpoints, tried here. */
class NoiseReportsTest {
  private static final Init INIT = Init.uniform(0.5).as(F64);

  private final Philox rng = Philox.of(15);
  private TensorScope run;

  @BeforeEach
  void open() {
    run = TensorScope.open();
  }

  @AfterEach
  void close() {
    run.close();
  }

  private static void same(Tensor a, Tensor b) {
    assertThat(a.sameValues(b)).as("%s and %s", a, b).isTrue();
  }

  @Test
  @DisplayName("Paddle 37080: two layers with a dropout of 0 between them, in training")
  void dropoutOfZero() {
    var lower = Recurrent.of(Lstm.of(3, 4, INIT, rng));
    var upper = Recurrent.of(Lstm.of(4, 5, INIT, rng));
    var stack = new Stacked(List.of(lower, upper), new Dropout(0));
    Tensor x = rng.uniform(F64, -1, 1, 6, 2, 3);
    var leaves = stack.parameters();
    Gradients g =
        Grad.of(() -> Training.with(Philox.of(1), () -> stack.apply(x).square().sum()), leaves);
    Gradients byHand = Grad.of(() -> upper.apply(lower.apply(x)).square().sum(), leaves);
    for (int i = 0; i < leaves.size(); i++) {
      same(g.get(i), byHand.get(i));
    }
  }

  @Test
  @DisplayName(
      "TensorFlow 11650, Keras 20276: a memory is not dropped, and does not grow, where states are")
  void carriedStates() {
    for (Cell<HiddenState> cell :
        List.of(GruResetAfter.of(2, 3, INIT, rng), GruResetBefore.of(2, 3, INIT, rng))) {
      hold(cell);
      var layer = Recurrent.of(cell).withNoise(Noise.none().states(0.5));
      Tensor h = rng.uniform(F64, -1, 1, 2, 3);
      Tensor x = Tensor.zeros(F64, 200, 2, 2);
      Tensor last = Training.with(Philox.of(2), () -> layer.run(x, new HiddenState(h)).last());
      assertThat(last.toDoubleArray()).containsExactly(h.toDoubleArray(), within(1e-12));
    }
  }

  /** z = 1: the state stays what it is. */
  private static void hold(Layer cell) {
    for (var named : cell.parameters()) {
      named.value().fill(0);
      if (named.name().equals("b")) {
        named.value().narrow(0, 3, 3).fill(1000);
      }
    }
  }

  @Test
  @DisplayName(
      "guided-diffusion 167, PyTorch 193671: a checkpoint draws again what it drew, to second order")
  void checkpoints() {
    var layer =
        Recurrent.of(Lstm.of(3, 4, INIT, rng))
            .withNoise(
                Noise.none()
                    .inputs(0.3)
                    .states(0.3, 0)
                    .outputs(0.3)
                    .zoneout(0.2)
                    .candidate(0.3, Noise.Per.STEP));
    var dropout = new Dropout(0.4);
    Tensor x = rng.uniform(F64, -1, 1, 6, 2, 3);
    var leaves = layer.parameters();
    Supplier<Tensor> plain = () -> dropout.apply(layer.apply(x)).square().sum();
    Supplier<Tensor> once = () -> Grad.checkpoint(plain);
    Supplier<Tensor> nested =
        () ->
            Grad.checkpoint(() ->
                dropout.apply(Grad.checkpoint(() -> dropout.apply(layer.apply(x)))).square().sum());
    Supplier<Tensor> nestedPlain =
        () -> dropout.apply(dropout.apply(layer.apply(x))).square().sum();
    compare(once, plain, leaves);
    compare(nested, nestedPlain, leaves);
  }

  private static void compare(Supplier<Tensor> a, Supplier<Tensor> b, Parameters leaves) {
    for (int i = 0; i < leaves.size(); i++) {
      same(training(() -> Grad.of(a, leaves)).get(i), training(() -> Grad.of(b, leaves)).get(i));
    }
    List<Tensor> tensors = leaves.stream().map(Parameters.Named::value).toList();
    List<Tensor> ones = tensors.stream().map(Tensor::onesLike).toList();
    List<Tensor> got = training(() -> Grad.hvp(a, tensors, ones));
    List<Tensor> wanted = training(() -> Grad.hvp(b, tensors, ones));
    for (int i = 0; i < got.size(); i++) {
      assertThat(got.get(i).toDoubleArray())
          .containsExactly(wanted.get(i).toDoubleArray(), within(1e-12));
    }
  }

  private static <R> R training(Supplier<R> body) {
    return Training.with(Philox.of(3), body);
  }

  @Test
  @DisplayName(
      "TensorFlow 35724: one mask for all steps of a run, another for the next, the same expectation")
  void masksOfRuns() {
    var layer =
        Recurrent.of(Cells.of("elman-identity", 1, 1, Init.zeros().as(F64), rng))
            .withNoise(Noise.none().inputs(0.25));
    for (var named : layer.parameters()) {
      if (named.name().endsWith("wx")) {
        named.value().fill(1);
      }
    }
    Tensor x = Tensor.ones(F64, 3, 20_000, 1);
    Tensor y = training(() -> layer.apply(x));
    same(y.select(0, 0).contiguous(), y.select(0, 2).contiguous());
    assertThat(y.select(0, 0).mean().item()).isCloseTo(1, within(0.02)); // 5 deviations
    var both = training(() -> List.of(layer.apply(x), layer.apply(x)));
    assertThat(both.get(0).sameValues(both.get(1))).isFalse();
    assertThat(layer.run(x, Marks.none(), List.of()).y().toDoubleArray()).containsOnly(1);
  }
}
