package carousel.nn.recurrent;

import static carousel.nn.recurrent.Layers.D;
import static carousel.nn.recurrent.Layers.H;
import static carousel.nn.recurrent.Layers.cell;
import static carousel.nn.recurrent.Layers.flat;
import static carousel.nn.recurrent.Layers.random;
import static carousel.nn.recurrent.Layers.weighted;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carousel.autograd.Grad;
import carousel.autograd.Gradients;
import carousel.nn.Parameter;
import carousel.tensor.Tensor;
import carousel.tensor.TensorException;
import carousel.tensor.TensorScope;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What a scan over any cell means: by other runs of the same cell, values and gradients. */
class ScanTest {
  private static final double SAME = 1e-12;

  private static void same(Tensor actual, Tensor expected, String what) {
    assertThat(actual.shape()).as(what).isEqualTo(expected.shape());
    assertThat(actual.sub(expected).abs().sum().item()).as(what).isLessThan(SAME);
  }

  private static void same(Gradients actual, Gradients expected) {
    same(actual.value(), expected.value(), "loss");
    for (int i = 0; i < expected.size(); i++) {
      same(actual.get(i), expected.get(i), "gradient of input " + i);
    }
  }

  private static Tensor[] inputs(Recurrent<?> layer, Tensor x) {
    return Layers.inputs(layer, x, List.of());
  }

  @ParameterizedTest
  @MethodSource("carousel.nn.recurrent.Layers#cells")
  void twoWindowsThatCarryTheStateAreOneLongRun(String name) {
    try (var scope = TensorScope.open()) {
      var layer = Recurrent.of(cell(name));
      Tensor x = random(1, 5, 2, D);
      Function<Tensor, Tensor> windows =
          in -> {
            var first = layer.run(in.narrow(0, 0, 2));
            var second = layer.run(in.narrow(0, 2, 3), first.states(), null);
            Tensor y = Tensor.concat(List.of(first.y(), second.y()), 0);
            return flat(new Sequence.Run(y, second.last(), second.states()));
          };
      same(windows.apply(x), flat(layer.run(x)), "outputs");
      same(
          Grad.of(() -> weighted(windows.apply(x), 7), inputs(layer, x)),
          Grad.of(() -> weighted(flat(layer.run(x)), 7), inputs(layer, x)));
    }
  }

  @ParameterizedTest
  @MethodSource("carousel.nn.recurrent.Layers#cells")
  void detachingTheStateCutsTheGradientBetweenWindows(String name) {
    try (var scope = TensorScope.open()) {
      var layer = Recurrent.of(cell(name));
      Tensor before = random(1, 2, 2, D);
      Tensor x = random(2, 2, 2, D);
      Function<List<RecurrentState>, Tensor> loss =
          states -> weighted(layer.run(x, states, null).y(), 7);
      var parameters = layer.parameters();

      var first = layer.run(before).states();
      var truncated =
          Grad.of(
              () ->
                  loss.apply(
                      layer.run(before).states().stream().map(RecurrentState::detach).toList()),
              parameters);
      same(truncated, Grad.of(() -> loss.apply(first), parameters));
      assertThat(
              truncated
                  .get(0)
                  .sub(Grad.of(() -> loss.apply(layer.run(before).states()), parameters).get(0))
                  .abs()
                  .max()
                  .item())
          .isPositive();
      assertThatThrownBy(() ->
              Grad.of(
                  () ->
                      loss.apply(
                          layer.run(before).states().stream().map(RecurrentState::detach).toList()),
                  before))
          .isInstanceOf(TensorException.class)
          .hasMessageContaining("does not depend on [input 0]");
    }
  }

  @ParameterizedTest
  @MethodSource("carousel.nn.recurrent.Layers#cells")
  void reverseIsForwardOnFlippedInput(String name) {
    try (var scope = TensorScope.open()) {
      Cell<?> cell = cell(name);
      var forward = Recurrent.of(cell);
      var reverse = Recurrent.reverse(cell);
      Tensor x = random(1, 4, 2, D);
      Function<Tensor, Tensor> flipped =
          in -> {
            var run = forward.run(in.flip(0));
            return flat(new Sequence.Run(run.y().flip(0), run.last(), run.states()));
          };
      same(flat(reverse.run(x)), flipped.apply(x), "outputs");
      same(
          Grad.of(() -> weighted(flat(reverse.run(x)), 7), inputs(reverse, x)),
          Grad.of(() -> weighted(flipped.apply(x), 7), inputs(reverse, x)));
    }
  }

