package carousel.tensor.contract;

import carousel.tensor.Tensor;
import carousel.tensor.op.Composite;
import carousel.tensor.op.Op;
import carousel.tensor.op.ReduceAxes;
import java.util.List;

/**
 * A row and operands to try it on.
 *
 * @param op the row
 * @param operands its inputs
 */
public record OpCase(Op op, List<Operand> operands) {

  /** A case of one or more operands. */
  static OpCase of(Op op, Operand... operands) {
    return new OpCase(op, List.of(operands));
  }

  /**
   * The row this is a case of, e.g. {@code Unary.TANH}, {@code ReduceAxes.SUM} or {@code Slice}.
   *
   * @return a name that all cases of the row share
   */
  public String row() {
    return row(op);
  }

  static String row(Op op) {
    return switch (op) {
      case Enum<?> row -> row.getDeclaringClass().getSimpleName() + "." + row.name();
      case ReduceAxes r -> "Reduce." + r.reduce().name();
      case Composite c -> "Composite." + c.label();
      default -> op.getClass().getSimpleName();
    };
  }

  /**
   * Makes the inputs on the device of the innermost scope.
   *
   * @return new tensors
   */
  public Tensor[] inputs() {
    return operands.stream().map(Operand::tensor).toArray(Tensor[]::new);
  }

  /**
   * Tells which inputs have gradients.
   *
   * @param input which
   * @return whether it is floating and the row's rule lets a gradient flow to it
   */
  public boolean differentiable(int input) {
    return operands.get(input).dtype().isFloating()
        && (op instanceof Composite c
            ? !CompositeCases.CONSTANT.contains(c.label())
            : op.vjp().flows(input));
  }

  /** The row, its parameters and the operands. */
  @Override
  public String toString() {
    String name = op instanceof Composite c ? "Composite." + c.label() : op.toString();
    return name + " of " + operands;
  }
}
