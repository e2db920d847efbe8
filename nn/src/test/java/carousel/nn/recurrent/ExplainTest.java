package carousel.nn.recurrent;

import static org.assertj.core.api.Assertions.assertThat;

import carousel.nn.FusedContract;
import carousel.tensor.DType;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import carousel.tensor.op.Interpreter;
import java.util.function.BinaryOperator;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What is said of a cell's kernel is what runs it. */
@Tag("cpu") // other devices have other stages, or none
class ExplainTest {
  private static final int H = 4;

  /** A cell of the input and one state. */
  record Plain(BinaryOperator<Tensor> code) implements Cell<HiddenState> {
    @Override
    public int inputs() {
      return H;
    }

    @Override
    public int outputs() {
      return H;
    }

    @Override
    public Tensor project(Tensor x) {
      return x;
    }

    @Override
    public HiddenState step(Tensor z, HiddenState state) {
      return new HiddenState(code.apply(z, state.h()));
    }

    @Override
    public HiddenState zero(int batch) {
      return new HiddenState(Tensor.zeros(DType.F32, batch, H));
    }
  }

  private static String explained(BinaryOperator<Tensor> code) {
    try (var scope = TensorScope.open()) {
      return Recurrent.of(new Plain(code)).explain(Tensor.zeros(3, 2, H));
    }
  }

  @Test
  void aKernelIsToldByItsStages() {
    String text = explained((z, h) -> z.add(h).sub(h.mean(-1, true)).tanh());
    if (FusedContract.VECTORS) {
      assertThat(text)
          .contains("cell Plain on cpu: one kernel", "1 fold of all columns", "tanh", "4 columns");
    } else {
      assertThat(text).contains("no kernel");
    }
  }

  @Test
  void whatPreventsAKernelIsToldWithItsLine() {
    assertThat(explained((z, h) -> z.add(h).cumsum(1)))
        .contains("no kernel; it runs op by op, with the same results")
        .contains("cumsum of [2,4]", "ExplainTest.java:");
    assertThat(explained((z, h) -> z.add(h.max().item())))
        .contains("mixes rows", "ExplainTest.java:");
    assertThat(explained((z, h) -> z.mul(z.get(0, 0)))).contains("reads values on the host");
    assertThat(explained((z, h) -> z.add(h).reshape(Shape.of(2, 2, 2)).sum(2)))
        .contains("reshape to [2,2,2] of rows [2]");
  }

  @Test
  void anInputOfAnotherTypeThanTheStateHasNoKernel() {
    try (var scope = TensorScope.open()) {
      var layer = Recurrent.of(new Plain((z, h) -> z.mul(4).cast(DType.F32).add(h)));
      assertThat(layer.explain(Tensor.zeros(DType.F64, 3, 2, H)))
          .contains("no kernel", "its projected input is F64 beside a state of F32");
    }
  }

  @Test
  void aKernelThatWasFoundToDifferIsNoKernel() {
    if (!FusedContract.VECTORS) {
      return;
    }
    try (var scope = TensorScope.open()) {
      // Looks whether it is traced, which no step may.
      var layer =
          Recurrent.of(
              new Plain(
                  (z, h) -> z.add(h.mul(Interpreter.current() == Interpreter.EAGER ? 0.5 : 0.75))));
      Tensor x = Tensor.ones(3, 2, H);
      assertThat(layer.explain(x)).contains("one kernel");
      layer.run(x);
      assertThat(layer.explain(x)).contains("no kernel", "gave something else the first time");
    }
  }

  @Test
  void rowsWithoutVectorsAreNamed() {
    if (FusedContract.VECTORS) {
      assertThat(explained((z, h) -> z.add(h).sin())).contains("no kernel has the rows", "sin");
    }
  }
}
