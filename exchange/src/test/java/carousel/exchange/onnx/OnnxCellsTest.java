package carousel.exchange.onnx;

import static org.assertj.core.api.Assertions.assertThat;

import carousel.nn.Parameter;
import carousel.nn.init.Init;
import carousel.nn.recurrent.Cell;
import carousel.nn.recurrent.GruResetAfter;
import carousel.nn.recurrent.HiddenState;
import carousel.nn.recurrent.Recurrent;
import carousel.tensor.DType;
import carousel.tensor.Philox;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import carousel.tensor.op.GateOrder;
import carousel.testing.CellContract;
import carousel.testing.ScopeExtension;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What ONNX's operators become are cells as others are. */
@ExtendWith(ScopeExtension.class)
class OnnxCellsTest {
  private static final int D = 3;
  private static final int H = 4;
  private static final Init INIT = Init.normal(0.6).as(DType.F64);

  private static Parameter parameter(int... dims) {
    return INIT.parameter(Philox.of(dims[0]), dims);
  }

  private static Cell<?> cell(String name) {
    return switch (name) {
      case "rnn" ->
          new OnnxRnn(parameter(D, H), parameter(H, H), parameter(H), 2, OnnxActivation.SIGMOID);
      case "gru" ->
          new OnnxGru(
              parameter(D, 3 * H),
              parameter(H, 2 * H),
              parameter(H, H),
              parameter(3 * H),
              parameter(H),
              2,
              OnnxGru.DEFAULTS);
      case "lstm" -> lstm(false);
      default -> lstm(true);
    };
  }

  private static Cell<?> lstm(boolean coupled) {
    int gates = coupled ? 3 : 4;
    List<Parameter> peepholes = Stream.generate(() -> parameter(H)).limit(gates - 1).toList();
    return new OnnxLstm(
        parameter(D, gates * H),
        parameter(H, gates * H),
        parameter(gates * H),
        peepholes,
        coupled,
        2,
        OnnxLstm.DEFAULTS);
  }

  /** Clipped at 2, away from which random numbers keep. */
  @TestFactory
  Stream<DynamicTest> keepTheContract() {
    return Stream.of("rnn", "gru", "lstm", "coupled lstm")
        .map(name ->
            DynamicTest.dynamicTest(
                name,
                () -> {
                  try (var scope = TensorScope.open()) {
                    CellContract.of(cell(name)).check();
                  }
                }));
  }

  /** Where z is 1, whatever is carried stays to the bit, also far below the candidate. */
  @ParameterizedTest
  @EnumSource(names = {"F32", "F64"})
  void aGateOfOneHoldsTheState(DType type) {
    var gru = GruResetAfter.of(D, H, Init.zeros().as(type), Philox.of(7));
    var biases = new double[3 * H];
    for (int i = 0; i < H; i++) {
      biases[GateOrder.GRU.indexOf("z") * H + i] = 200; // the logistic function is 1 there
      biases[GateOrder.GRU.indexOf("n") * H + i] = 1;
    }
    var b = Parameter.of(() -> Tensor.of(biases).cast(type));
    var square = Init.zeros().as(type).parameter(Philox.of(7), H, H);
    var two = Init.zeros().as(type).parameter(Philox.of(7), H, 2 * H);
    Tensor x = Philox.of(1).normal(type, 0, 1, 300, 2, D);
    var before =
        new OnnxGru(gru.wx(), two, square, b, null, Double.POSITIVE_INFINITY, OnnxGru.DEFAULTS);
    var after = new OnnxGru(gru.wx(), two, square, b, gru.bh(), 1000, OnnxGru.DEFAULTS);
    for (OnnxGru cell : List.of(before, after)) {
      for (double value : new double[] {1e-6, -3e-30, 1e10}) {
        Tensor kept = Tensor.full(type, value, 2, H);
        var end = Recurrent.of(cell).run(x, new HiddenState(kept)).states().getFirst();
        assertThat(end.tensors().getFirst().sameValues(kept))
            .as("%s, %s", cell.label(), value)
            .isTrue();
      }
    }
  }
}
