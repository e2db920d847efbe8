package carousel.tensor.op;

import carousel.tensor.TensorException;

/** Folds of I32, which are computed wider, and refused where the result does not fit. */
public final class WholeNumbers {
  /** Just beyond I32: a product that comes here leaves it only by a factor of 0, whatever follows. */
  private static final long LIMIT = (1L << 31) + 1;

  private WholeNumbers() {}

  /**
   * A result as I32.
   *
   * @param op the op, for the error
   * @param value the result, whole
   * @return the same number
   * @throws TensorException if it is none of I32
   */
  public static int fitting(String op, long value) {
    if (value != (int) value) {
      throw overflow(op);
    }
    return (int) value;
  }

  /**
   * What is thrown where a result does not fit.
   *
   * @param op the op
   * @return the error
   */
  public static TensorException overflow(String op) {
    return new TensorException(
        op
            + ": the result does not fit I32, which ends at -2147483648 and 2147483647; convert what is"
            + " folded with cast(DType.F64) first");
  }

  /**
   * A product, as far as it matters whether it fits.
   *
   * @param a a product so far
   * @param b another, or a number of I32
   * @return a · b, or a number beyond I32 if it is beyond
   */
  public static long product(long a, long b) {
    return Math.clamp(a * b, -LIMIT, LIMIT);
  }
}
