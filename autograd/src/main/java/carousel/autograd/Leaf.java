package carousel.autograd;

import carousel.tensor.Tensor;

/**
 * A named tensor that gradients are asked for, such as a parameter of a model. The name is what
 * errors and reports call it.
 */
public interface Leaf {
  /**
   * Returns what errors and reports call it.
   *
   * @return e.g. {@code stack.0.cell.wx}
   */
  String name();

  /**
   * Returns the tensor to differentiate by.
   *
   * @return its current value
   */
  Tensor value();
}
