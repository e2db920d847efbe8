package carousel.tensor;

/**
 * The type of a tensor's elements.
 *
 * <p>Types are never promoted silently: the operands of an op have one type, Java scalars take the
 * type of the tensor they meet (or are refused, where it cannot hold them), and {@link Tensor#cast} is the only way from one type to another.
 */
public enum DType {
  /** IEEE 754 binary32, the type of training. */
  F32(4),
  /** IEEE 754 binary64, the type of gradient checks and referees. */
  F64(8),
  /**
   * Two's complement 32-bit integers: tokens, indices, lengths. What is computed element by element wraps;
   * sums, running sums and products along axes that do not fit are errors, and so are Java numbers that are
   * not whole or do not fit.
   */
  I32(4),
  /** One byte per element, 0 or 1: masks and the results of comparisons. */
  BOOL(1);

  private final int bytes;

  DType(int bytes) {
    this.bytes = bytes;
  }

  /** {@return the size of one element in bytes} */
  public int bytes() {
    return bytes;
  }

  /**
   * Tells whether this is {@link #F32} or {@link #F64}, the types that have gradients.
   *
   * @return whether elements are floating-point numbers
   */
  public boolean isFloating() {
    return this == F32 || this == F64;
  }

  /**
   * Tells whether a number can be written without being cut: to I32 a whole one that fits, to BOOL 0 or 1.
   * Floating types take every number, and round it.
   */
  boolean holds(double number) {
    return isFloating() || rounded(number) == number;
  }

  /** What an element holds that a number was written to. */
  double rounded(double number) {
    return switch (this) {
      case F32 -> (float) number;
      case F64 -> number;
      case I32 -> (int) number;
      case BOOL -> number != 0 ? 1 : 0;
    };
  }
}
