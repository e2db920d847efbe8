package carousel.tensor.trace;

import carousel.tensor.DType;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import carousel.tensor.op.Vjp;

/** Stands for the values that a rule reads while it is traced. */
record Placeholders(Tensor cotangent, Tensor output, Tensor... inputs) implements Vjp.Context {
  @Override
  public Tensor g(int ignored) {
    return cotangent;
  }

  @Override
  public boolean reached(int ignored) {
    return true;
  }

  @Override
  public Tensor in(int input) {
    return inputs[input];
  }

  @Override
  public Tensor out(int ignored) {
    return output;
  }

  @Override
  public Shape shape(int input) {
    return inputs[input].shape();
  }

  @Override
  public DType dtype(int input) {
    return inputs[input].dtype();
  }
}
