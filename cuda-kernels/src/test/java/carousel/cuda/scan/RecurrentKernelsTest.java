package carousel.cuda.scan;

import static carousel.tensor.DType.F32;
import static carousel.tensor.DType.F64;
import static org.assertj.core.api.Assertions.assertThat;

import carousel.cuda.Cuda;
import carousel.cuda.driver.CudaDriver;
import carousel.tensor.DType;
import carousel.tensor.Device;
import java.lang.reflect.Proxy;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** Every recurrent kernel gives what its body gives: outputs, states and all gradients. */
class RecurrentKernelsTest {
  private static final List<String> CELLS =
      List.of(
          "elman",
          "elman-relu",
          "elman-identity",
          "lstm",
          "peephole",
          "matrix-peephole",
          "cifg",
          "gru",
          "gru-after");
  private static final List<String> WITH_GATES = List.of("lstm", "peephole", "cifg", "gru-after");

  /** One of everything; several blocks, the last not full; several units per thread; step by step. */
  private static Stream<RecurrentCase> cases(String cell, DType type) {
    return Stream.of(
        RecurrentCase.of(cell, type, 1, 1, 1, 1),
        RecurrentCase.of(cell, type, 4, 3, 5, 8),
        RecurrentCase.of(cell, type, 3, 20, 7, 37),
        RecurrentCase.of(cell, type, 3, 5, 2, 13).reversed(),
        RecurrentCase.of(cell, type, 5, 4, 6, 19).ragged(3, 0, 5, 1),
        RecurrentCase.of(cell, type, 5, 4, 6, 9).ragged(3, 0, 5, 1).reversed(),
        RecurrentCase.of(cell, type, 2, 99, 2, 37),
        RecurrentCase.of(cell, type, 3, 129, 2, 5),
        RecurrentCase.of(cell, type, 3, 129, 2, 5).ragged(ends()).reversed());
  }

  private static Integer[] ends() {
    return Stream.iterate(0, n -> n + 1).limit(129).map(n -> n % 4).toArray(Integer[]::new);
  }

  @TestFactory
  @Tag(Cuda.DEVICE)
  Stream<DynamicTest> wholeSequences() {
    return tests(CELLS, ".scan");
  }

  @TestFactory
  @Tag(Cuda.DEVICE)
  Stream<DynamicTest> cellsWithoutBiases() {
    Device device = Cuda.device();
    return CELLS.stream()
        .map(cell -> cell + RecurrentCase.WITHOUT_BIAS)
        .flatMap(cell ->
            Stream.of(
                RecurrentCase.of(cell, F64, 4, 3, 5, 8),
                RecurrentCase.of(cell, F32, 5, 4, 6, 9).ragged(3, 0, 5, 1).reversed(),
                RecurrentCase.of(cell, F64, 3, 129, 2, 5))) // step by step
        .map(c ->
            DynamicTest.dynamicTest(
                c.toString(), () -> assertThat(c.differences(device, ".scan", -1)).isEmpty()));
  }

  @TestFactory
  @Tag(Cuda.DEVICE)
  Stream<DynamicTest> gatesAlone() {
    return tests(WITH_GATES, ".gates");
  }

  private static Stream<DynamicTest> tests(List<String> cells, String suffix) {
    Device device = Cuda.device();
    return cells.stream()
        .flatMap(cell -> Stream.of(F32, F64).flatMap(type -> cases(cell, type)))
        .map(c ->
            DynamicTest.dynamicTest(
                c.toString(), () -> assertThat(c.differences(device, suffix, -1)).isEmpty()));
  }

  @TestFactory
  @Tag(Cuda.DEVICE)
  Stream<DynamicTest> outputsWithoutCotangent() {
    Device device = Cuda.device();
    return Stream.of(0, 1, 2)
        .map(silent ->
            DynamicTest.dynamicTest(
                "output " + silent,
                () -> {
                  for (String cell : List.of("lstm", "matrix-peephole")) {
                    var c = RecurrentCase.of(cell, F64, 3, 2, 2, 5);
                    assertThat(c.differences(device, ".scan", silent)).isEmpty();
                    var steps = RecurrentCase.of(cell, F64, 2, 129, 2, 5);
                    assertThat(steps.differences(device, ".scan", silent)).isEmpty();
                  }
                  var gates = RecurrentCase.of("lstm", F64, 3, 2, 2, 5);
                  assertThat(gates.differences(device, ".gates", silent)).isEmpty();
                }));
  }

