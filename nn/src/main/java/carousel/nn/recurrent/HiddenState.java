package carousel.nn.recurrent;

import carousel.tensor.Tensor;

/**
 * The state of cells that carry nothing but their output.
 *
 * @param h {@code [N,H]}
 */
public record HiddenState(Tensor h) implements RecurrentState {}
