package carousel.tensor.op;

import carousel.tensor.DType;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import carousel.tensor.TensorException;
import java.util.Arrays;
import java.util.Locale;

/** What rows ask of their operands before they call a backend. */
final class Checks {
  private Checks() {}

  /** The name of an enum row as the facade spells it: {@code IS_NAN → isNan}. */
  static String label(Enum<?> row) {
    var s = new StringBuilder();
    for (String part : row.name().toLowerCase(Locale.ROOT).split("_")) {
      s.append(
          s.isEmpty() ? part : part.substring(0, 1).toUpperCase(Locale.ROOT) + part.substring(1));
    }
    return s.toString();
  }

  static void sameType(String op, Tensor a, Tensor b) {
    if (a.dtype() != b.dtype()) {
      throw new TensorException(
          String.format(
              Locale.ROOT,
              "%s: element types differ: %s and %s; convert one with cast(DType.%s)",
              op,
              describe(a),
              describe(b),
              a.dtype()));
    }
  }

  static void sameDevice(String op, Tensor a, Tensor b) {
    if (a.device() != b.device()) {
      throw new TensorException(
          String.format(
              Locale.ROOT,
              "%s: operands live on different devices: %s on %s, %s on %s; move one with to(device)",
              op,
              describe(a),
              a.device(),
              describe(b),
              b.device()));
    }
  }

  static void index(String op, Tensor index) {
    if (index.dtype() != DType.I32) {
      throw new TensorException(
          op
              + ": the index must be I32, got "
              + describe(index)
              + "; convert it with cast(DType.I32)");
    }
  }

  static void shape(String op, String what, Tensor x, Shape wanted) {
    if (!x.shape().equals(wanted)) {
      throw new TensorException(
          op + ": " + what + " must have shape " + wanted + ", got " + x.shape());
    }
  }

  /** A size of an axis that an op computes from others. */
  static int size(Op op, long size, Shape... of) {
    if (size > Integer.MAX_VALUE) {
      throw new TensorException(
          op.label()
              + ": an axis would have "
              + size
              + " positions, more than the 2147483647 that one can have, of "
              + Arrays.toString(of));
    }
    return (int) size;
  }

  static String describe(Tensor x) {
    return x.dtype() + " " + x.shape();
  }
}
