package carousel.nn.recurrent;

import carousel.nn.Layer;
import carousel.tensor.Tensor;

/**
 * One step of a recurrence, as a graph of tensor ops.
 *
 * <p>A cell is a record of parameters that says how one step goes; {@link Recurrent} runs it over
 * time, in both directions, over ragged batches, from any initial state. What does not depend on the
 * state is computed by {@link #project} for all steps at once: one matrix product per sequence.
 *
 * <p><em>A step may do anything that tensors can. It computes the same of its input, its state, and of
 * tensors and numbers that do not change while a sequence runs, and it changes nothing outside of it;
 * it is first run on stand-ins, which have a type and a shape but no values.</em> So it is traced at every
 * call: what the step does then, with the numbers and weights of then, is what the kernel of the sequence
 * does. A step that no kernel can do (one that draws random numbers, looks at values, mixes rows, or has a
 * state that is not {@code [N,C]}) runs op by op, with the same meaning, and a log line says why.
 *
 * @param <S> what it carries from step to step
 */
public interface Cell<S extends RecurrentState> extends Layer {
  /** {@return the features of a step's input, D} */
  int inputs();

  /** {@return the features of a step's output, H} */
  int outputs();

  /**
   * The part of every step that depends on the input alone.
   *
   * @param x {@code [T,N,D]}
   * @return {@code [T,N,G]}, e.g. {@code x·wx + b}
   */
  Tensor project(Tensor x);

  /**
   * One step.
   *
   * @param z the projected input of the step, {@code [N,G]}
   * @param state the state before it
   * @return the state after it; new tensors, or those given
   */
  S step(Tensor z, S state);

  /**
   * One step in which products read another state than the one that is carried on: {@link Noise#states drops}
   * some of the first, and must not touch the second, which would be scaled anew at every step and grow
   * without bound. A cell that carries its state on beside what it multiplies, as a GRU does in {@code z ⊙
   * H'}, says here which is which.
   *
   * @param z the projected input of the step, {@code [N,G]}
   * @param read the state as weights multiply it
   * @param carried the state before the step
   * @return the state after it; {@code step(z, read)} unless a cell says otherwise, and {@code step(z, s)} of
   *     {@code s} twice
   */
  default S step(Tensor z, S read, S carried) {
    return step(z, read);
  }

  /**
   * The state a sequence starts from if none is given.
   *
   * @param batch N
   * @return zeros, of the weights' type and on their device; each tensor one of its own
   */
  S zero(int batch);

  /**
   * {@return the name under which a backend may know the cell: that of the class unless a cell says
   * otherwise} Of {@code lstm} the scan is the composite {@code lstm.scan}.
   */
  default String label() {
    return getClass().getSimpleName();
  }

  /**
   * What a step gives.
   *
   * @param state the state after the step
   * @return {@code [N,H]}; the first tensor of the state unless a cell says otherwise
   */
  default Tensor output(S state) {
    return state.tensors().getFirst();
  }
}
