package carousel.nn.recurrent;

import static carousel.nn.recurrent.Layers.cell;
import static carousel.nn.recurrent.Layers.random;

import carousel.autograd.GradCheck;
import carousel.tensor.Philox;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import carousel.tensor.contract.Combinations;
import java.util.List;
import java.util.function.Function;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.DynamicContainer;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/**
 * What every cell owes: first and second order by all parameters, x and the initial state, in every
 * way a layer runs it. The seeds keep the ReLU cells more than a difference away from their kinks.
 */
class CellContractTest {

  /** A way to run: the layer over a cell, T, N, the lengths (none if empty), and who starts. */
  private record Way(
      String name,
      Function<String, Sequence> layer,
      int steps,
      int rows,
      List<Integer> lengths,
      boolean given) {

    @Nullable Tensor mask() {
      return lengths.isEmpty()
          ? null
          : Tensor.of(lengths.stream().mapToInt(Integer::intValue).toArray());
    }
  }

  private static final List<Way> WAYS =
      List.of(
          new Way("forward", n -> Recurrent.of(cell(n)), 3, 2, List.of(), true),
          new Way("one step", n -> Recurrent.of(cell(n)), 1, 2, List.of(), true),
          new Way("one row, from zeros", n -> Recurrent.of(cell(n)), 3, 1, List.of(), false),
          new Way("ragged", n -> Recurrent.of(cell(n)), 3, 3, List.of(2, 0, 3), true),
          new Way("reverse", n -> Recurrent.reverse(cell(n)), 2, 2, List.of(), true),
          new Way("ragged reverse", n -> Recurrent.reverse(cell(n)), 3, 2, List.of(1, 3), true),
          new Way(
              "ragged bidirectional",
              n -> Bidirectional.of(cell(n), cell(n, Layers.D, 2)),
              2,
              2,
              List.of(1, 2),
              false),
          new Way("learned start", n -> learned(cell(n)), 2, 2, List.of(), false),
          new Way(
              "all rows empty, learned start", n -> learned(cell(n)), 1, 2, List.of(0, 0), false));

  private static Recurrent<?> learned(Cell<?> cell) {
    return Layers.fillZeros(Recurrent.of(cell).withLearnedStart(), Philox.of(6));
  }

  @TestFactory
  Stream<DynamicContainer> gradientsToSecondOrder() {
    return Combinations.numbered(Layers.cells())
        .map(name ->
            DynamicContainer.dynamicContainer(
                name.value(),
                Combinations.numbered(WAYS.stream())
                    .filter(way -> Combinations.isTried(3, name.number(), way.number()))
                    .map(way ->
                        DynamicTest.dynamicTest(
                            way.value().name, () -> check(name.value(), way.value())))));
  }

  private static void check(String name, Way way) {
    try (var scope = TensorScope.open()) {
      Sequence layer = way.layer.apply(name);
      Tensor x = random(3, way.steps, way.rows, Layers.D);
      List<RecurrentState> initial = way.given ? Layers.states(layer, way.rows, 4) : List.of();
      Tensor lengths = way.mask();
      GradCheck.standard()
          .run(
              name + ", " + way.name,
              in -> Layers.flat(layer.run(in[0], initial, lengths)),
              Layers.inputs(layer, x, initial))
          .require();
    }
  }

  @Test
  void gradientsOfStacksOfMixedLayers() {
    try (var scope = TensorScope.open()) {
      var stack =
          Stacked.of(
              Bidirectional.of(cell("gru"), cell("elman", Layers.D, 2)),
              Recurrent.of(cell("peephole", 2 * Layers.H, 3)),
              learned(cell("jordan", Layers.H, 4)));
      Tensor x = random(3, 2, 2, Layers.D);
      Tensor lengths = Tensor.of(2, 1);
      GradCheck.standard()
          .run(
              "stack",
              in -> Layers.flat(stack.run(in[0], List.of(), lengths)),
              Layers.inputs(stack, x, List.of()))
          .require();
    }
  }
}
