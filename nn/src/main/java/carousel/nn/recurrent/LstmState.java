package carousel.nn.recurrent;

import carousel.tensor.Tensor;

/**
 * The state of the LSTM family.
 *
 * @param h the output, {@code [N,H]}
 * @param c the cell state, the constant error carousel, {@code [N,H]}
 */
public record LstmState(Tensor h, Tensor c) implements RecurrentState {}
