package carousel.nn.recurrent;

import carousel.nn.init.Init;
import carousel.tensor.Philox;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import java.util.List;
import java.util.function.UnaryOperator;

/**
 * A cell that adds a candidate to what it remembers, as the g of {@code C = f ⊙ C' + i ⊙ g} or the n of
 * {@code H = z ⊙ H' + (1 − z) ⊙ n}; {@link Noise#candidate(double, Noise.Per)} drops of it.
 *
 * @param <S> what it carries from step to step
 */
public interface CandidateCell<S extends RecurrentState> extends Cell<S> {
  /**
   * One step in which something is done to the candidate.
   *
   * @param z the projected input of the step, {@code [N,G]}
   * @param state the state before it
   * @param candidate from {@code [N,C]} to {@code [N,C]}, applied once; with {@code g -> g} this is {@link
   *     #step(Tensor, RecurrentState)}
   * @return the state after it
   */
  S step(Tensor z, S state, UnaryOperator<Tensor> candidate);

  /**
   * One step in which something is done to the candidate, and products read another state than the one that is
   * carried on; see {@link #step(Tensor, RecurrentState, RecurrentState)}.
   *
   * @param z the projected input of the step, {@code [N,G]}
   * @param read the state as weights multiply it
   * @param carried the state before the step
   * @param candidate from {@code [N,C]} to {@code [N,C]}, applied once
   * @return the state after it; {@code step(z, read, candidate)} unless a cell says otherwise
   */
  default S step(Tensor z, S read, S carried, UnaryOperator<Tensor> candidate) {
    return step(z, read, candidate);
  }

  /** {@return the features of the candidate, C; H unless a cell says otherwise} */
  default int candidates() {
    return outputs();
  }

  /** The names of those of {@link Cells}. */
  static List<String> names() {
    try (var scope = TensorScope.openUnwatched()) {
      return Cells.names().stream()
          .filter(name -> Cells.of(name, 1, 1, Init.zeros(), Philox.of(0)) instanceof CandidateCell)
          .toList();
    }
  }
}
