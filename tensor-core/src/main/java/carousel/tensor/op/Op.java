package carousel.tensor.op;

import carousel.tensor.Tensor;
import carousel.tensor.TensorException;

/**
 * An operation: its name, what it computes, and how gradients flow back through it.
 *
 * <p>An op is a row. The elementwise and reducing families are enums ({@link Unary#TANH}); ops with
 * parameters are small records ({@link MatMul}, {@link Views.Slice}). An op of a user's own is a {@link
 * CustomOp}. What applying a row
 * <em>means</em> is up to the {@link Interpreter}: compute it, compute and record it, or print it.
 */
public sealed interface Op
    permits ElementwiseOp,
        ReduceAxes,
        CumSum,
        LinearScan,
        Softmax,
        MatMul,
        Views,
        Joins,
        Indexing,
        Sort,
        Cast,
        Transfer,
        Composite,
        CustomOp {

  /** {@return the name for messages, graphs and tables, e.g. {@code tanh}} */
  String label();

  /**
   * {@return how cotangents of the outputs become cotangents of the inputs: the vector-Jacobian
   * product rule; {@link Vjp#none()} if nothing flows}
   */
  Vjp vjp();

  /**
   * Checks the inputs, allocates the outputs and computes them on the inputs' device.
   *
   * @param inputs the operands
   * @return the outputs, most often one
   * @throws carousel.tensor.TensorException if shapes, types or devices do not fit
   */
  Tensor[] evaluate(Tensor... inputs);

  /**
   * Applies a row with one output under the current interpreter.
   *
   * @param op the row
   * @param inputs its operands
   * @return its output
   */
  static Tensor apply(Op op, Tensor... inputs) {
    return applyAll(op, inputs)[0];
  }

  /**
   * Applies a row with several outputs under the current interpreter.
   *
   * @param op the row
   * @param inputs its operands
   * @return its outputs
   */
  static Tensor[] applyAll(Op op, Tensor... inputs) {
    for (int i = 0; i < inputs.length; i++) {
      if (inputs[i] == null) {
        throw new TensorException(op.label() + ": operand " + i + " is null");
      }
    }
    return Interpreter.current().apply(op, inputs);
  }
}
