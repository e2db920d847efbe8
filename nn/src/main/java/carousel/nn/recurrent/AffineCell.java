package carousel.nn.recurrent;

import carousel.nn.Parameter;
import carousel.tensor.Tensor;

/**
 * A cell that the input enters by {@code x·wx + b}, as it does in most; G columns, as many as its
 * gates read. A record with these two components need not say how.
 *
 * <p>A cell may override {@link #project} all the same, to normalise the sums, say, or to add a context: then
 * that is what its steps read, with a kernel as before. Only a product that is left as it is can be taken
 * into the kernel itself.
 *
 * @param <S> what it carries from step to step
 */
public interface AffineCell<S extends RecurrentState> extends Cell<S> {
  /** {@return the weights of the input, {@code [D,G]}} */
  Parameter wx();

  /** {@return the bias, {@code [G]}} */
  Parameter b();

  @Override
  default int inputs() {
    return wx().value().dim(0);
  }

  @Override
  default Tensor project(Tensor x) {
    return x.matmul(wx().value()).add(b().value());
  }
}
