package carousel.nn.recurrent;

import static carousel.nn.recurrent.Layers.D;
import static carousel.nn.recurrent.Layers.H;
import static carousel.nn.recurrent.Layers.cell;
import static carousel.nn.recurrent.Layers.flat;
import static carousel.nn.recurrent.Layers.random;
import static carousel.nn.recurrent.NoiseKernelTest.close;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carousel.nn.Training;
import carousel.nn.recurrent.Noise.Per;
import carousel.tensor.DType;
import carousel.tensor.Philox;
import carousel.tensor.Tensor;
import carousel.tensor.TensorException;
import carousel.tensor.TensorScope;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Noise in training and outside of it, of every rate and none, and what it leaves alone. */
class NoiseModesTest {
  @ParameterizedTest
  @MethodSource("carousel.nn.recurrent.Layers#cells")
  void zoneoutOutsideOfTrainingMixesStates(String name) {
    try (var scope = TensorScope.open()) {
      expectation(cell(name), 0.1, 0.6);
      expectation(cell(name), 0, 0.6);
    }
  }

  private static <S extends RecurrentState> void expectation(Cell<S> cell, double... rates) {
    int parts = cell.zero(1).tensors().size();
    var noise =
        Noise.none().inputs(0.4).states(0.4).outputs(0.4).zoneout(Arrays.copyOf(rates, parts));
    Tensor x = random(1, 4, 2, D);
    var run = Recurrent.of(cell).withNoise(noise).run(x);
    S s = cell.zero(2);
    Tensor z = cell.project(x);
    for (int t = 0; t < 4; t++) {
      S next = cell.step(z.select(0, t), s);
      List<Tensor> mixed = new ArrayList<>();
      for (int k = 0; k < parts; k++) {
        Tensor old = s.tensors().get(k);
        mixed.add(old.add(next.tensors().get(k).sub(old).mul(1 - rates[k])));
      }
      s = RecurrentState.with(s, mixed);
      close("step " + t, run.y().select(0, t), cell.output(s));
    }
    close("last", run.last(), cell.output(s));
  }

  @ParameterizedTest
  @MethodSource("carousel.nn.recurrent.Layers#cells")
  void dropoutIsForTrainingOnlyAndARateOfZeroIsNothing(String name) {
    try (var scope = TensorScope.open()) {
      var plain = Recurrent.of(cell(name));
      Tensor x = random(1, 4, 2, D);
      Noise dropout = Noise.none().inputs(0.3).states(0.3).outputs(0.3);
      if (plain.cell() instanceof CandidateCell) {
        dropout = dropout.candidate(0.5, Per.STEP);
      }
      var noisy = plain.withNoise(dropout);
      Tensor expected = flat(plain.run(x));
      assertThat(flat(noisy.run(x)).sameValues(expected)).isTrue();
      var rng = Philox.of(1);
      Tensor inside = Training.with(rng, () -> Training.without(() -> flat(noisy.run(x))));
      assertThat(inside.sameValues(expected)).isTrue();
      assertThat(Training.with(rng, () -> flat(plain.run(x))).sameValues(expected)).isTrue();
      var zero =
          plain.withNoise(
              Noise.none().inputs(0).states(0).outputs(0).zoneout(0).candidate(0, Per.SEQUENCE));
      assertThat(Training.with(rng, () -> flat(zero.run(x))).sameValues(expected)).isTrue();
      assertThat(rng.counter()).isZero();
      assertThat(Training.with(rng, () -> flat(noisy.run(x))).sameValues(expected)).isFalse();
      assertThat(rng.counter()).isPositive();
    }
  }

  @ParameterizedTest
  @MethodSource("carousel.nn.recurrent.Layers#cells")
  void aRateOfOneDropsOrKeepsEverything(String name) {
    try (var scope = TensorScope.open()) {
      var layer = Recurrent.of(cell(name));
      Tensor x = random(1, 4, 2, D);
      List<RecurrentState> start = Layers.states(layer, 2, 2);
      assertThat(trained(layer.withNoise(Noise.none().outputs(1)), x, start).ne(0).any().item())
          .isZero();
      close(
          "inputs",
          trained(layer.withNoise(Noise.none().inputs(1)), x, start),
          layer.run(x.mul(0), start).y());
      Tensor blind = trained(layer.withNoise(Noise.none().states(1)), x, start);
      if (name.equals(Layers.USERS)) {
        // A cell that does not say what it carries on: every step begins at zeros.
        var resets = Marks.none().withResets(Tensor.ones(4, 2).ne(0));
        close("states", blind, layer.run(x, resets, List.of()).y());
      } else {
        var none = Recurrent.of(cell(name));
        var first = start.getFirst().tensors();
        Layers.scaleRows(none, first.stream().map(s -> s.select(0, 0).mul(0)).toList());
        close("states", blind, none.run(x, start).y());
      }
      for (boolean training : new boolean[] {true, false}) {
        var kept = layer.withNoise(Noise.none().zoneout(1));
        var run =
            training ? Training.with(Philox.of(3), () -> kept.run(x, start)) : kept.run(x, start);
        for (int k = 0; k < start.getFirst().tensors().size(); k++) {
          assertThat(
                  run.states()
                      .getFirst()
                      .tensors()
                      .get(k)
                      .sameValues(start.getFirst().tensors().get(k)))
              .isTrue();
        }
      }
    }
  }

