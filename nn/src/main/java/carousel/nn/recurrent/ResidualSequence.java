package carousel.nn.recurrent;

import carousel.nn.check.Operands;
import carousel.tensor.DType;
import carousel.tensor.Tensor;
import carousel.tensor.TensorException;
import java.util.ArrayList;
import java.util.List;

/**
 * A layer over time with its input added to its outputs, {@code y = x + f(x)}, a connection that skips it; see {@link
 * Sequence#residual}.
 *
 * <p>Outputs are 0 where the layer takes no step. To {@link Run#last} is added what x is where the row's last step was
 * taken: of a reverse layer that is the first in time, of two directions side by side one for each half of the
 * features. Where directions are merged by other means, and in layers that are not of this library, it is the last
 * in time. A row that takes no step adds nothing.
 *
 * <p>Source: Prakash et al. 2016, "Neural paraphrase generation with stacked residual LSTM networks"; Wu et al. 2016.
 *
 * @param layer f, which gives as many features as it reads
 */
public record ResidualSequence(Sequence layer) implements Sequence {
  /** Checks that what is added has one size. */
  public ResidualSequence {
    Operands.present("residual", "layer", layer);
    if (layer.inputs() != layer.outputs()) {
      throw new TensorException(
          "residual: the layer makes [T,N,"
              + layer.outputs()
              + "] of [T,N,"
              + layer.inputs()
              + "]; what is added must be as x is: project it before, or with then(..) behind the layer");
    }
  }

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
    Run run = layer.run(x, marks, initial);
    Marks here = marks.on(x);
    Tensor last = run.last().add(end(layer, x, here));
    if (!marks.leaveOut()) {
      return new Run(x.add(run.y()), last, run.states());
    }
    Tensor taken = here.steps(x.dim(0)).unsqueeze(2);
    return new Run(Tensor.where(taken, x, x.scalarLike(0)).add(run.y()), last, run.states());
  }

  /** What x is at the last step that a layer takes of each row, {@code [N,D]}. */
  private static Tensor end(Sequence layer, Tensor x, Marks marks) {
    return switch (layer) {
      case Recurrent<?> one -> end(one.direction(), x, marks);
      case Stacked stack -> end(stack.layers().getLast(), x, marks);
      case MappedSequence mapped -> end(mapped.layer(), x, marks);
      case ResidualSequence residual -> end(residual.layer, x, marks);
      case Bidirectional pair when pair.merge() == Bidirectional.Merge.CONCAT -> {
        int split = pair.forward().outputs();
        var halves = new ArrayList<Tensor>();
        halves.add(end(pair.forward(), x.narrow(2, 0, split), marks));
        halves.add(end(pair.backward(), x.narrow(2, split, x.dim(2) - split), marks));
        yield Tensor.concat(halves, Tensor.LAST);
      }
      default -> end(Recurrent.Direction.FORWARD, x, marks);
    };
  }

  private static Tensor end(Recurrent.Direction direction, Tensor x, Marks marks) {
    boolean reverse = direction == Recurrent.Direction.REVERSE;
    int steps = x.dim(0);
    if (steps == 0) {
      return x.zerosLike(x.shape().without(0));
    }
    if (!marks.leaveOut()) {
      return x.select(0, reverse ? 0 : steps - 1);
    }
    Tensor taken = marks.steps(steps);
    Tensor number = Tensor.arange(steps).to(x.device()).unsqueeze(1); // [T,1]
    Tensor best = reverse ? number.neg().add(steps) : number.add(1); // the greater the later
    Tensor at = Tensor.where(taken, best, best.scalarLike(0)).argmax(0); // [N]
    Tensor place = at.unsqueeze(0).unsqueeze(2).expand(x.shape().with(0, 1));
    Tensor there = x.gather(place, 0).select(0, 0);
    Tensor some = taken.cast(DType.I32).max(0).gt(0).unsqueeze(1);
    return Tensor.where(some, there, there.scalarLike(0));
  }
}
