package carousel.nn.recurrent;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import carousel.nn.FusedContract;
import carousel.nn.Parameter;
import carousel.nn.init.Init;
import carousel.tensor.DType;
import carousel.tensor.Device;
import carousel.tensor.Philox;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import carousel.tensor.op.GateOrder;
import carousel.tensor.op.Interpreter;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/**
 * A gate that mixes a state with a candidate gives, where it is 1 or 0, one of them to the bit, however
 * small beside the other; by steps, by scans, by bodies, with noise between.
 */
class HeldStateTest {
  private static final int H = 5;

  /** So far from 0 that the logistic function is 1, and 0 beside anything, in F32. */
  private static final double SURE = 200;

  private TensorScope run;

  @BeforeEach
  void open() {
    run = TensorScope.open();
  }

  @AfterEach
  void close() {
    run.close();
  }

  /** Biases of one gate: open or shut, and a candidate of tanh 1. */
  private static Parameter biases(DType type, GateOrder order, String gate, double to) {
    double[] b = new double[order.size() * H];
    for (int i = 0; i < H; i++) {
      b[order.indexOf(gate) * H + i] = to;
      b[order.indexOf(order == GateOrder.CIFG ? "g" : "n") * H + i] = 1;
    }
    return Parameter.of(() -> Tensor.of(b).cast(type));
  }

  private static Map<String, Cell<? extends RecurrentState>> holding(DType type, double sign) {
    // Without recurrent weights: a great state would move the gates by them.
    var init = Init.zeros().as(type);
    var rng = Philox.of(7);
    var before = GruResetBefore.of(3, H, init, rng);
    var after = GruResetAfter.of(3, H, init, rng);
    var cifg = Cifg.of(3, H, init, rng);
    Parameter gru = biases(type, GateOrder.GRU, "z", sign * SURE);
    return Map.of(
        "gru", new GruResetBefore(before.wx(), before.wh(), before.wn(), gru),
        "gru-after", new GruResetAfter(after.wx(), after.wh(), gru, after.bh()),
        "cifg", new Cifg(cifg.wx(), cifg.wh(), biases(type, GateOrder.CIFG, "i", -sign * SURE)));
  }

  @TestFactory
  Stream<DynamicTest> aGateOfOneHoldsTheState() {
    return each(
        1,
        (cell, type) -> {
          Tensor x = Philox.of(1).normal(type, 0, 1, steps(), 2, 3);
          for (double value : new double[] {1e-6, 1e-12, -3e-30, 1e10}) {
            Tensor kept = Tensor.full(type, value, 2, H);
            RecurrentState first = started(cell, kept);
            Tensor last = last(cell, x, first);
            assertThat(last.sub(kept).abs().max().item())
                .as("%s: a state of %s after %d steps", cell.label(), value, x.dim(0))
                .isZero();
          }
        });
  }

  /** A candidate of about 1 beside a state of 10¹⁰. */
  @TestFactory
  Stream<DynamicTest> aGateOfZeroGivesTheCandidate() {
    return each(
        -1,
        (cell, type) -> {
          Tensor x = Philox.of(1).normal(type, 0, 1, 1, 2, 3);
          Tensor great = last(cell, x, started(cell, Tensor.full(type, 1e10, 2, H)));
          Tensor none = last(cell, x, started(cell, Tensor.zeros(type, 2, H)));
          assertThat(none.abs().min().item()).isGreaterThan(0.7);
          assertThat(great.sub(none).abs().max().item()).as(cell.label()).isZero();
        });
  }

  /** An emulated device takes its time for each. */
  private static int steps() {
    return TensorScope.current().device() == Device.cpu() ? 3000 : 20;
  }

  private interface Check {
    void of(Cell<? extends RecurrentState> cell, DType type);
  }

  private static Stream<DynamicTest> each(double sign, Check check) {
    return Stream.of(DType.F32, DType.F64)
        .flatMap(type ->
            Stream.of("gru", "gru-after", "cifg")
                .flatMap(name ->
                    Stream.of(Interpreter.EAGER, FusedContract.BODIES)
                        .map(by ->
                            DynamicTest.dynamicTest(
                                name + " " + type + (by == Interpreter.EAGER ? "" : " by bodies"),
                                () -> {
                                  try (var scope = TensorScope.open()) {
                                    by.run(() -> {
                                      check.of(requireNonNull(holding(type, sign).get(name)), type);
                                      return null;
                                    });
                                  }
                                }))));
  }

  private static RecurrentState started(Cell<? extends RecurrentState> cell, Tensor kept) {
    return cell instanceof Cifg ? new LstmState(kept.zerosLike(), kept) : new HiddenState(kept);
  }

  /** What is carried: of an LSTM, C. */
  @SuppressWarnings("unchecked") // Each cell gets a state of its own kind.
  private static <S extends RecurrentState> Tensor last(
      Cell<S> cell, Tensor x, RecurrentState first) {
    RecurrentState end = Recurrent.of(cell).run(x, (S) first).states().getFirst();
    List<Tensor> tensors = end.tensors();
    return tensors.getLast();
  }
}
