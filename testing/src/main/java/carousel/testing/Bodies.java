package carousel.testing;

import carousel.tensor.Tensor;
import carousel.tensor.op.Composite;
import carousel.tensor.op.Interpreter;
import carousel.tensor.op.Op;

/** Computes op by op, so that no kernel runs. */
final class Bodies implements Interpreter {
  static final Bodies INSTANCE = new Bodies();

  private Bodies() {}

  @Override
  public Tensor[] apply(Op op, Tensor... inputs) {
    return op instanceof Composite composite
        ? composite.body().apply(inputs)
        : EAGER.apply(op, inputs);
  }

  @Override
  public boolean takesKernels() {
    return false;
  }
}