  @ParameterizedTest
  @MethodSource("carousel.nn.recurrent.Layers#cells")
  void everyRowOfARaggedBatchIsAsAlone(String name) {
    int[] lengths = {2, 0, 4, 1};
    for (var direction : Recurrent.Direction.values()) {
      try (var scope = TensorScope.open()) {
        var layer = new Recurrent<>(cell(name), direction, List.of());
        Tensor x = random(1, 4, lengths.length, D);
        List<RecurrentState> initial = Layers.states(layer, lengths.length, 2);
        Tensor w = random(3, 4, lengths.length, H);
        List<Tensor> ws =
            Layers.tensors(initial).stream().map(s -> random(4, s.shape().toArray())).toList();

        var run = layer.run(x, initial, Tensor.of(lengths));
        for (int n = 0; n < lengths.length; n++) {
          var alone = alone(layer, x, initial, n, lengths[n]);
          Tensor y = run.y().narrow(1, n, 1);
          same(y.narrow(0, 0, lengths[n]), alone.y(), "outputs of row " + n);
          assertThat(y.narrow(0, lengths[n], 4 - lengths[n]).ne(0).any().item()).isZero();
          same(run.last().narrow(0, n, 1), alone.last(), "last output of row " + n);
          var states = Layers.tensors(run.states());
          for (int k = 0; k < states.size(); k++) {
            same(
                states.get(k).narrow(0, n, 1),
                Layers.tensors(alone.states()).get(k),
                "final state of row " + n);
          }
        }

        Tensor[] by = Layers.inputs(layer, x, initial);
        same(
            Grad.of(
                () -> {
                  var whole = layer.run(x, initial, Tensor.of(lengths));
                  return weigh(whole, w, ws);
                },
                by),
            Grad.of(
                () -> {
                  Tensor sum = w.scalarLike(0);
                  for (int n = 0; n < lengths.length; n++) {
                    int row = n;
                    var alone = alone(layer, x, initial, n, lengths[n]);
                    sum =
                        sum.add(
                            weigh(
                                alone,
                                w.narrow(1, n, 1).narrow(0, 0, lengths[n]),
                                ws.stream().map(s -> s.narrow(0, row, 1)).toList()));
                  }
                  return sum;
                },
                by));
      }
    }
  }

  private static Sequence.Run alone(
      Recurrent<?> layer, Tensor x, List<RecurrentState> initial, int row, int length) {
    var start = initial.stream().map(s -> RecurrentState.map(s, t -> t.narrow(0, row, 1))).toList();
    return layer.run(x.narrow(1, row, 1).narrow(0, 0, length), start, null);
  }

  private static Tensor weigh(Sequence.Run run, Tensor w, List<Tensor> ws) {
    Tensor sum = run.y().mul(w).sum();
    var states = Layers.tensors(run.states());
    for (int k = 0; k < ws.size(); k++) {
      sum = sum.add(states.get(k).mul(ws.get(k)).sum());
    }
    return sum;
  }

  @ParameterizedTest
  @MethodSource("carousel.nn.recurrent.Layers#cells")
  void noStepsLeaveTheInitialState(String name) {
    try (var scope = TensorScope.open()) {
      var layer = Recurrent.of(cell(name));
      Tensor x = random(1, 0, 2, D);
      List<RecurrentState> initial = Layers.states(layer, 2, 2);
      var run = layer.run(x, initial, null);
      assertThat(run.y().shape().toArray()).containsExactly(0, 2, H);
      same(run.last(), initial.getFirst().tensors().getFirst(), "last");
      same(flat(run), flat(new Sequence.Run(run.y(), run.last(), initial)), "initial state");
      // Zeros start a layer that is given nothing.
      var states = Layers.tensors(layer.run(x).states());
      assertThat(states).allSatisfy(s -> assertThat(s.abs().max().item()).isZero());
    }
  }