  @TestFactory
  @Tag(Cuda.DEVICE)
  Stream<DynamicTest> weightsThatSharedMemoryHasNoRoomFor() {
    Device device = Cuda.device();
    Stream<RecurrentCase> cases =
        Cuda.isGpu()
            ? Stream.of(
                RecurrentCase.of("lstm", F32, 2, 20, 2, 1500),
                RecurrentCase.of("matrix-peephole", F32, 2, 20, 2, 1200))
            : Stream.of(
                RecurrentCase.of("lstm", F32, 2, 3, 2, 270),
                RecurrentCase.of("gru", F32, 2, 3, 2, 310),
                RecurrentCase.of("matrix-peephole", F32, 2, 3, 2, 200),
                RecurrentCase.of("gru-after", F64, 2, 3, 2, 221).reversed());
    return cases.map(c ->
        DynamicTest.dynamicTest(
            c.toString(), () -> assertThat(c.differences(device, ".scan", -1)).isEmpty()));
  }

  @Test
  void plansOfTheCasesAbove() {
    CudaDriver driver = Cuda.emulated();
    for (RecurrentCell cell : List.of(RecurrentCell.LSTM, RecurrentCell.GRU)) {
      int hidden = cell == RecurrentCell.LSTM ? 270 : 310;
      plan(new CellScanPlan.Sizes(cell, 3, hidden, CellScanType.F32), driver, true);
      plan(new CellScanPlan.Sizes(cell, 99, 37, CellScanType.F64), driver, false);
      var tall = new CellScanPlan.Sizes(cell, CellScanPlan.MOST_ROWS + 1, 5, CellScanType.F32);
      assertThat(CellScanPlan.forward(tall, driver)).isNull();
      assertThat(CellScanPlan.backward(tall, driver)).isNull();
    }
    plan(new CellScanPlan.Sizes(RecurrentCell.GRU_AFTER, 3, 221, CellScanType.F64), driver, true);
    plan(
        new CellScanPlan.Sizes(RecurrentCell.MATRIX_PEEPHOLE, 3, 200, CellScanType.F32),
        driver,
        true);
  }

  /** What docs/gpu.md says of a device of 132 multiprocessors with 227 KB each. */
  @Test
  void plansOfLargeLayers() {
    CudaDriver driver = large();
    plan(new CellScanPlan.Sizes(RecurrentCell.LSTM, 20, 200, CellScanType.F32), driver, false);
    plan(new CellScanPlan.Sizes(RecurrentCell.LSTM, 20, 650, CellScanType.F32), driver, false);
    plan(new CellScanPlan.Sizes(RecurrentCell.PEEPHOLE, 16, 1024, CellScanType.F32), driver, false);
    plan(new CellScanPlan.Sizes(RecurrentCell.GRU, 64, 512, CellScanType.F32), driver, false);
    plan(new CellScanPlan.Sizes(RecurrentCell.LSTM, 20, 1500, CellScanType.F32), driver, true);
    plan(new CellScanPlan.Sizes(RecurrentCell.LSTM, 20, 1500, CellScanType.BF16), driver, false);
    var huge = new CellScanPlan.Sizes(RecurrentCell.LSTM, 20, 2500, CellScanType.F32);
    assertThat(CellScanPlan.forward(huge, driver)).isNull();
    assertThat(CellScanPlan.backward(huge, driver)).isNull();
  }

  private static void plan(CellScanPlan.Sizes sizes, CudaDriver driver, boolean beyond) {
    CellScanPlan forward =
        Objects.requireNonNull(CellScanPlan.forward(sizes, driver), () -> "forward of " + sizes);
    CellScanPlan backward =
        Objects.requireNonNull(CellScanPlan.backward(sizes, driver), () -> "backward of " + sizes);
    assertThat(forward.beyond() > 0).as("forward of %s: %s", sizes, forward).isEqualTo(beyond);
    assertThat(backward.beyond() > 0).as("backward of %s: %s", sizes, backward).isEqualTo(beyond);
    for (CellScanPlan plan : List.of(forward, backward)) {
      assertThat(plan.grid().sharedBytes())
          .as("%s", plan)
          .isLessThanOrEqualTo(driver.attribute(CudaDriver.Attribute.SHARED_BYTES_PER_BLOCK));
      assertThat((long) plan.grid().x() * plan.own()).isGreaterThanOrEqualTo(sizes.hidden());
    }
  }

  private static CudaDriver large() {
    return (CudaDriver)
        Proxy.newProxyInstance(
            CudaDriver.class.getClassLoader(),
            new Class<?>[] {CudaDriver.class},
            (proxy, method, arguments) ->
                switch ((CudaDriver.Attribute) arguments[0]) {
                  case MULTIPROCESSORS -> 132;
                  case SHARED_BYTES_PER_BLOCK -> 227 << 10;
                  case COMPUTE_CAPABILITY -> 90;
                });
  }
}
