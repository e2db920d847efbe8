package carousel.tensor.op;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carousel.tensor.DType;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import carousel.tensor.TensorException;
import carousel.tensor.TensorScope;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Blocks are found by the names of gates, whatever their order. */
class GateOrderTest {
  private static final int UNITS = 3;

  private final TensorScope scope = TensorScope.open();

  @AfterEach
  void close() {
    scope.close();
  }

  /** Every order of these gates. */
  private static List<GateOrder> orders(List<String> gates) {
    if (gates.size() == 1) {
      return List.of(new GateOrder(gates));
    }
    List<GateOrder> all = new ArrayList<>();
    for (String first : gates) {
      for (GateOrder rest : orders(gates.stream().filter(g -> !g.equals(first)).toList())) {
        List<String> names = new ArrayList<>(List.of(first));
        names.addAll(rest.names());
        all.add(new GateOrder(names));
      }
    }
    return all;
  }

  /** {@code [2,G·H]}, in each block a number that its gate's name tells. */
  private static Tensor weights(GateOrder order) {
    return Tensor.concat(
        order.names().stream().map(g -> Tensor.full(DType.F32, number(g), 2, UNITS)).toList(), 1);
  }

  private static double number(String gate) {
    return gate.charAt(0);
  }

  private static void holds(Tensor block, String gate, Shape shape) {
    assertThat(block.shape()).isEqualTo(shape);
    assertThat(block.toDoubleArray()).as(gate).containsOnly(number(gate));
  }

  @Test
  void blocksAreFoundByName() {
    for (GateOrder order : orders(GateOrder.LSTM.names())) {
      Tensor x = weights(order);
      for (String gate : order.names()) {
        holds(order.split(x).get(gate), gate, Shape.of(2, UNITS));
        holds(order.block(x, Tensor.LAST, gate), gate, Shape.of(2, UNITS));
        holds(order.block(x.transpose(0, 1), 0, gate), gate, Shape.of(UNITS, 2));
      }
    }
  }

  @Test
  void aBlockIsAView() {
    var order = GateOrder.of("r", "z", "n");
    Tensor x = weights(order);
    order.block(x, 1, "z").fill(7);
    assertThat(x.select(0, 0).toDoubleArray())
        .containsExactly('r', 'r', 'r', 7, 7, 7, 'n', 'n', 'n');
  }

  @Test
  void everyOrderComesFromEveryOther() {
    var orders = orders(GateOrder.LSTM.names());
    assertThat(orders).hasSize(24).doesNotHaveDuplicates();
    for (GateOrder from : orders) {
      for (GateOrder to : orders) {
        assertThat(to.from(from, weights(from), 1).sameValues(weights(to))).isTrue();
      }
    }
  }

  @Test
  void whatAnOrderHasNotIsZeroAndWhatIsNotWantedIsLeftOut() {
    Tensor igo = weights(GateOrder.CIFG);
    Tensor ifgo = GateOrder.LSTM.from(GateOrder.CIFG, igo, 1);
    assertThat(GateOrder.LSTM.block(ifgo, 1, "f").toDoubleArray()).containsOnly(0);
    assertThat(GateOrder.CIFG.from(GateOrder.LSTM, ifgo, 1).sameValues(igo)).isTrue();
  }

  @Test
  void withoutOneTheOthersKeepTheirOrder() {
    for (GateOrder order : orders(GateOrder.GRU.names())) {
      List<String> left = new ArrayList<>(order.names());
      left.remove("n");
      assertThat(order.without("n").names()).isEqualTo(left);
      left.add("n");
      assertThat(order.without("n").with("n").names()).isEqualTo(left);
    }
  }

  @Test
  void mistakesAreNamed() {
    assertThatThrownBy(() -> GateOrder.of("i", "f", "i"))
        .isInstanceOf(TensorException.class)
        .hasMessage("gates: wants one name per gate, each once, got [i, f, i]");
    assertThatThrownBy(GateOrder::of).isInstanceOf(TensorException.class);
    var order = GateOrder.of("r", "z", "n");
    assertThatThrownBy(() -> order.indexOf("f"))
        .hasMessage("gates: there is no 'f' among [r, z, n]");
    assertThatThrownBy(() -> order.without("f")).isInstanceOf(TensorException.class);
    assertThatThrownBy(() -> order.split(Tensor.zeros(2, 8)))
        .hasMessage("gates: axis -1 of [2,8] does not consist of 3 blocks, [r, z, n]");
  }
}