  @ParameterizedTest
  @MethodSource("carousel.nn.recurrent.Layers#cells")
  void theLastOutputIsThatOfTheLastStep(String name) {
    try (var scope = TensorScope.open()) {
      Tensor x = random(1, 3, 2, D);
      var forward = Recurrent.of(cell(name));
      var reverse = Recurrent.reverse(cell(name));
      same(forward.run(x).last(), forward.apply(x).select(0, 2), "forward");
      same(reverse.run(x).last(), reverse.apply(x).select(0, 0), "reverse");
      var both = Bidirectional.of(cell(name), cell(name, D, 2));
      var run = both.run(x);
      assertThat(both.outputs()).isEqualTo(2 * H);
      same(run.last().narrow(1, 0, H), run.y().select(0, 2).narrow(1, 0, H), "of forward");
      same(run.last().narrow(1, H, H), run.y().select(0, 0).narrow(1, H, H), "of reverse");
    }
  }

  /** A cell whose steps are not saved but run again. */
  private record Checkpointed<S extends RecurrentState>(Cell<S> cell) implements Cell<S> {
    @Override
    public int inputs() {
      return cell.inputs();
    }

    @Override
    public int outputs() {
      return cell.outputs();
    }

    @Override
    public Tensor project(Tensor x) {
      return cell.project(x);
    }

    @Override
    public S step(Tensor z, S state) {
      int parts = state.tensors().size();
      Tensor next =
          Grad.checkpoint(() -> Tensor.concat(cell.step(z, state).tensors(), Tensor.LAST));
      return RecurrentState.with(state, next.chunk(parts, Tensor.LAST));
    }

    @Override
    public S zero(int batch) {
      return cell.zero(batch);
    }
  }

  @ParameterizedTest
  @MethodSource("carousel.nn.recurrent.Layers#cells")
  void aCheckpointedCellHasTheSameGradients(String name) {
    try (var scope = TensorScope.open()) {
      Cell<?> cell = cell(name);
      var plain = Recurrent.of(cell);
      var checkpointed = Recurrent.of(new Checkpointed<>(cell));
      Tensor x = random(1, 4, 2, D);
      Tensor lengths = Tensor.of(4, 2);
      Tensor[] by = inputs(plain, x);
      same(
          Grad.of(() -> weighted(flat(checkpointed.run(x, List.of(), lengths)), 7), by),
          Grad.of(() -> weighted(flat(plain.run(x, List.of(), lengths)), 7), by));
    }
  }

  @ParameterizedTest
  @MethodSource("carousel.nn.recurrent.Layers#cells")
  void trainingHoldsNoMemoryFromStepToStep(String name) {
    try (var scope = TensorScope.open()) {
      var layer = Recurrent.of(cell(name)).withLearnedStart();
      Tensor x = random(1, 4, 2, D);
      List<Parameter> parameters =
          layer.parameters().stream().map(named -> named.parameter()).toList();
      var memory = scope.device().backend().memory();
      List<Long> inUse = new ArrayList<>();
      List<Double> losses = new ArrayList<>();
      for (int k = 0; k < 4; k++) {
        try (var step = TensorScope.open()) {
          var g = Grad.of(() -> layer.apply(x).sub(0.3).square().mean(), layer.parameters());
          for (int i = 0; i < parameters.size(); i++) {
            parameters.get(i).assign(parameters.get(i).value().sub(g.get(i).mul(0.05)));
          }
          losses.add(g.value().item());
        }
        inUse.add(memory.inUse());
      }
      assertThat(inUse).allMatch(inUse.getFirst()::equals);
      assertThat(losses.getLast()).isLessThan(losses.getFirst());
    }
  }

  @ParameterizedTest
  @MethodSource("carousel.nn.recurrent.Layers#cells")
  void aStateHandedToAnOuterScopeIsCarriedAcrossSteps(String name) {
    try (var scope = TensorScope.open()) {
      var layer = Recurrent.of(cell(name));
      Tensor x = random(1, 4, 2, D);
      List<RecurrentState> carried = Layers.states(layer, 2, 2);
      var whole = layer.run(x, carried, null);
      for (int t = 0; t < 4; t++) {
        try (var step = TensorScope.open()) {
          var run = layer.run(x.narrow(0, t, 1), carried, null);
          carried =
              run.states().stream()
                  .map(s -> RecurrentState.adopt(RecurrentState.detach(s), scope))
                  .toList();
        }
      }
      for (int k = 0; k < Layers.tensors(carried).size(); k++) {
        same(
            Layers.tensors(carried).get(k),
            Layers.tensors(whole.states()).get(k),
            "carried tensor " + k);
      }
    }
  }
}
