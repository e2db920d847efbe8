package carousel.nn.recurrent;

import carousel.nn.check.Operands;
import carousel.tensor.Tensor;
import carousel.tensor.TensorException;
import java.util.List;

/**
 * Two scans of one input in opposite directions, their outputs side by side, {@code x [T,N,D] → y
 * [T,N,Hf+Hb]}, or merged, {@code x [T,N,D] → y [T,N,H]}.
 *
 * <p>Source: Schuster and Paliwal 1997.
 *
 * @param forward the layer that runs forward
 * @param backward the layer that runs in reverse, with its own weights
 * @param merge what becomes of the two outputs of a step, and of the two last ones
 */
public record Bidirectional(Recurrent<?> forward, Recurrent<?> backward, Merge merge)
    implements Sequence {
  /** What becomes of two outputs; Keras calls them {@code concat}, {@code sum}, {@code mul} and {@code ave}. */
  public enum Merge {
    /** Side by side, {@code (f, b)}. */
    CONCAT {
      @Override
      Tensor of(Tensor f, Tensor b) {
        return Tensor.concat(List.of(f, b), Tensor.LAST);
      }
    },
    /** {@code f + b}. */
    ADD {
      @Override
      Tensor of(Tensor f, Tensor b) {
        return f.add(b);
      }
    },
    /** {@code f ⊙ b}. */
    MULTIPLY {
      @Override
      Tensor of(Tensor f, Tensor b) {
        return f.mul(b);
      }
    },
    /** {@code (f + b) / 2}. */
    AVERAGE {
      @Override
      Tensor of(Tensor f, Tensor b) {
        return f.add(b).mul(0.5);
      }
    };

    abstract Tensor of(Tensor f, Tensor b);
  }

  /** Checks directions and sizes. */
  public Bidirectional {
    Operands.present("bidirectional", "forward", forward);
    Operands.present("bidirectional", "backward", backward);
    Operands.present("bidirectional", "merge", merge);
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
    if (merge != Merge.CONCAT && forward.outputs() != backward.outputs()) {
      throw new TensorException(
          "bidirectional: the layers give "
              + forward.outputs()
              + " and "
              + backward.outputs()
              + " features, which "
              + merge
              + " cannot merge; give both one size, or put them side by side with CONCAT");
    }
  }

  /**
   * Two layers, their outputs side by side.
   *
   * @param forward the layer that runs forward
   * @param backward the layer that runs in reverse, with its own weights
   */
  public Bidirectional(Recurrent<?> forward, Recurrent<?> backward) {
    this(forward, backward, Merge.CONCAT);
  }

  /**
   * Two cells, from zeros, their outputs side by side.
   *
   * @param forward the cell that runs forward
   * @param backward the cell that runs in reverse
   * @return the layer
   */
  public static Bidirectional of(Cell<?> forward, Cell<?> backward) {
    return new Bidirectional(Recurrent.of(forward), Recurrent.reverse(backward));
  }

  /**
   * This layer with its outputs merged in another way.
   *
   * @param other what becomes of two outputs
   * @return a layer that shares the cells
   * @throws TensorException if the sizes of the outputs do not allow it
   */
  public Bidirectional withMerge(Merge other) {
    return new Bidirectional(forward, backward, other);
  }

  @Override
  public int inputs() {
    return forward.inputs();
  }

  @Override
  public int outputs() {
    return merge == Merge.CONCAT ? forward.outputs() + backward.outputs() : forward.outputs();
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
        merge.of(there.y(), back.y()),
        merge.of(there.last(), back.last()),
        List.of(there.states().getFirst(), back.states().getFirst()));
  }
}
