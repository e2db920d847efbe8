package carousel.nn.recurrent;

import carousel.tensor.Tensor;
import carousel.tensor.TensorException;
import java.util.List;

/**
 * Two scans of one input in opposite directions, their outputs side by side: {@code x [T,N,D] → y
 * [T,N,Hf+Hb]}.
 *
 * <p>Source: Schuster and Paliwal 1997.
 *
 * @param forward the layer that runs forward
 * @param backward the layer that runs in reverse, with its own weights
 */
public record Bidirectional(Recurrent<?> forward, Recurrent<?> backward) implements Sequence {
  /** Checks directions and sizes. */
  public Bidirectional {
    if (forward.direction() != Recurrent.Direction.FORWARD
        || backward.direction() != Recurrent.Direction.REVERSE) {
      throw new TensorException(
          "bidirectional: wants a forward and a reverse layer, got "
              + forward.direction()
              + " and "
              + backward.direction());
    }
    if (forward.inputs() != backward.inputs()) {
      throw new TensorException(
          "bidirectional: the layers read "
              + forward.inputs()
              + " and "
              + backward.inputs()
              + " features; both see one input");
    }
  }

  /**
   * Two cells, from zeros.
   *
   * @param forward the cell that runs forward
   * @param backward the cell that runs in reverse
   * @return the layer
   */
  public static Bidirectional of(Cell<?> forward, Cell<?> backward) {
    return new Bidirectional(Recurrent.of(forward), Recurrent.reverse(backward));
  }

  @Override
  public int inputs() {
    return forward.inputs();
  }

  @Override
  public int outputs() {
    return forward.outputs() + backward.outputs();
  }

  @Override
  public int cells() {
    return 2;
  }

  @Override
  public Run run(Tensor x, Marks marks, List<? extends RecurrentState> initial) {
    if (!initial.isEmpty() && initial.size() != 2) {
      throw new TensorException(
          "bidirectional: two initial states are wanted, forward and reverse, got "
              + initial.size());
    }
    boolean given = !initial.isEmpty();
    Run there = forward.run(x, marks, given ? initial.subList(0, 1) : List.of());
    Run back = backward.run(x, marks, given ? initial.subList(1, 2) : List.of());
    return new Run(
        Tensor.concat(List.of(there.y(), back.y()), Tensor.LAST),
        Tensor.concat(List.of(there.last(), back.last()), Tensor.LAST),
        List.of(there.states().getFirst(), back.states().getFirst()));
  }
}
