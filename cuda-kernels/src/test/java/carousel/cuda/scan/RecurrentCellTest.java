package carousel.cuda.scan;

import static carousel.tensor.DType.F32;
import static org.assertj.core.api.Assertions.assertThat;

import carousel.nn.init.Init;
import carousel.nn.recurrent.Cell;
import carousel.nn.recurrent.Cells;
import carousel.nn.recurrent.GatedCell;
import carousel.tensor.Philox;
import carousel.tensor.TensorScope;
import carousel.tensor.op.Scan;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The cells that have kernels are nn's, by what their steps compute, and what kernels say of their gates is true. */
class RecurrentCellTest {
  private static final Map<String, RecurrentCell> KERNELS =
      Map.of(
          "elman", RecurrentCell.ELMAN_TANH,
          "elman-relu", RecurrentCell.ELMAN_RELU,
          "elman-identity", RecurrentCell.ELMAN_IDENTITY,
          "irnn", RecurrentCell.ELMAN_RELU,
          "lstm", RecurrentCell.LSTM,
          "peephole", RecurrentCell.PEEPHOLE,
          "matrix-peephole", RecurrentCell.MATRIX_PEEPHOLE,
          "cifg", RecurrentCell.CIFG,
          "gru", RecurrentCell.GRU,
          "gru-after", RecurrentCell.GRU_AFTER);

  /** A width of 1 is traced in its own way. */
  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 8})
  void everyCellIsKnownByItsStep(int hidden) {
    Map<String, RecurrentCell> found = new TreeMap<>();
    for (String name : Cells.names()) {
      try (var scope = TensorScope.open()) {
        var match = StepMatch.of(step(name, hidden, 2).step());
        if (match != null) {
          found.put(name, match.cell());
        }
      }
    }
    assertThat(found).containsExactlyInAnyOrderEntriesOf(KERNELS);
  }

  /** Biases of an input are the scan's, not the step's; one that stands within a step may be missing there. */
  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 8})
  void everyCellIsKnownWithoutBiases(int hidden) {
    KERNELS.forEach((name, kernel) -> {
      try (var scope = TensorScope.open()) {
        assertThat(StepMatch.of(step(name + RecurrentCase.WITHOUT_BIAS, hidden, 2).step()))
            .as(name)
            .satisfies(match -> assertThat(match.cell()).isEqualTo(kernel));
      }
    });
  }

  /** One row is no vector. */
  @Test
  void aBatchOfOneIsKnownToo() {
    try (var scope = TensorScope.open()) {
      KERNELS.forEach((name, kernel) ->
          assertThat(StepMatch.of(step(name, 3, 1).step()))
              .satisfies(match -> assertThat(match.cell()).isEqualTo(kernel)));
    }
  }

  private static Scan step(String name, int hidden, int rows) {
    return (Scan) RecurrentCase.of(name, F32, 2, rows, 2, hidden).scan().body();
  }

  @Test
  void gatesStandInTheOrderThatKernelsReadThem() {
    try (var scope = TensorScope.open()) {
      KERNELS.forEach((name, kernel) -> {
        Cell<?> cell = Cells.of(name, 2, 3, Init.zeros(), Philox.of(1));
        if (cell instanceof GatedCell<?> gated) {
          assertThat(kernel.order()).as(name).isEqualTo(gated.gates());
          assertThat(kernel.products()).as(name).isEqualTo(gated.products().size());
          assertThat(kernel.order().names().subList(0, kernel.products()))
              .as("products of %s", name)
              .isEqualTo(gated.products().names());
        } else {
          assertThat(kernel.gates()).as(name).isEqualTo(1);
        }
      });
    }
  }
}
