package carousel.nn.recurrent;

import static carousel.nn.recurrent.Layers.D;
import static carousel.nn.recurrent.Layers.H;
import static carousel.nn.recurrent.Layers.cell;
import static carousel.nn.recurrent.Layers.flat;
import static carousel.nn.recurrent.Layers.random;
import static carousel.nn.recurrent.NoiseKernelTest.close;
import static carousel.tensor.DType.F64;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import carousel.autograd.Grad;
import carousel.nn.Parameters;
import carousel.nn.Training;
import carousel.nn.io.StateDict;
import carousel.nn.recurrent.Noise.Per;
import carousel.tensor.Philox;
import carousel.tensor.Scope;
import carousel.tensor.Tensor;
import carousel.tensor.TensorException;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What each kind of noise does, where it can be seen by itself. */
class NoiseTest {
  private static final int UNITS = 40;

  /** Gives its input, or what it had before: shows every mask as it is. */
  private record Probe(boolean remembers) implements Cell<HiddenState> {
    @Override
    public int inputs() {
      return UNITS;
    }

    @Override
    public int outputs() {
      return UNITS;
    }

    @Override
    public Parameters parameters() {
      return Parameters.of(List.of());
    }

    @Override
    public Tensor project(Tensor x) {
      return x;
    }

    @Override
    public HiddenState step(Tensor z, HiddenState state) {
      return new HiddenState(remembers ? state.h().add(z.mul(0)) : z);
    }

    @Override
    public HiddenState zero(int batch) {
      return new HiddenState(Tensor.zeros(F64, batch, UNITS));
    }
  }

  private static Tensor trained(Recurrent<?> layer, Tensor x, List<State> start) {
    return Training.with(Philox.of(3), () -> layer.run(x, start, null)).y();
  }

  /** Of this many fair masks the share that is kept, within five standard deviations. */
  private static void share(Tensor kept, double expected) {
    double deviation = Math.sqrt(expected * (1 - expected) / kept.size());
    assertThat(kept.cast(F64).mean().item()).isCloseTo(expected, within(5 * deviation));
  }

  @ParameterizedTest
  @ValueSource(doubles = {0.1, 0.5, 0.8})
  void inputsHaveOneMaskForAllSteps(double p) {
    try (var scope = Scope.open()) {
      Tensor x = Tensor.ones(F64, 4, 500, UNITS);
      Tensor y = trained(Recurrent.of(new Probe(false)).withNoise(Noise.none().inputs(p)), x, List.of());
      onOff(y.select(0, 0), 1 / (1 - p));
      share(y.select(0, 0).ne(0), 1 - p);
      for (int t = 1; t < 4; t++) {
        assertThat(y.select(0, t).sameValues(y.select(0, 0))).isTrue();
      }
    }
  }

  @ParameterizedTest
  @ValueSource(doubles = {0.1, 0.5, 0.8})
  void outputsHaveOneMaskForAllStepsAndAreNotCarried(double p) {
    try (var scope = Scope.open()) {
      Tensor x = Tensor.ones(F64, 4, 500, UNITS);
      var layer = Recurrent.of(new Probe(false)).withNoise(Noise.none().outputs(p));
      var run = Training.with(Philox.of(3), () -> layer.run(x));
      onOff(run.y().select(0, 0), 1 / (1 - p));
      share(run.y().select(0, 0).ne(0), 1 - p);
      for (int t = 1; t < 4; t++) {
        assertThat(run.y().select(0, t).sameValues(run.y().select(0, 0))).isTrue();
      }
      assertThat(run.last().sameValues(run.y().select(0, 3))).isTrue();
      assertThat(run.states().getFirst().tensors().getFirst().eq(1).all().item()).isOne();
    }
  }

