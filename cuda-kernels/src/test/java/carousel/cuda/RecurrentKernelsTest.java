package carousel.cuda;

import static carousel.tensor.DType.F32;
import static carousel.tensor.DType.F64;
import static org.assertj.core.api.Assertions.assertThat;

import carousel.cuda.driver.CudaDriver;
import carousel.tensor.DType;
import carousel.tensor.Device;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** Every recurrent kernel gives what its body gives: outputs, states and all gradients. */
class RecurrentKernelsTest {
  private static final List<String> CELLS =
      List.of(
          "elman", "elman-relu", "elman-identity", "lstm", "peephole", "cifg", "gru", "gru-after");
  private static final List<String> WITH_GATES = List.of("lstm", "peephole", "cifg", "gru-after");

  /** One of everything; several blocks, the last not full; several tiles of rows; step by step. */
  private static Stream<RecurrentCase> cases(String cell, DType type) {
    return Stream.of(
        RecurrentCase.of(cell, type, 1, 1, 1, 1),
        RecurrentCase.of(cell, type, 4, 3, 5, 8),
        RecurrentCase.of(cell, type, 3, 20, 7, 37),
        RecurrentCase.of(cell, type, 3, 5, 2, 13).reversed(),
        RecurrentCase.of(cell, type, 5, 4, 6, 19).ragged(3, 0, 5, 1),
        RecurrentCase.of(cell, type, 5, 4, 6, 9).ragged(3, 0, 5, 1).reversed(),
        RecurrentCase.of(cell, type, 2, 118, 2, 37),
        RecurrentCase.of(cell, type, 3, 129, 2, 5),
        RecurrentCase.of(cell, type, 3, 129, 2, 5).ragged(ends()).reversed());
  }

  private static Integer[] ends() {
    return Stream.iterate(0, n -> n + 1).limit(129).map(n -> n % 4).toArray(Integer[]::new);
  }

  @TestFactory
  Stream<DynamicTest> wholeSequences() {
    return tests(CELLS, ".scan");
  }

  @TestFactory
  Stream<DynamicTest> gatesAlone() {
    return tests(WITH_GATES, ".gates");
  }

  private static Stream<DynamicTest> tests(List<String> cells, String suffix) {
    Device device = Emulated.device();
    return cells.stream()
        .flatMap(cell -> Stream.of(F32, F64).flatMap(type -> cases(cell, type)))
        .map(c ->
            DynamicTest.dynamicTest(
                c.toString(), () -> assertThat(c.differences(device, suffix, -1)).isEmpty()));
  }

  @TestFactory
  Stream<DynamicTest> outputsWithoutCotangent() {
    Device device = Emulated.device();
    return Stream.of(0, 1, 2)
        .map(silent ->
            DynamicTest.dynamicTest(
                "output " + silent,
                () -> {
                  var c = RecurrentCase.of("lstm", F64, 3, 2, 2, 5);
                  assertThat(c.differences(device, ".scan", silent)).isEmpty();
                  var steps = RecurrentCase.of("lstm", F64, 2, 129, 2, 5);
                  assertThat(steps.differences(device, ".scan", silent)).isEmpty();
                  assertThat(c.differences(device, ".gates", silent)).isEmpty();
                }));
  }

  /** The limits that docs/gpu.md states for a GPU of 132 multiprocessors with 227 KB each. */
  @Test
  void plansOfLargeLayers() {
    CudaDriver driver = Emulated.driver();
    var fits = new ScanPlan.Sizes(RecurrentCell.LSTM, 20, 100, 4);
    assertThat(ScanPlan.forward(fits, driver)).isNotNull();
    assertThat(ScanPlan.backward(fits, driver)).isNotNull();
    var large = new ScanPlan.Sizes(RecurrentCell.LSTM, 20, 1500, 4);
    assertThat(ScanPlan.forward(large, driver)).isNull();
    assertThat(ScanPlan.backward(large, driver)).isNull();
    var tall = new ScanPlan.Sizes(RecurrentCell.LSTM, ScanPlan.MOST_ROWS + 1, 10, 4);
    assertThat(ScanPlan.forward(tall, driver)).isNull();
    assertThat(ScanPlan.backward(tall, driver)).isNull();
  }
}
