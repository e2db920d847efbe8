package carousel.nn.recurrent;

import carousel.nn.check.Operands;
import carousel.nn.layer.Sequential;
import carousel.tensor.Tensor;
import carousel.tensor.TensorException;
import java.util.List;

/**
 * A layer over time whose outputs go through transforms, step by step: {@code y = g(f(x))}; see {@link
 * Sequence#then}.
 *
 * <p>Outputs are 0 where the layer takes no step, past a row's length or where marks skip one, whatever the transforms
 * make of 0. What they see there is the row's last output, so that no gradient is NaN that was not otherwise. {@link
 * Run#last} goes through the transforms by itself: noise in them is drawn for it anew.
 *
 * @param layer f, with its states
 * @param maps g
 */
public record MappedSequence(Sequence layer, Sequential maps) implements Sequence {
  /** Checks that the transforms read what the layer gives. */
  public MappedSequence {
    Operands.present("then", "layer", layer);
    Operands.present("then", "maps", maps);
    maps.reads()
        .ifPresent(reads -> {
          if (reads != layer.outputs()) {
            throw new TensorException(
                "then: the transforms read "
                    + reads
                    + " features, and the layer before them, "
                    + layer.getClass().getSimpleName()
                    + ", gives "
                    + layer.outputs());
          }
        });
    int _ = maps.outputs(layer.outputs());
  }

  @Override
  public int inputs() {
    return layer.inputs();
  }

  @Override
  public int outputs() {
    return maps.outputs(layer.outputs());
  }

  @Override
  public int cells() {
    return layer.cells();
  }

  @Override
  public Run run(Tensor x, Marks marks, List<? extends RecurrentState> initial) {
    Run run = layer.run(x, marks, initial);
    if (!marks.leaveOut()) {
      return new Run(applied(run.y()), applied(run.last()), run.states());
    }
    Tensor taken = marks.on(x).steps(x.dim(0)).unsqueeze(2);
    Tensor y = applied(Tensor.where(taken, run.y(), run.last().detach()));
    return new Run(Tensor.where(taken, y, y.scalarLike(0)), applied(run.last()), run.states());
  }

  private Tensor applied(Tensor y) {
    Tensor made = maps.apply(y);
    if (!made.shape().equals(y.shape().with(y.rank() - 1, outputs()))) {
      throw new TensorException(
          "then: the transforms make "
              + made.shape()
              + " of "
              + y.shape()
              + ", and say that they give "
              + outputs()
              + " features; one that changes their number is a record that says so in outputs(int)");
    }
    return made;
  }
}
