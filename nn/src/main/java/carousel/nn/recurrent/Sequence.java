package carousel.nn.recurrent;

import carousel.nn.Layer;
import carousel.tensor.Tensor;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A layer over time, {@code x [T,N,D] → y [T,N,H]}: one {@link Recurrent}, a {@link Bidirectional}
 * pair, or a {@link Stacked} of them.
 */
public interface Sequence extends Layer {
  /** {@return the features of its input, D} */
  int inputs();

  /** {@return the features of its output, H} */
  int outputs();

  /**
   * {@return how many cells it runs: as many states it takes and gives, 1 unless a layer says
   * otherwise}
   */
  default int cells() {
    return 1;
  }

  /**
   * Runs over a batch of sequences.
   *
   * @param x {@code [T,N,D]}
   * @param marks where rows end or start anew, and which steps are skipped
   * @param initial the states to start from, as {@link Run#states} of another run gave them; empty
   *     for the layer's own
   * @return the outputs and the final states
   * @throws carousel.tensor.TensorException if shapes do not fit
   */
  Run run(Tensor x, Marks marks, List<? extends RecurrentState> initial);

  /**
   * Runs over a batch of sequences of different lengths.
   *
   * @param x {@code [T,N,D]}
   * @param initial the states to start from; empty for the layer's own
   * @param lengths I32 {@code [N]}, each in {@code [0,T]}: outputs are zero past a row's length, its
   *     final state is that after its last step; null if all rows are T long
   * @return the outputs and the final states
   * @throws carousel.tensor.TensorException if shapes do not fit
   */
  default Run run(Tensor x, List<? extends RecurrentState> initial, @Nullable Tensor lengths) {
    return run(x, Marks.ofLengths(lengths), initial);
  }

  /**
   * Runs over a batch of rows in which sequences follow each other.
   *
   * @param x {@code [T,N,D]}
   * @param initial the states to start from; empty for the layer's own
   * @param lengths I32 {@code [N]}; null if all rows are T long
   * @param resets BOOL {@code [T,N]}: where a new sequence begins, see {@link Marks#resets}
   * @return the outputs and the final states
   * @throws carousel.tensor.TensorException if shapes do not fit
   */
  default Run run(
      Tensor x,
      List<? extends RecurrentState> initial,
      @Nullable Tensor lengths,
      @Nullable Tensor resets) {
    return run(x, Marks.ofLengths(lengths).withResets(resets), initial);
  }

  /**
   * Runs over a batch of sequences of one length, from the layer's own initial state.
   *
   * @param x {@code [T,N,D]}
   * @return the outputs and the final states
   */
  default Run run(Tensor x) {
    return run(x, Marks.none(), List.of());
  }

  /**
   * Runs over a batch of sequences of one length and gives the outputs of every step.
   *
   * @param x {@code [T,N,D]}
   * @return {@code [T,N,H]}
   */
  default Tensor apply(Tensor x) {
    return run(x).y();
  }

  /**
   * What a run gives.
   *
   * @param y the output of every step, {@code [T,N,H]}
   * @param last the output of the last step of each row, {@code [N,H]}; of a row of length 0, what
   *     its initial state gives
   * @param states the final states, one per cell; pass them on to carry the state to the next window
   */
  record Run(Tensor y, Tensor last, List<RecurrentState> states) {}
}
