package carousel.tensor.op;

import carousel.tensor.DType;
import carousel.tensor.Tensor;
import carousel.tensor.TensorException;
import java.util.Locale;

/** The element types a row accepts. */
public enum Domain {
  /** F32 and F64. */
  FLOATING("F32 or F64"),
  /** F32, F64 and I32. */
  NUMERIC("F32, F64 or I32"),
  /** BOOL alone. */
  LOGICAL("BOOL"),
  /** Every type. */
  ANY("any type");

  private final String words;

  Domain(String words) {
    this.words = words;
  }

  /**
   * Tells whether a type is accepted.
   *
   * @param type the type
   * @return whether a row of this domain takes it
   */
  public boolean accepts(DType type) {
    return switch (this) {
      case FLOATING -> type.isFloating();
      case NUMERIC -> type != DType.BOOL;
      case LOGICAL -> type == DType.BOOL;
      case ANY -> true;
    };
  }

  /**
   * Refuses operands that a row of this domain does not take together: of another type, of types that differ,
   * or on devices that differ.
   *
   * @param op the op or method, for the error
   * @param operands the operands
   * @throws TensorException if they do not fit
   */
  public void require(String op, Tensor... operands) {
    Tensor first = operands[0];
    if (!accepts(first.dtype())) {
      throw new TensorException(
          String.format(
              Locale.ROOT,
              "%s: takes %s, got %s%s",
              op,
              words,
              Checks.describe(first),
              this == LOGICAL ? "; compare it, e.g. ne(0)" : "; convert it with cast(DType.F32)"));
    }
    for (int i = 1; i < operands.length; i++) {
      Checks.sameType(op, first, operands[i]);
      Checks.sameDevice(op, first, operands[i]);
    }
  }

  /** The types in words, e.g. "F32 or F64". */
  @Override
  public String toString() {
    return words;
  }
}
