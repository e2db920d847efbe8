package carousel.nn.recurrent;

import static carousel.nn.recurrent.Layers.D;
import static carousel.nn.recurrent.Layers.H;
import static org.assertj.core.api.Assertions.assertThat;

import carousel.autograd.Grad;
import carousel.nn.init.Init;
import carousel.tensor.DType;
import carousel.tensor.Engine;
import carousel.tensor.Philox;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/**
 * What every cell owes to those who start from {@code zero(n)} and carry a state on: each tensor of it is
 * one of its own. If h and c were one, an assignment to c would change h, and the gradient by either
 * would be the sum of both.
 */
class InitialStateTest {
  private static final int ROWS = 2;
  private static final int STEPS = 3;
  private static final Init INIT = Init.normal(0.6).as(DType.F64);

  /** All cells of this module, and the tests' own. */
  private static Map<String, Supplier<Cell<?>>> cells() {
    Map<String, Supplier<Cell<?>>> cells = new LinkedHashMap<>();
    Layers.cells().forEach(name -> cells.put(name, () -> Layers.cell(name)));
    OddCell.names()
        .forEach(name -> cells.put(name, () -> OddCell.of(name, D, H, INIT, Philox.of(1))));
    return cells;
  }

  private static Stream<DynamicTest> tests(Consumer<Cell<?>> test) {
    return cells().entrySet().stream()
        .map(entry ->
            DynamicTest.dynamicTest(
                entry.getKey(),
                () -> {
                  try (var scope = TensorScope.open()) {
                    test.accept(entry.getValue().get());
                  }
                }));
  }

  @TestFactory
  Stream<DynamicTest> zerosShareNoMemory() {
    return tests(cell -> {
      List<Tensor> zeros = cell.zero(ROWS).tensors();
      assertThat(zeros).extracting(Engine::storage).doesNotHaveDuplicates();
      assertThat(cell.zero(ROWS).tensors())
          .as("another call")
          .extracting(Engine::storage)
          .doesNotContainAnyElementsOf(zeros.stream().map(Engine::storage).toList());
      for (Tensor zero : zeros) {
        assertThat(zero.dim(0)).isEqualTo(ROWS);
        assertThat(zero.toDoubleArray()).containsOnly(0);
      }
    });
  }

  @TestFactory
  Stream<DynamicTest> learnedStartsShareNoMemory() {
    return tests(cell ->
        assertThat(Recurrent.of(cell).withLearnedStart().start())
            .extracting(row -> Engine.storage(row.value()))
            .doesNotHaveDuplicates());
  }

  /** The gradient by a tensor of {@code zero(n)} is what it is by a tensor of the same values. */
  @TestFactory
  Stream<DynamicTest> everyTensorHasAGradientOfItsOwn() {
    return tests(cell -> gradients(cell));
  }

  private static <S extends RecurrentState> void gradients(Cell<S> cell) {
    S zero = cell.zero(ROWS);
    List<Tensor> actual = gradients(cell, zero);
    List<Tensor> expected = gradients(cell, RecurrentState.map(zero, Tensor::copy));
    for (int i = 0; i < actual.size(); i++) {
      assertThat(actual.get(i).allClose(expected.get(i), 1e-12, 1e-12)).as("tensor %d", i).isTrue();
    }
  }

  private static <S extends RecurrentState> List<Tensor> gradients(Cell<S> cell, S start) {
    Tensor x = Layers.random(3, STEPS, ROWS, D);
    Tensor[] leaves = start.tensors().toArray(Tensor[]::new);
    var gradients =
        Grad.orZero(
            () -> Layers.weighted(Layers.flat(Recurrent.of(cell).run(x, start)), 7), leaves);
    List<Tensor> all = new ArrayList<>();
    for (int i = 0; i < leaves.length; i++) {
      all.add(gradients.get(i));
    }
    return all;
  }

  /** Two windows, the state between them carried in the tensors of {@code zero(n)}. */
  @TestFactory
  Stream<DynamicTest> aStateCarriedByAssignmentIsTheOneGiven() {
    return tests(cell -> carried(cell));
  }

  private static <S extends RecurrentState> void carried(Cell<S> cell) {
    Recurrent<S> layer = Recurrent.of(cell);
    Tensor x = Layers.random(3, 2 * STEPS, ROWS, D);
    S state = cell.zero(ROWS);
    for (int window = 0; window < 2; window++) {
      var run = layer.run(x.narrow(0, window * STEPS, STEPS), state);
      List<Tensor> end = run.states().getFirst().tensors();
      for (int i = 0; i < end.size(); i++) {
        state.tensors().get(i).assign(end.get(i));
      }
    }
    List<Tensor> whole = layer.run(x, cell.zero(ROWS)).states().getFirst().tensors();
    for (int i = 0; i < whole.size(); i++) {
      assertThat(state.tensors().get(i).allClose(whole.get(i), 1e-12, 1e-12))
          .as("tensor %d", i)
          .isTrue();
    }
  }
}
