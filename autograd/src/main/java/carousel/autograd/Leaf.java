package carousel.autograd;

import carousel.tensor.Tensor;

/** A named tensor that gradients are wanted for; a model's parameters are leaves. */
public interface Leaf {
  /** {@return the name by which errors and tables call it, e.g. {@code stack.0.cell.wx}} */
  String name();

  /** {@return the value that gradients refer to: the tensor that the loss reads} */
  Tensor value();
}
