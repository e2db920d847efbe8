package carousel.tensor.trace;

import carousel.tensor.DType;
import carousel.tensor.Device;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import carousel.tensor.op.Vjp;

/** Stands for the values that a rule reads while it is traced. */
record Placeholders(Tensor cotangent, Tensor output, Tensor... operands) implements Vjp.Context {
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
    return operands[input];
  }

  @Override
  public Tensor out(int ignored) {
    return output;
  }

  @Override
  public Shape shape(int input) {
    return operands[input].shape();
  }

  @Override
  public DType dtype(int input) {
    return operands[input].dtype();
  }

  @Override
  public String label() {
    return "row";
  }

  @Override
  public boolean wanted(int ignored) {
    return true;
  }

  @Override
  public int inputs() {
    return operands.length;
  }

  @Override
  public int outputs() {
    return 1;
  }

  @Override
  public Shape outputShape(int ignored) {
    return output.shape();
  }

  @Override
  public Device device(int input) {
    return operands[input].device();
  }
}