  /** What is read at every step under one mask is 0, or has grown by the scale at every step. */
  @ParameterizedTest
  @ValueSource(doubles = {0.1, 0.5, 0.8})
  void statesHaveOneMaskForAllSteps(double p) {
    try (var scope = Scope.open()) {
      Tensor x = Tensor.zeros(F64, 4, 500, UNITS);
      List<State> ones = List.of(new HiddenState(Tensor.ones(F64, 500, UNITS)));
      for (var layer : List.of(Recurrent.of(new Probe(true)), Recurrent.reverse(new Probe(true)))) {
        boolean reverse = layer.direction() == Recurrent.Direction.REVERSE;
        Tensor y = trained(layer.withNoise(Noise.none().states(p)), x, ones);
        share(y.select(0, reverse ? 3 : 0).ne(0), 1 - p);
        for (int k = 0; k < 4; k++) {
          onOff(y.select(0, reverse ? 3 - k : k), Math.pow(1 / (1 - p), k + 1));
          assertThat(y.select(0, k).ne(0).sameValues(y.select(0, 0).ne(0))).isTrue();
        }
      }
    }
  }

  private static void onOff(Tensor y, double on) {
    Tensor error = y.mul(y.sub(on)).abs();
    assertThat(error.max().item()).isLessThan(1e-9 * on * on);
  }

  @ParameterizedTest
  @ValueSource(doubles = {0.05, 0.5, 0.9})
  void zoneoutKeepsUnitsByOtherMasksAtEveryStep(double z) {
    try (var scope = Scope.open()) {
      Tensor x =
          Tensor.arange(4).cast(F64).add(1).reshape(4, 1, 1).expand(4, 500, UNITS).copy();
      var layer = Recurrent.of(new Probe(false)).withNoise(Noise.none().zoneout(z));
      Tensor y = trained(layer, x, List.of());
      Tensor before = Tensor.zeros(F64, 500, UNITS);
      List<Tensor> masks = new ArrayList<>();
      for (int t = 0; t < 4; t++) {
        Tensor kept = y.select(0, t).ne(t + 1);
        assertThat(Tensor.where(kept, before, x.select(0, t)).sameValues(y.select(0, t))).isTrue();
        share(kept, z);
        masks.add(kept);
        before = y.select(0, t);
      }
      // As often together as independent masks are.
      share(masks.get(1).and(masks.get(2)), z * z);
    }
  }

  /** The expectation is what many draws come to, of a cell in which it is exact. */
  @Test
  void zoneoutOutsideOfTrainingIsTheMeanOfMany() {
    try (var scope = Scope.open()) {
      Tensor one = random(1, 4, 1, UNITS);
      Tensor x = one.expand(4, 5000, UNITS).copy();
      var layer = Recurrent.of(new Probe(false)).withNoise(Noise.none().zoneout(0.3));
      Tensor mean = trained(layer, x, List.of()).mean(1);
      Tensor expected = layer.run(one).y().select(1, 0);
      assertThat(mean.sub(expected).abs().max().item()).isLessThan(0.1);
      // 0.3·s' + 0.7·s, from 0.
      close("the first step", expected.select(0, 0), one.select(0, 0).select(0, 0).mul(0.7));
    }
  }

  @ParameterizedTest
  @MethodSource("carousel.nn.recurrent.Layers#cells")
  void zoneoutOutsideOfTrainingMixesStates(String name) {
    try (var scope = Scope.open()) {
      expectation(cell(name));
    }
  }

