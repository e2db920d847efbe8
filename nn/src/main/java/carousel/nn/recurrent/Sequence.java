package carousel.nn.recurrent;

import carousel.nn.Layer;
import carousel.nn.Transform;
import carousel.nn.layer.Sequential;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import java.util.List;

/**
 * A layer over time, {@code x [T,N,D] → y [T,N,H]}: one {@link Recurrent}, a {@link Bidirectional}
 * pair, a {@link Stacked} of them, or any of these with {@linkplain #then transforms} behind it or its input
 * {@linkplain #residual added}.
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
   * Runs over a batch of sequences of one length, from the layer's own initial state.
   *
   * @param x {@code [T,N,D]}
   * @return the outputs and the final states
   * @throws carousel.tensor.TensorException if shapes do not fit
   */
  default Run run(Tensor x) {
    return run(x, Marks.none(), List.of());
  }

  /**
   * Runs over a batch of sequences of different lengths, from the layer's own initial state.
   *
   * @param x {@code [T,N,D]}
   * @param lengths I32 {@code [N]}, each in {@code [0,T]}: outputs are zero past a row's length, its
   *     final state is that after its last step
   * @return the outputs and the final states
   * @throws carousel.tensor.TensorException if shapes do not fit
   */
  default Run run(Tensor x, Tensor lengths) {
    return run(x, Marks.ofLengths(lengths), List.of());
  }

  /**
   * Runs over a batch of sequences of one length from given states.
   *
   * @param x {@code [T,N,D]}
   * @param initial the states to start from, as {@link Run#states} of another run gave them
   * @return the outputs and the final states
   * @throws carousel.tensor.TensorException if shapes do not fit
   */
  default Run run(Tensor x, List<? extends RecurrentState> initial) {
    return run(x, Marks.none(), initial);
  }

  /**
   * Runs over a batch with marks, from the layer's own initial state.
   *
   * @param x {@code [T,N,D]}
   * @param marks where rows end or start anew, and which steps are skipped
   * @return the outputs and the final states
   * @throws carousel.tensor.TensorException if shapes do not fit
   */
  default Run run(Tensor x, Marks marks) {
    return run(x, marks, List.of());
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
   * This layer, and transforms of what it gives at every step: a norm, a projection, dropout.
   *
   * <pre>{@code
   * Stacked.of(
   *     Recurrent.of(lstm).then(LayerNorm.of(64)),
   *     Recurrent.of(gru).residual().then(Linear.of(64, 32, init, rng), Tensor::relu));
   * }</pre>
   *
   * <p>Parameters of this are named {@code layer.*} in it, and those of the transforms {@code maps.0.*}: names follow the
   * structure, see {@link carousel.nn.Layer}.
   *
   * @param maps applied to the outputs in order, {@code [T,N,H] → [T,N,K]}; functions among them are without weights
   * @return a layer of K features, with the states of this
   * @throws carousel.tensor.TensorException if one reads other features than the one before gives
   */
  default Sequence then(Transform... maps) {
    return new MappedSequence(this, Sequential.of(maps));
  }

  /**
   * This layer with its input added to what it gives: {@code y = x + f(x)}. Its parameters are named {@code layer.*} in
   * it: names follow the structure, see {@link carousel.nn.Layer}.
   *
   * @return a layer of as many features, with the states of this
   * @throws carousel.tensor.TensorException if it gives another number of features than it reads
   */
  default Sequence residual() {
    return new ResidualSequence(this);
  }

  /**
   * What a run gives.
   *
   * @param y the output of every step, {@code [T,N,H]}
   * @param last the output of the last step of each row, {@code [N,H]}; of a row of length 0, what
   *     its initial state gives
   * @param states the final states, one per cell; pass them on to carry the state to the next window
   */
  record Run(Tensor y, Tensor last, List<RecurrentState> states) {
    /**
     * Hands the final states to the scope around the one in which this ran, as {@link TensorScope#keep} does a tensor,
     * so that another run can start from them when it is closed.
     *
     * <pre>{@code
     * List<RecurrentState> states = List.of();
     * for (Batch window : batches) {
     *   try (var scope = TensorScope.open()) {
     *     Sequence.Run read = model.stack().run(window.x(), states);
     *     states = read.keepStates(scope);
     *   }
     * }
     * }</pre>
     *
     * <p>They stay until the outer scope closes, those of every run. For a long text {@link CarriedState} keeps one
     * set, in memory of its own, and without the gradient.
     *
     * @param scope the one in which this ran
     * @return the states
     * @throws carousel.tensor.TensorException if there is no scope around it
     */
    public List<RecurrentState> keepStates(TensorScope scope) {
      states.forEach(state -> state.tensors().forEach(scope::keep));
      return states;
    }
  }
}
