package carousel.tensor.op;

import carousel.tensor.DType;

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

  /** The types in words, e.g. "F32 or F64". */
  @Override
  public String toString() {
    return words;
  }
}
