package carousel.nn.check;

import carousel.tensor.Tensor;
import carousel.tensor.TensorException;
import java.util.Locale;
import java.util.Objects;

/** What layers and losses ask of what they are given, so that their errors name them, not an op inside. */
public final class Operands {
  private Operands() {}

  /**
   * Checks what a layer is made of where it is given, not where it is read.
   *
   * @throws NullPointerException if it is null; the message names layer and part
   */
  public static <T> T present(String label, String name, T part) {
    return Objects.requireNonNull(part, () -> label + ": " + name + " is null");
  }

  /**
   * Two operands must have one element type.
   *
   * @param op what to call the operation in an error
   * @param what what to call the first operand
   * @param x the first operand
   * @param other what to call the second operand
   * @param y the second operand
   * @throws TensorException if they have not
   */
  public static void sameType(String op, String what, Tensor x, String other, Tensor y) {
    if (x.dtype() != y.dtype()) {
      throw new TensorException(
          String.format(
              Locale.ROOT,
              "%s: %s is %s %s, %s %s %s; convert one with cast(DType.%s)",
              op,
              what,
              x.dtype(),
              x.shape(),
              other,
              y.dtype(),
              y.shape(),
              y.dtype()));
    }
  }

  /**
   * A number of rows as the size of an axis.
   *
   * @param op what to call the operation in an error
   * @param x what has these rows
   * @param count how many
   * @return the same number
   * @throws TensorException if an axis cannot be so long
   */
  public static int rows(String op, Tensor x, long count) {
    if (count > Integer.MAX_VALUE) {
      throw new TensorException(
          op
              + ": "
              + x.shape()
              + " has "
              + count
              + " rows, more than the 2147483647 of an axis; split it");
    }
    return (int) count;
  }
}
