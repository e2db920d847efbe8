package carousel.tensor.op;

import carousel.tensor.Tensor;

/**
 * The body of a composite that is a recurrence over time: {@code (y_t, s_t) = step(x_t·wx + b,
 * s_{t−1})}. A backend that knows what a step does may run the whole sequence by one kernel: the
 * input enters by one matrix product for all steps, and so do the gradients of the weights.
 *
 * <p>Inputs of the composite, in this order:
 *
 * <ul>
 *   <li>{@code x [T,N,D]}, {@code wx [D,G]}, {@code b [G]};
 *   <li>the {@code states} tensors of the initial state, each {@code [N,H]};
 *   <li>every other tensor that the step reads: weights, constant over time;
 *   <li>if {@code ragged}, I32 {@code lengths [N]}: past its length a row's outputs are 0, its state
 *       stays, and x, which holds finite numbers there, gets no gradient.
 * </ul>
 *
 * <p>Outputs: {@code y [T,N,H]} and the final state's tensors.
 *
 * @param cell whose step this is: kernels are kept for as long as it lives, under its equality
 * @param step one step
 * @param loop all steps, by other ops; its inputs and outputs are those of the composite
 * @param states how many tensors the state has
 * @param reverse whether the last step comes first; y stands where x does all the same
 * @param ragged whether lengths are given
 */
public record Scan(
    Object cell, Step step, Composite.Body loop, int states, boolean reverse, boolean ragged)
    implements Composite.Body {

  /** One step. It reads the tensors among the composite's inputs and no others. */
  @FunctionalInterface
  public interface Step {
    /**
     * Computes one step.
     *
     * @param z the projected input, {@code [N,G]}
     * @param state the tensors of the state before it
     * @return the output, and the tensors of the state after it
     */
    Tensor[] apply(Tensor z, Tensor... state);
  }

  @Override
  public Tensor[] apply(Tensor... inputs) {
    return loop.apply(inputs);
  }
}
