package carousel.cuda.scan;

import static carousel.cuda.scan.RoundedProducts.ROUNDED;
import static carousel.cuda.scan.RoundedProducts.device;
import static carousel.cuda.scan.RoundedProducts.driver;
import static carousel.tensor.DType.F32;
import static carousel.tensor.DType.F64;
import static org.assertj.core.api.Assertions.assertThat;

import carousel.cuda.Cuda;
import carousel.cuda.driver.CudaDriver;
import carousel.cuda.driver.Precision;
import carousel.cuda.emulator.EmulatedDriver;
import carousel.cuda.scan.RecurrentCase.Oracle;
import carousel.tensor.DType;
import carousel.tensor.Device;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** With {@code carousel.cuda.bf16=true}, products of recurrent kernels round their operands, and nothing else does. */
class RecurrentBf16Test {
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

  /**
   * In F64. A product of two numbers of 8 bits is off by up to 2 · 2⁻⁸ of itself, a sum of H by as much of
   * the sum of their sizes; gates let through less than comes in, and later steps add theirs.
   */
  private static final Oracle EXACT = new Oracle(RecurrentCase.BODIES, F64, 1.0 / 32);

  /** As for F32: one of everything; several blocks, the last not full; units that fill no pack of 8; step by step. */
  private static Stream<RecurrentCase> cases(String cell, DType type) {
    return Stream.of(
        RecurrentCase.of(cell, type, 1, 1, 1, 1),
        RecurrentCase.of(cell, type, 4, 3, 5, 8),
        RecurrentCase.of(cell, type, 3, 20, 7, 37),
        RecurrentCase.of(cell, type, 3, 5, 2, 13).reversed(),
        RecurrentCase.of(cell, type, 5, 4, 6, 19).ragged(3, 0, 5, 1),
        RecurrentCase.of(cell, type, 5, 4, 6, 9).ragged(3, 0, 5, 1).reversed(),
        RecurrentCase.of(cell, type, 2, 99, 2, 37),
        RecurrentCase.of(cell, type, 3, 129, 2, 5));
  }

  /** So many units that weights lie beyond shared memory. */
  private static Stream<RecurrentCase> large() {
    return Stream.of(
        RecurrentCase.of("lstm", F32, 2, 3, 2, Cuda.isGpu() ? 2200 : 380),
        RecurrentCase.of("gru", F32, 2, 3, 2, Cuda.isGpu() ? 2200 : 430));
  }

  @TestFactory
  @Tag(Cuda.ROUNDING_DEVICE)
  Stream<DynamicTest> giveWhatTheirBodiesGiveOfRoundedOperands() {
    return tests(Stream.concat(CELLS.stream().flatMap(cell -> cases(cell, F32)), large()), ROUNDED);
  }

  /** Not of the cell with a kink: near it, the least rounding changes a slope from 0 to 1. */
  @TestFactory
  @Tag(Cuda.ROUNDING_DEVICE)
  Stream<DynamicTest> areNearTheirBodies() {
    Stream<String> smooth = CELLS.stream().filter(cell -> !cell.equals("elman-relu"));
    return tests(Stream.concat(smooth.flatMap(cell -> cases(cell, F32)), large()), EXACT);
  }

  private static Stream<DynamicTest> tests(Stream<RecurrentCase> cases, Oracle oracle) {
    Device device = Cuda.isGpu() ? Cuda.device() : device(driver(Precision.BF16, false));
    return cases.map(c ->
        DynamicTest.dynamicTest(
            c.toString(),
            () ->
                assertThat(c.differences(device, device.backend()::fused, ".scan", -1, oracle))
                    .isEmpty()));
  }

  @Test
  void plansOfTheCasesAbove() {
    CudaDriver driver = Cuda.emulated();
    for (var sizes :
        List.of(
            new CellScanPlan.Sizes(RecurrentCell.LSTM, 3, 380, CellScanType.BF16),
            new CellScanPlan.Sizes(RecurrentCell.GRU, 3, 430, CellScanType.BF16))) {
      assertThat(CellScanPlan.forward(sizes, driver))
          .satisfies(plan -> assertThat(plan.beyond()).isPositive());
      assertThat(CellScanPlan.backward(sizes, driver))
          .satisfies(plan -> assertThat(plan.beyond()).isPositive());
    }
  }

  /** The same bits again, and with threads in another order. */
  @Test
  void isDeterministic() {
    Device device = device(driver(Precision.BF16, false));
    Device backwards = device(driver(Precision.BF16, true));
    for (String cell : CELLS) {
      var c = RecurrentCase.of(cell, F32, 4, 5, 3, 21).ragged(4, 2, 0, 3, 1);
      same(cell, c.results(device), c.results(device));
      same(cell, c.results(device), c.results(backwards));
    }
  }

  private static void same(String cell, Map<String, double[]> one, Map<String, double[]> other) {
    assertThat(other.keySet()).isEqualTo(one.keySet());
    one.forEach((name, values) -> assertThat(other.get(name)).as(cell + name).isEqualTo(values));
  }

  @Test
  void doublesStayAsTheyAre() {
    Device on = device(driver(Precision.BF16, false));
    Device off = device(driver(Precision.F32, false));
    for (String cell : CELLS) {
      var c = RecurrentCase.of(cell, F64, 3, 5, 3, 21);
      same(cell, c.results(off), c.results(on));
    }
  }

  /** Without the switch, the kernels are those there would be if there were none. */
  @Test
  void roundsOnlyWhenAskedTo() {
    var c = RecurrentCase.of("lstm", F32, 2, 3, 2, 5);
    assertThat(kernels(Precision.F32, c))
        .contains("scan_forward_lstm_f32", "scan_backward_lstm_f32")
        .noneMatch(symbol -> symbol.endsWith("_bf16"));
    assertThat(kernels(Precision.BF16, c))
        .contains("scan_forward_lstm_bf16", "scan_backward_lstm_bf16")
        .noneMatch(symbol -> symbol.matches("scan_.*_f32"));
  }

  /** The kernels that a case starts. */
  private static Set<String> kernels(Precision precision, RecurrentCase c) {
    EmulatedDriver driver = driver(precision, false);
    Set<String> symbols = new TreeSet<>();
    var watched =
        (CudaDriver)
            Proxy.newProxyInstance(
                CudaDriver.class.getClassLoader(),
                new Class<?>[] {CudaDriver.class},
                (proxy, method, arguments) -> {
                  if (method.getName().equals("function")) {
                    symbols.add((String) arguments[1]);
                  }
                  try {
                    return method.invoke(driver, arguments);
                  } catch (InvocationTargetException e) {
                    throw e.getCause();
                  }
                });
    assertThat(c.results(device(watched))).isNotEmpty();
    return symbols;
  }
}