  @Test
  void hasNoParameters() {
    try (var scope = TensorScope.open()) {
      var plain = Recurrent.of(cell("lstm")).withLearnedStart();
      var noisy = plain.withNoise(NoiseKernelTest.everything(plain.cell(), Per.STEP));
      assertThat(names(noisy)).isEqualTo(names(plain));
      assertThat(names(Recurrent.of(cell("lstm")).withNoise(noisy.noise()).withLearnedStart()))
          .isEqualTo(names(plain));
      assertThat(plain.withNoise(noisy.noise()).withLearnedStart().noise())
          .isEqualTo(noisy.noise());
    }
  }

  private static List<String> names(Recurrent<?> layer) {
    List<String> names = new ArrayList<>();
    layer.parameters().forEach(named -> names.add(named.name()));
    return names;
  }

  @Test
  void wrongRates() {
    var none = Noise.none();
    for (double rate : new double[] {-0.1, 1.1, Double.NaN}) {
      wrong("noise: the rate of inputs must be in [0, 1], got " + rate, () -> none.inputs(rate));
      wrong("noise: the rate of states must be in [0, 1]", () -> none.states(0.1, rate));
      wrong("noise: the rate of outputs must be in [0, 1]", () -> none.outputs(rate));
      wrong("noise: the rate of zoneout must be in [0, 1]", () -> none.zoneout(rate));
      wrong("noise: the rate of candidate must be in [0, 1]", () -> none.candidate(rate, Per.STEP));
    }
    try (var scope = TensorScope.open()) {
      var lstm = Recurrent.of(cell("lstm"));
      var elman = Recurrent.of(cell("elman"));
      wrong(
          "recurrent Lstm: noise has 3 rates of zoneout for LstmState, a state of 2; give one for"
              + " each tensor, or one for all",
          () -> lstm.withNoise(none.zoneout(0.1, 0.2, 0.3)));
      wrong(
          "recurrent Elman: noise has 2 rates of states for HiddenState, a state of 1",
          () -> elman.withNoise(none.states(0.1, 0)));
      wrong(
          "recurrent Elman: the cell has no candidate of which noise could drop; those that have one"
              + " are lstm, peephole, matrix-peephole, cifg, gru, gru-after, and any CandidateCell",
          () -> elman.withNoise(none.candidate(0.1, Per.STEP)));
      assertThat(elman.withNoise(none.candidate(0, Per.STEP)).outputs()).isEqualTo(H);
    }
  }

  private static void wrong(String message, ThrowingCallable call) {
    assertThatThrownBy(call).isInstanceOf(TensorException.class).hasMessageContaining(message);
  }

  private static Tensor trained(Recurrent<?> layer, Tensor x, List<RecurrentState> start) {
    return Training.with(Philox.of(3), () -> layer.run(x, start)).y();
  }

  @Test
  void ofNothingIsNothing() {
    try (var scope = TensorScope.open()) {
      for (String name : List.of("lstm", "gru", "jordan")) {
        var layer =
            Recurrent.of(cell(name)).withNoise(NoiseKernelTest.everything(cell(name), Per.STEP));
        List<RecurrentState> start = Layers.states(layer, 2, 2);
        var run = Training.with(Philox.of(3), () -> layer.run(random(1, 0, 2, D), start));
        assertThat(run.y().shape().toArray()).containsExactly(0, 2, H);
        assertThat(run.states().getFirst().tensors().getFirst())
            .satisfies(
                h -> assertThat(h.sameValues(start.getFirst().tensors().getFirst())).isTrue());
        var empty = Training.with(Philox.of(3), () -> layer.run(Tensor.zeros(DType.F64, 3, 0, D)));
        assertThat(empty.y().shape().toArray()).containsExactly(3, 0, H);
      }
    }
  }
}
