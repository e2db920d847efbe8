package carousel.exchange.pytorch;

import static org.assertj.core.api.Assertions.assertThat;

import carousel.exchange.pytorch.StateDictTable.Image;
import carousel.tensor.DType;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import carousel.tensor.op.GateOrder;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Gates get to PyTorch's places, and back to ours, by their names. */
class StateDictTableTest {
  private static final GateOrder[] OURS = {
    RecurrentModule.LSTM, GateOrder.of("o", "g", "i", "f"), GateOrder.of("g", "f", "o", "i")
  };

  private final TensorScope scope = TensorScope.open();

  @AfterEach
  void close() {
    scope.close();
  }

  /** {@code [G·2,3]}, in each block the code of its gate's name. */
  private static Tensor named(GateOrder order) {
    return Tensor.concat(
        order.names().stream().map(g -> Tensor.full(DType.F32, g.charAt(0), 2, 3)).toList(), 0);
  }

  @Test
  void weightsAreReadAndWrittenByTheNamesOfGates() {
    Tensor theirs = named(RecurrentModule.LSTM);
    for (GateOrder order : OURS) {
      Tensor ours = named(order);
      var image =
          new Image("w", StateDictTable.parts(order, RecurrentModule.LSTM, ours, false), null);
      assertThat(image.shape()).isEqualTo(Shape.of(8, 3));
      assertThat(image.theirs().sameValues(theirs)).isTrue();
      ours.fill(0);
      image.load(theirs);
      assertThat(ours.sameValues(named(order))).isTrue();
    }
  }

  @Test
  void whatIsAddedIsAddedByTheNamesOfGates() {
    for (GateOrder order : OURS) {
      Tensor ours = named(order);
      var image =
          new Image("b", StateDictTable.parts(order, RecurrentModule.LSTM, ours, true), null);
      assertThat(image.theirs().toDoubleArray()).containsOnly(0);
      image.load(named(RecurrentModule.LSTM));
      assertThat(ours.sameValues(named(order).mul(2))).isTrue();
    }
  }

  @Test
  void aWeightInPyTorchsOrderIsOneView() {
    Tensor ours = named(RecurrentModule.LSTM);
    var parts = StateDictTable.parts(RecurrentModule.LSTM, RecurrentModule.LSTM, ours, false);
    assertThat(parts).extracting(part -> part.ours()).isEqualTo(List.of(ours));
  }
}
