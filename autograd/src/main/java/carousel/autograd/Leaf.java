package carousel.autograd;

import carousel.tensor.Tensor;

/** A named tensor that gradients are wanted for; a model's parameters are leaves. */
public interface Leaf {
  /**
   * Returns the name by which errors and tables call it.
   *
   * @return e.g. {@code stack.0.cell.wx}
   */
  String name();

  /**
   * Returns the value gradients refer to.
   *
   * @return the tensor that the loss reads
   */
  Tensor value();
}
