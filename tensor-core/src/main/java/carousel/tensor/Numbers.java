package carousel.tensor;

import carousel.tensor.op.Binary;
import carousel.tensor.op.Interpreter;
import carousel.tensor.op.Op;

/** Java numbers that meet tensors: none is cut to a type in silence. */
final class Numbers {
  private Numbers() {}

  /** Refuses what a tensor of a type cannot hold: I32 whole numbers, BOOL 0 and 1; floating types round. */
  static void require(String op, DType type, double value) {
    if (!type.holds(value)) {
      throw new TensorException(
          op
              + ": "
              + value
              + (type == DType.BOOL
                  ? " is neither 0 nor 1, which is all that BOOL holds; convert the tensor with"
                      + " cast(DType.F32) first"
                  : " is no number of I32, which holds whole ones from -2147483648 to 2147483647;"
                      + " convert the tensor with cast(DType.F64) first"));
    }
  }

  /** A number as an operand of a row. */
  static Tensor beside(Op row, Tensor x, double value) {
    return beside(row.label(), x, value);
  }

  /** A number as an operand of an op or method. */
  static Tensor beside(String op, Tensor x, double value) {
    require(op, x.dtype(), value);
    return Interpreter.current().number(x, value);
  }

  /** The lower bound of an op: below all whole numbers, −∞ too, it is the least of them. */
  static Tensor least(String op, Tensor x, double value) {
    boolean below = x.dtype() == DType.I32 && value < Integer.MIN_VALUE;
    return beside(op, x, below ? Integer.MIN_VALUE : value);
  }

  /** The upper bound of an op: above all whole numbers, ∞ too, it is the greatest of them. */
  static Tensor greatest(String op, Tensor x, double value) {
    boolean above = x.dtype() == DType.I32 && value > Integer.MAX_VALUE;
    return beside(op, x, above ? Integer.MAX_VALUE : value);
  }

  /** A comparison with a number: of whole ones with any, as doubles, which hold both. */
  static Tensor compared(Binary row, Tensor x, double value) {
    if (x.dtype() == DType.I32 && !x.dtype().holds(value)) {
      return compared(row, x.cast(DType.F64), value);
    }
    return Op.apply(row, x, beside(row, x, value));
  }
}
