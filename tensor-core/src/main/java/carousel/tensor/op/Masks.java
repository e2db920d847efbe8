package carousel.tensor.op;

/** Which rows give masks, and which read them: a mask is no number, and cannot be stored as one. */
public final class Masks {
  private Masks() {}

  /**
   * Tells whether a row gives a mask.
   *
   * @param op the row
   * @return whether its result is BOOL
   */
  public static boolean gives(Op op) {
    return switch (op) {
      case Binary row -> row.isComparison() || isLogical(row);
      case Unary row -> row == Unary.IS_NAN || row == Unary.IS_FINITE || isLogical(row);
      default -> false;
    };
  }

  /**
   * Tells whether a row reads masks, and gives one.
   *
   * @param op the row
   * @return whether it is logical
   */
  public static boolean isLogical(Op op) {
    return op == Binary.AND || op == Binary.OR || op == Binary.XOR || op == Unary.NOT;
  }

  /**
   * Tells whether a row reads a mask as an operand.
   *
   * @param op the row
   * @param operand which of its operands
   * @return whether that is BOOL
   */
  public static boolean reads(Op op, int operand) {
    return isLogical(op) || (op == Ternary.WHERE && operand == 0);
  }
}
