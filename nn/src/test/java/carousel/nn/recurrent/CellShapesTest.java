package carousel.nn.recurrent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carousel.autograd.Grad;
import carousel.nn.FusedContract;
import carousel.nn.Parameters;
import carousel.tensor.DType;
import carousel.tensor.Philox;
import carousel.tensor.Tensor;
import carousel.tensor.TensorException;
import carousel.tensor.TensorScope;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BinaryOperator;
import java.util.function.IntFunction;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;

/** Cells that do not keep what a cell promises, and cells that are no records. */
class CellShapesTest {
  private static final int H = 3;

  /** No record, and without parameters. */
  private static final class Loose implements Cell<HiddenState> {
    private final UnaryOperator<Tensor> project;
    private final BinaryOperator<Tensor> step;
    private final IntFunction<Tensor> zero;
    private final int outputs;

    Loose(
        UnaryOperator<Tensor> project,
        BinaryOperator<Tensor> step,
        IntFunction<Tensor> zero,
        int outputs) {
      this.project = project;
      this.step = step;
      this.zero = zero;
      this.outputs = outputs;
    }

    static Loose of(BinaryOperator<Tensor> step) {
      return new Loose(x -> x, step, n -> Tensor.zeros(n, H), H);
    }

    @Override
    public int inputs() {
      return H;
    }

    @Override
    public int outputs() {
      return outputs;
    }

    @Override
    public Tensor project(Tensor x) {
      return project.apply(x);
    }

    @Override
    public HiddenState step(Tensor z, HiddenState state) {
      return new HiddenState(step.apply(z, state.h()));
    }

    @Override
    public HiddenState zero(int batch) {
      return new HiddenState(zero.apply(batch));
    }

    @Override
    public Parameters parameters() {
      throw new AssertionError("nobody needs them");
    }
  }

  private static Tensor x() {
    return Philox.of(1).normal(DType.F32, 0, 1, 4, 2, H);
  }

  private static void fails(Loose cell, String... words) {
    try (var scope = TensorScope.open()) {
      Tensor x = x();
      for (int i = 0; i < 2; i++) {
        assertThatThrownBy(() -> Recurrent.of(cell).apply(x))
            .isInstanceOf(TensorException.class)
            .hasMessageContainingAll(words);
      }
      assertThatThrownBy(() -> FusedContract.BODIES.run(() -> Recurrent.of(cell).apply(x)))
          .isInstanceOf(TensorException.class)
          .hasMessageContainingAll(words);
    }
  }

  @Test
  void aCellNeedNotBeARecord() {
    try (var scope = TensorScope.open()) {
      var cell = Loose.of((z, h) -> z.mul(0.3).add(h).tanh());
      Tensor x = x();
      var kernel = Grad.of(() -> Recurrent.of(cell).apply(x).square().sum(), x);
      var body =
          FusedContract.BODIES.run(
              () -> Grad.of(() -> Recurrent.of(cell).apply(x).square().sum(), x));
      assertThat(kernel.get(0).allClose(body.get(0), 1e-5, 1e-6)).isTrue();
    }
  }

  @Test
  void theInitialStateHasARowForEach() {
    fails(
        new Loose(x -> x, Tensor::add, n -> Tensor.zeros(1, H), H),
        "cell Loose",
        "zero(2)",
        "2 rows",
        "[1,3]");
  }

  @Test
  void aStepKeepsTheShapesOfTheState() {
    fails(Loose.of((z, h) -> z.narrow(1, 0, 2)), "a step makes F32 [2,2] of h", "F32 [2,3]");
    fails(Loose.of((z, h) -> z.narrow(0, 0, 1)), "a step makes F32 [1,3] of h");
  }

  @Test
  void theOutputIsAsWideAsIsSaid() {
    fails(
        new Loose(x -> x, Tensor::add, n -> Tensor.zeros(n, H), 5),
        "output of a step",
        "[2,5]",
        "[2,3]");
  }

  @Test
  void projectGivesARowForEachStep() {
    fails(
        new Loose(x -> x.sum(0), Tensor::add, n -> Tensor.zeros(n, H), H),
        "project must give [4,2,G]",
        "[2,3]");
  }

  @Test
  void theInputIsOfTheWeightsType() {
    try (var scope = TensorScope.open()) {
      var cell = Layers.cell("lstm"); // F64
      assertThatThrownBy(() -> Recurrent.of(cell).apply(Tensor.zeros(3, 2, Layers.D)))
          .isInstanceOf(TensorException.class)
          .hasMessageContainingAll("the input is F32", "weights are F64", "cast(DType.F64)");
    }
  }

  @Test
  void aStepMayCutAsOftenAsItLikes() {
    try (var scope = TensorScope.open()) {
      int units = 150;
      var cell =
          new Loose(
              x -> x.narrow(2, 0, 1),
              (z, h) -> {
                List<Tensor> columns = new ArrayList<>();
                for (int i = 0; i < units; i++) {
                  columns.add(h.narrow(1, (i + 1) % units, 1).mul(0.5).add(z));
                }
                return Tensor.concat(columns, 1);
              },
              n -> Tensor.zeros(n, units),
              units);
      Tensor x = x();
      Tensor y = Recurrent.of(cell).apply(x);
      Tensor body = FusedContract.BODIES.run(() -> Recurrent.of(cell).apply(x));
      assertThat(y.allClose(body, 1e-5, 1e-6)).isTrue();
    }
  }

  @Test
  @SuppressWarnings("NullAway") // what users' code does
  void aStepThatGivesNothingIsNamed() {
    try (var scope = TensorScope.open()) {
      var nothing =
          Recurrent.of(
              new Plain() {
                @Override
                public HiddenState step(Tensor z, HiddenState state) {
                  return null;
                }
              });
      assertThatThrownBy(() -> nothing.run(x()))
          .isInstanceOf(TensorException.class)
          .hasMessageContaining("step gives null");
      var hollow = Recurrent.of(Loose.of((z, h) -> null));
      assertThatThrownBy(() -> hollow.run(x()))
          .isInstanceOf(TensorException.class)
          .hasMessageContaining("HiddenState.h is null");
    }
  }

  private abstract static class Plain implements Cell<HiddenState> {
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
    public HiddenState zero(int batch) {
      return new HiddenState(Tensor.zeros(batch, H));
    }

    @Override
    public Parameters parameters() {
      throw new AssertionError("nobody needs them");
    }
  }
}
