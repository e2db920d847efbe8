package carousel.tensor.op;

import static org.assertj.core.api.Assertions.assertThat;

import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import carousel.tensor.trace.FormulaTrace;
import org.junit.jupiter.api.Test;

/** An op of a user's own is part of a formula by what its forward computes. */
class CustomOpTracesTest {
  @Test
  void aFormulaHasTheRowsOfItsForward() {
    var op = CustomOp.of("shrink", x -> x.mul(0.5).tanh(), Vjp.none());
    try (var scope = TensorScope.open()) {
      Tensor x = Tensor.of(1f, 2f);
      var trace = new FormulaTrace(x);
      Tensor standIn = trace.input(x);
      trace.result(x, trace.run(() -> op.apply(standIn)));
      assertThat(trace.call().formula().values())
          .filteredOn(value -> value instanceof Formula.Apply)
          .extracting(value -> ((Formula.Apply) value).row())
          .containsExactly(Binary.MUL, Unary.TANH);
    }
  }
}
