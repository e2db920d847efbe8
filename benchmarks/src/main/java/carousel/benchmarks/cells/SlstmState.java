package carousel.benchmarks.cells;

import carousel.nn.recurrent.RecurrentState;
import carousel.tensor.Tensor;

/**
 * What an {@link Slstm} carries.
 *
 * @param h the output, {@code [N,H]}
 * @param c the memory, scaled by {@code exp(−m)}
 * @param n how much has been let in, scaled alike
 * @param m the stabiliser: a logarithm that the exponential gates are taken relative to
 */
public record SlstmState(Tensor h, Tensor c, Tensor n, Tensor m) implements RecurrentState {}
