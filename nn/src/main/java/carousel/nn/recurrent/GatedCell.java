package carousel.nn.recurrent;

import carousel.tensor.op.GateOrder;

/**
 * A cell whose weights hold a block of H columns per gate, side by side in an order that it declares.
 * Whoever reads the weights (files of other libraries, drawings of a step) finds a gate's block by its
 * name.
 *
 * @param <S> what it carries from step to step
 */
public interface GatedCell<S extends RecurrentState> extends AffineCell<S> {
  /** {@return the blocks of {@code wx} and {@code b}: the gates in the order of their blocks} */
  GateOrder gates();

  /**
   * {@return the blocks of {@code wh}, from the state before: the gates in the order of their
   * blocks; {@link #gates()} unless a cell says otherwise}
   */
  default GateOrder products() {
    return gates();
  }
}