  private static <S extends State> void expectation(Cell<S> cell) {
    double[] rates = {0.1, 0.6};
    int parts = cell.zero(1).tensors().size();
    var noise =
        Noise.none().inputs(0.4).states(0.4).outputs(0.4).zoneout(java.util.Arrays.copyOf(rates, parts));
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
      s = State.with(s, mixed);
      close("step " + t, run.y().select(0, t), cell.output(s));
    }
    close("last", run.last(), cell.output(s));
  }

  @ParameterizedTest
  @MethodSource("carousel.nn.recurrent.Layers#cells")
  void dropoutIsForTrainingOnlyAndARateOfZeroIsNothing(String name) {
    try (var scope = Scope.open()) {
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
    try (var scope = Scope.open()) {
      var layer = Recurrent.of(cell(name));
      Tensor x = random(1, 4, 2, D);
      List<State> start = Layers.states(layer, 2, 2);
      assertThat(trained(layer.withNoise(Noise.none().outputs(1)), x, start).ne(0).any().item()).isZero();
      close(
          "inputs",
          trained(layer.withNoise(Noise.none().inputs(1)), x, start),
          layer.run(x.mul(0), start, null).y());
      // Every step begins at zeros, as a sequence of one step does.
      close(
          "states",
          trained(layer.withNoise(Noise.none().states(1)), x, start),
          layer
              .run(
                  x,
                  Marks.none().withResets(Tensor.ones(4, 2).ne(0)),
                  List.of())
              .y());
      for (boolean training : new boolean[] {true, false}) {
        var kept = layer.withNoise(Noise.none().zoneout(1));
        var run =
            training
                ? Training.with(Philox.of(3), () -> kept.run(x, start, null))
                : kept.run(x, start, null);
        for (int k = 0; k < start.getFirst().tensors().size(); k++) {
          assertThat(
                  run.states().getFirst().tensors().get(k)
                      .sameValues(start.getFirst().tensors().get(k)))
              .isTrue();
        }
      }
    }
  }

  /** What is dropped is not read, so that its infinity, or its gradient, is seen nowhere. */
  @Test
  void whatIsDroppedMayBeInfinite() {
    try (var scope = Scope.open()) {
      var layer = Recurrent.of(new Probe(false)).withNoise(Noise.none().inputs(1));
      Tensor x = Tensor.full(F64, Double.POSITIVE_INFINITY, 2, 3, UNITS);
      var gradients = Grad.orZero(() -> trained(layer, x, List.of()).square().sum(), x);
      assertThat(gradients.value().item()).isZero();
      assertThat(gradients.get(0).ne(0).any().item()).isZero();
    }
  }

  /** Only the memory of an LSTM is written to by the candidate: without it c is multiplied by gates. */
  @Test
  void withoutCandidatesNothingIsAdded() {
    try (var scope = Scope.open()) {
      Tensor x = random(1, 6, 2, D);
      var zero = Noise.none().candidate(1, Per.STEP);
      for (String name : CandidateCell.names()) {
        var layer = Recurrent.of(cell(name)).withNoise(zero);
        Tensor memory =
            Training.with(Philox.of(1), () -> layer.run(x))
                .states().getFirst().tensors().getLast();
        assertThat(memory.ne(0).any().item()).as(name).isZero();
      }
    }
  }

  @Test
  void cellsWithACandidateStepAsWithoutNoise() {
    assertThat(CandidateCell.names())
        .containsExactly("lstm", "peephole", "matrix-peephole", "cifg", "gru", "gru-after");
    try (var scope = Scope.open()) {
      for (String name : CandidateCell.names()) {
        same((CandidateCell<?>) cell(name));
      }
    }
  }

  private static <S extends State> void same(CandidateCell<S> cell) {
    Tensor z = cell.project(random(1, 1, 3, D)).select(0, 0);
    S state = Layers.state(cell, 3, 2);
    List<Tensor> widths = new ArrayList<>();
    S next =
        cell.step(
            z,
            state,
            g -> {
              widths.add(g);
              return g;
            });
    assertThat(widths).hasSize(1);
    assertThat(widths.getFirst().shape().toArray()).containsExactly(3, cell.candidates());
    for (int k = 0; k < next.tensors().size(); k++) {
      close("tensor " + k, next.tensors().get(k), cell.step(z, state).tensors().get(k));
    }
  }

  /** Candidates of one unit over time: one mask for all steps, or another at each. */
  @Test
  void candidatesHaveMasksPerStepOrPerSequence() {
    try (var scope = Scope.open()) {
      Tensor x = random(1, 1, 300, D).expand(6, 300, D).copy();
      // An LSTM whose memory is emptied at every step shows the candidate of that step alone.
      var lstm = (Lstm) cell("lstm");
      var layer =
          Recurrent.of(lstm).withNoise(Noise.none().candidate(0.5, Per.SEQUENCE));
      Marks anew = Marks.none().withResets(Tensor.ones(6, 300).ne(0));
      for (Per per : Per.values()) {
        var noisy = layer.withNoise(Noise.none().candidate(0.5, per));
        Tensor y = Training.with(Philox.of(2), () -> noisy.run(x, anew, List.of())).y().ne(0);
        share(y.select(0, 0), 0.5);
        boolean constant =
            IntStream.range(1, 6).allMatch(t -> y.select(0, t).sameValues(y.select(0, 0)));
        assertThat(constant).isEqualTo(per == Per.SEQUENCE);
        if (per == Per.STEP) {
          share(y.select(0, 1).and(y.select(0, 2)), 0.25);
        }
      }
    }
  }

  /** Skipped steps leave masks that hold for the whole sequence where they are. */
  @Test
  void masksOfASequenceDoNotDependOnItsLength() {
    try (var scope = Scope.open()) {
      var layer =
          Recurrent.of(cell("lstm"))
              .withNoise(
                  Noise.none().inputs(0.3).states(0.3, 0.2).outputs(0.4).candidate(0.2, Per.SEQUENCE));
      Tensor x = random(1, 6, 4, D);
      Tensor taken = Tensor.of(1, 0, 1, 1, 0, 1).ne(0).unsqueeze(1).expand(6, 4).copy();
      var run =
          Training.with(
              Philox.of(3), () -> layer.run(x, Marks.none().withTaken(taken), List.of()));
      Tensor at = Tensor.of(0, 2, 3, 5);
      var alone = Training.with(Philox.of(3), () -> layer.run(x.indexSelect(0, at)));
      close("outputs", run.y().indexSelect(0, at), alone.y());
      assertThat(run.y().indexSelect(0, Tensor.of(1, 4)).ne(0).any().item()).isZero();
      close("last", run.last(), alone.last());
    }
  }

  @Test
  void hasNoParametersAndIsNoPartOfAStateDict() {
    try (var scope = Scope.open()) {
      var plain = Recurrent.of(cell("lstm")).withLearnedStart();
      var noisy = plain.withNoise(NoiseKernelTest.everything(plain.cell(), Per.STEP));
      assertThat(names(noisy)).isEqualTo(names(plain));
      assertThat(names(Recurrent.of(cell("lstm")).withNoise(noisy.noise()).withLearnedStart()))
          .isEqualTo(names(plain));
      assertThat(plain.withNoise(noisy.noise()).withLearnedStart().noise()).isEqualTo(noisy.noise());
      var stateless = Recurrent.of(cell("lstm"));
      assertThat(StateDict.of(stateless.withNoise(noisy.noise())).keySet())
          .isEqualTo(StateDict.of(stateless).keySet());
    }
  }

  private static List<String> names(Recurrent<?> layer) {
    List<String> names = new ArrayList<>();
    layer.parameters().forEach(named -> names.add(named.name()));
    return names;
  }

  @Test
  void wrongRates() {
    Noise none = Noise.none();
    for (double rate : new double[] {-0.1, 1.1, Double.NaN}) {
      wrong("noise: the rate of inputs must be in [0, 1], got " + rate, () -> none.inputs(rate));
      wrong("noise: the rate of states must be in [0, 1]", () -> none.states(0.1, rate));
      wrong("noise: the rate of outputs must be in [0, 1]", () -> none.outputs(rate));
      wrong("noise: the rate of zoneout must be in [0, 1]", () -> none.zoneout(rate));
      wrong(
          "noise: the rate of candidate must be in [0, 1]", () -> none.candidate(rate, Per.STEP));
    }
    try (var scope = Scope.open()) {
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

  private static void wrong(String message, org.assertj.core.api.ThrowableAssert.ThrowingCallable call) {
    assertThatThrownBy(call).isInstanceOf(TensorException.class).hasMessageContaining(message);
  }
}
