package carousel.testing;

import carousel.tensor.DType;
import carousel.tensor.Philox;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import carousel.tensor.TensorException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * An input of an op under contract: its axes, and where its numbers come from.
 *
 * @param axes as {@code n 4h}
 * @param type I32 or BOOL; null for the floating type that is tried
 * @param low the least number, inclusive
 * @param high the greatest, exclusive for integers; numbers are normal if both are 0
 */
record Operand(String axes, @Nullable DType type, double low, double high) {
  private static final Pattern AXIS = Pattern.compile("(\\d*)([a-z]?)");

  Operand {
    for (String axis : split(axes)) {
      if (!AXIS.matcher(axis).matches()) {
        throw new TensorException(
            "opContract: axes are letters with a factor, or numbers, with spaces between, as 'n 4h' or 'n 3'; got '"
                + axes
                + "'");
      }
    }
  }

  private static List<String> split(String axes) {
    return axes.isBlank() ? List.of() : List.of(axes.strip().split("\\s+"));
  }

  /** The letters among its axes. */
  List<String> letters() {
    List<String> letters = new ArrayList<>();
    for (String axis : split(axes)) {
      Matcher m = AXIS.matcher(axis);
      if (m.matches() && !m.group(2).isEmpty()) {
        letters.add(m.group(2));
      }
    }
    return letters;
  }

  Shape shape(Map<String, Integer> sizes) {
    List<String> all = split(axes);
    int[] dims = new int[all.size()];
    for (int i = 0; i < dims.length; i++) {
      Matcher m = AXIS.matcher(all.get(i));
      boolean known = m.matches();
      int factor = !known || m.group(1).isEmpty() ? 1 : Integer.parseInt(m.group(1));
      dims[i] = factor * sizes.getOrDefault(known ? m.group(2) : "", 1);
    }
    return Shape.of(dims);
  }

  /** Numbers for it on the device of the innermost scope; those of F64 are such as F32 has, too. */
  Tensor tensor(Map<String, Integer> sizes, DType floating, Philox rng) {
    int[] dims = shape(sizes).toArray();
    if (type == DType.BOOL) {
      return rng.uniform(DType.F32, 0, 1, dims).lt(0.5);
    }
    if (type == DType.I32) {
      return rng.uniform(DType.F64, low, high, dims).floor().cast(DType.I32);
    }
    Tensor drawn =
        low == 0 && high == 0
            ? rng.normal(DType.F32, 0, 1, dims)
            : rng.uniform(DType.F32, low, high, dims);
    return drawn.cast(floating);
  }
}
