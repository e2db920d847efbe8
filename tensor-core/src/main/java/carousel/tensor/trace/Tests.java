package carousel.tensor.trace;

import carousel.tensor.op.Binary;
import carousel.tensor.op.Op;
import carousel.tensor.op.Ternary;
import carousel.tensor.op.Unary;

/** Which rows give masks, and which read them: a mask is no number, and cannot be stored as one. */
public final class Tests {
  private Tests() {}

  /** Whether a row gives a mask. */
  public static boolean gives(Op op) {
    return switch (op) {
      case Binary row -> row.isComparison() || isLogical(row);
      case Unary row -> row == Unary.IS_NAN || row == Unary.IS_FINITE || isLogical(row);
      default -> false;
    };
  }

  /** Whether a row reads masks, and gives one. */
  public static boolean isLogical(Op op) {
    return op == Binary.AND || op == Binary.OR || op == Binary.XOR || op == Unary.NOT;
  }

  /** Whether a row reads a mask as an operand. */
  public static boolean reads(Op op, int operand) {
    return isLogical(op) || (op == Ternary.WHERE && operand == 0);
  }
}
