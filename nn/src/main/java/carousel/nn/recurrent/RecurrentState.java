package carousel.nn.recurrent;

import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import java.util.List;
import java.util.function.BinaryOperator;
import java.util.function.UnaryOperator;

/**
 * What a cell carries from step to step: a record of tensors, each {@code [N, ..]}.
 *
 * <pre>{@code public record LstmState(Tensor h, Tensor c) implements RecurrentState {}}</pre>
 *
 * <p>All that a scan does with states it does by the record's components; the record must be public
 * in an exported package, or its package open to {@code carousel.nn}.
 */
public interface RecurrentState {
  /**
   * The tensors of this state, in the order of the record's components.
   *
   * @return its tensors
   */
  default List<Tensor> tensors() {
    return StateRecords.tensors(this);
  }

  /**
   * A state of the same type with other tensors.
   *
   * @param state gives the type
   * @param tensors as many as it has
   * @param <S> the type
   * @return the state
   */
  static <S extends RecurrentState> S with(S state, List<Tensor> tensors) {
    return StateRecords.with(state, tensors);
  }

  /**
   * A state whose tensors are each computed from one tensor of another.
   *
   * @param state the state
   * @param f what is done to each tensor
   * @param <S> its type
   * @return the new state
   */
  static <S extends RecurrentState> S map(S state, UnaryOperator<Tensor> f) {
    return with(state, state.tensors().stream().map(f).toList());
  }

  /**
   * A state whose tensors are each computed from those of two states.
   *
   * @param a one state
   * @param b the other, of the same type
   * @param f what is done to each pair
   * @param <S> their type
   * @return the new state
   */
  static <S extends RecurrentState> S zip(S a, S b, BinaryOperator<Tensor> f) {
    List<Tensor> left = a.tensors();
    List<Tensor> right = b.tensors();
    Tensor[] out = new Tensor[left.size()];
    for (int i = 0; i < out.length; i++) {
      out[i] = f.apply(left.get(i), right.get(i));
    }
    return with(a, List.of(out));
  }

  /**
   * The same values as constants: where truncated BPTT cuts the gradient.
   *
   * @param state the state
   * @param <S> its type
   * @return the state through which no gradient flows
   */
  static <S extends RecurrentState> S detach(S state) {
    return map(state, Tensor::detach);
  }

  /**
   * Hands all tensors of a state to a scope further out, to be carried across batches.
   *
   * @param state the state
   * @param scope the scope that shall own it
   * @param <S> its type
   * @return the state
   */
  static <S extends RecurrentState> S adopt(S state, TensorScope scope) {
    return map(state, scope::adopt);
  }
}
