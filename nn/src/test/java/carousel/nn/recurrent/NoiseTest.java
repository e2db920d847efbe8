package carousel.nn.recurrent;

import static carousel.nn.recurrent.Layers.D;
import static carousel.nn.recurrent.Layers.cell;
import static carousel.nn.recurrent.Layers.random;
import static carousel.nn.recurrent.NoiseKernelTest.close;
import static carousel.tensor.DType.F64;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import carousel.autograd.Grad;
import carousel.nn.Parameters;
import carousel.nn.Training;
import carousel.nn.recurrent.Noise.Per;
import carousel.tensor.DType;
import carousel.tensor.Philox;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
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

  private static Tensor trained(Recurrent<?> layer, Tensor x, List<RecurrentState> start) {
    return Training.with(Philox.of(3), () -> layer.run(x, start)).y();
  }

  /** Of this many fair masks the share that is kept, within five standard deviations. */
  private static void share(Tensor kept, double expected) {
    double deviation = Math.sqrt(expected * (1 - expected) / kept.size());
    assertThat(kept.cast(F64).mean().item()).isCloseTo(expected, within(5 * deviation));
  }

  @ParameterizedTest
  @ValueSource(doubles = {0.1, 0.5, 0.8})
  void inputsHaveOneMaskForAllSteps(double p) {
    try (var scope = TensorScope.open()) {
      Tensor x = Tensor.ones(F64, 4, 500, UNITS);
      Tensor y =
          trained(Recurrent.of(new Probe(false)).withNoise(Noise.none().inputs(p)), x, List.of());
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
    try (var scope = TensorScope.open()) {
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
    try (var scope = TensorScope.open()) {
      Tensor x = Tensor.zeros(F64, 4, 500, UNITS);
      List<RecurrentState> ones = List.of(new HiddenState(Tensor.ones(F64, 500, UNITS)));
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

  /**
   * To drop of a state what weights multiply is to drop rows of those weights, which is what Gal and Ghahramani
   * do: for every cell, a run with noise is one without it by weights whose rows are scaled by the masks.
   */
  @Test
  void droppedStatesAreDroppedRowsOfWeights() {
    double p = 0.4;
    for (String name : Cells.names()) {
      try (var scope = TensorScope.open()) {
        var layer = Recurrent.of(cell(name));
        var scaled = Recurrent.of(cell(name));
        Tensor x = random(1, 7, 1, D);
        var start = RecurrentState.map(layer.cell().zero(1), s -> random(2, s.shape().toArray()));
        var rng = Philox.of(3);
        List<Tensor> masks = new ArrayList<>();
        for (Tensor s : start.tensors()) {
          Tensor mask = rng.bernoulli(1 - p, s.shape().toArray());
          masks.add(mask.cast(F64).div(1 - p).select(0, 0));
        }
        Layers.scaleRows(scaled, masks);
        Tensor noisy = trained(layer.withNoise(Noise.none().states(p)), x, List.of(start));
        close(name, noisy, scaled.run(x, List.of(start)).y());
        assertThat(noisy.sameValues(layer.run(x, List.of(start)).y())).as(name).isFalse();
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
    try (var scope = TensorScope.open()) {
      Tensor x = Tensor.arange(4).cast(F64).add(1).reshape(4, 1, 1).expand(4, 500, UNITS).copy();
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
    try (var scope = TensorScope.open()) {
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

  /** What is dropped is not read, so that its infinity, or its gradient, is seen nowhere. */
  @Test
  void whatIsDroppedMayBeInfinite() {
    try (var scope = TensorScope.open()) {
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
    try (var scope = TensorScope.open()) {
      Tensor x = random(1, 6, 2, D);
      var zero = Noise.none().candidate(1, Per.STEP);
      for (String name : CandidateCell.names()) {
        var layer = Recurrent.of(cell(name)).withNoise(zero);
        Tensor memory =
            Training.with(Philox.of(1), () -> layer.run(x)).states().getFirst().tensors().getLast();
        assertThat(memory.ne(0).any().item()).as(name).isZero();
      }
    }
  }

  @Test
  void cellsWithACandidateStepAsWithoutNoise() {
    assertThat(CandidateCell.names())
        .containsExactly("lstm", "peephole", "matrix-peephole", "cifg", "gru", "gru-after");
    try (var scope = TensorScope.open()) {
      for (String name : CandidateCell.names()) {
        same((CandidateCell<?>) cell(name));
      }
    }
  }

  private static <S extends RecurrentState> void same(CandidateCell<S> cell) {
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
    try (var scope = TensorScope.open()) {
      Tensor x = random(1, 1, 300, D).expand(6, 300, D).copy();
      // An LSTM whose memory is emptied at every step shows the candidate of that step alone.
      var lstm = (Lstm) cell("lstm");
      var layer = Recurrent.of(lstm).withNoise(Noise.none().candidate(0.5, Per.SEQUENCE));
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
    try (var scope = TensorScope.open()) {
      var layer =
          Recurrent.of(cell("lstm"))
              .withNoise(
                  Noise.none()
                      .inputs(0.3)
                      .states(0.3, 0.2)
                      .outputs(0.4)
                      .candidate(0.2, Per.SEQUENCE));
      Tensor x = random(1, 6, 4, D);
      Tensor taken = Tensor.of(1, 0, 1, 1, 0, 1).ne(0).unsqueeze(1).expand(6, 4).copy();
      var run =
          Training.with(Philox.of(3), () -> layer.run(x, Marks.none().withTaken(taken), List.of()));
      Tensor at = Tensor.of(0, 2, 3, 5);
      var alone = Training.with(Philox.of(3), () -> layer.run(x.indexSelect(at, 0)));
      close("outputs", run.y().indexSelect(at, 0), alone.y());
      assertThat(run.y().indexSelect(Tensor.of(1, 4), 0).ne(0).any().item()).isZero();
      close("last", run.last(), alone.last());
    }
  }

  /** A counter beside h. */
  record Counted(Tensor h, Tensor steps) implements RecurrentState {}

  private record Counting() implements Cell<Counted> {
    @Override
    public int inputs() {
      return 3;
    }

    @Override
    public int outputs() {
      return 3;
    }

    @Override
    public Tensor project(Tensor x) {
      return x;
    }

    @Override
    public Counted step(Tensor z, Counted state) {
      return new Counted(state.h().add(z), state.steps().add(1));
    }

    @Override
    public Counted zero(int batch) {
      return new Counted(Tensor.zeros(batch, 3), Tensor.zeros(DType.I32, batch, 1));
    }
  }

  @Test
  void countersAreLeftAlone() {
    try (var scope = TensorScope.open()) {
      Tensor x = Tensor.ones(4, 2, 3);
      for (Noise noise : List.of(Noise.none().zoneout(0.2), Noise.none().states(0.3))) {
        var layer = Recurrent.of(new Counting()).withNoise(noise);
        Tensor evaluated = layer.run(x).states().getFirst().tensors().getLast();
        assertThat(evaluated.toIntArray()).containsExactly(4, 4);
        var trained = Training.with(Philox.of(1), () -> layer.run(x)).states().getFirst();
        assertThat(trained.tensors().getLast().toIntArray()).containsExactly(4, 4);
      }
    }
  }
}
