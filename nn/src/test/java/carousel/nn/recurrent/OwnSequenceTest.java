package carousel.nn.recurrent;

import static carousel.nn.recurrent.Layers.D;
import static carousel.nn.recurrent.Layers.H;
import static carousel.nn.recurrent.Layers.cell;
import static org.assertj.core.api.Assertions.assertThat;

import carousel.autograd.GradCheck;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import java.util.List;
import org.junit.jupiter.api.Test;

/** A layer over time that is not of this library stands in a stack like any other. */
class OwnSequenceTest {

  /** {@code y = x + layer(x)}: a way around a layer, whatever number of cells that has. */
  public record Residual(Sequence layer) implements Sequence {
    @Override
    public int inputs() {
      return layer.inputs();
    }

    @Override
    public int outputs() {
      return layer.outputs();
    }

    @Override
    public int cells() {
      return layer.cells();
    }

    @Override
    public Run run(Tensor x, Marks marks, List<? extends RecurrentState> initial) {
      var run = layer.run(x, marks, initial);
      return new Run(x.add(run.y()), run.last(), run.states());
    }
  }

  private static Stacked stack() {
    return Stacked.of(
        Recurrent.of(cell("gru")),
        new Residual(
            Stacked.of(Recurrent.of(cell("lstm", H, 2)), Recurrent.of(cell("jordan", H, 3)))),
        Recurrent.of(cell("peephole", H, 4)));
  }

  @Test
  void takesItsShareOfTheStates() {
    try (var scope = TensorScope.open()) {
      var stack = stack();
      Tensor x = Layers.random(5, 5, 2, D);
      var whole = stack.run(x);
      assertThat(whole.states()).hasSize(4).hasSize(stack.cells());

      var first = stack.run(x.narrow(0, 0, 2));
      var second = stack.run(x.narrow(0, 2, 3), first.states());
      Tensor y = Tensor.concat(List.of(first.y(), second.y()), 0);
      Tensor windows = Layers.flat(new Sequence.Run(y, second.last(), second.states()));
      assertThat(windows.allClose(Layers.flat(whole), 0, 1e-12)).isTrue();
    }
  }

  @Test
  void hasGradientsToSecondOrder() {
    try (var scope = TensorScope.open()) {
      var stack = stack();
      Tensor x = Layers.random(5, 2, 2, D);
      List<RecurrentState> start = stack.run(Layers.random(6, 1, 2, D)).states();
      GradCheck.standard()
          .run(
              "a stack around a residual layer",
              in -> Layers.flat(stack.run(in[0], Marks.ofLengths(Tensor.of(1, 2)), start)),
              Layers.inputs(stack, x, start))
          .require();
    }
  }
}
