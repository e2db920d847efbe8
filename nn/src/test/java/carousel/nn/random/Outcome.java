package carousel.nn.random;

import carousel.tensor.DType;
import carousel.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** Everything that a call gives, as numbers: outputs, states, gradients. */
final class Outcome {
  private final List<String> names = new ArrayList<>();
  private final List<String> shapes = new ArrayList<>();
  private final List<double[]> values = new ArrayList<>();

  void add(String name, Tensor tensor) {
    names.add(name);
    shapes.add(tensor.dtype() + " " + tensor.shape());
    values.add(tensor.cast(DType.F64).toDoubleArray());
  }

  /** Whether all numbers are of a size that can be compared. */
  boolean isTame() {
    return values.stream().flatMapToDouble(Arrays::stream).allMatch(x -> Math.abs(x) < 1e6);
  }

  /** Whether there is not a bit of difference. */
  boolean sameBits(Outcome other) {
    return shapes.equals(other.shapes)
        && Arrays.deepEquals(values.toArray(), other.values.toArray());
  }

  /**
   * The first thing that differs from what is expected; null if nothing does.
   *
   * @param expected what is right
   * @param tolerance the largest difference, relative to the largest number of a tensor
   * @param spread what is right, of inputs that differ by rounding: differences like theirs are none
   */
  @Nullable String difference(Outcome expected, double tolerance, List<Outcome> spread) {
    for (int k = 0; k < names.size(); k++) {
      if (!shapes.get(k).equals(expected.shapes.get(k))) {
        return names.get(k) + " is " + shapes.get(k) + ", by the body " + expected.shapes.get(k);
      }
      double[] is = values.get(k);
      double[] wanted = expected.values.get(k);
      double size = 0.05;
      double spreads = 0;
      for (int i = 0; i < wanted.length; i++) {
        size = Math.max(size, Math.abs(wanted[i]));
        for (Outcome other : spread) {
          spreads = Math.max(spreads, Math.abs(other.values.get(k)[i] - wanted[i]));
        }
      }
      double allowed = tolerance * size + 30 * spreads;
      for (int i = 0; i < wanted.length; i++) {
        if (!(Math.abs(is[i] - wanted[i]) <= allowed) && Double.compare(is[i], wanted[i]) != 0) {
          return String.format(
              Locale.ROOT,
              "%s %s at %d: %s, by the body %s",
              names.get(k),
              shapes.get(k),
              i,
              is[i],
              wanted[i]);
        }
      }
    }
    return null;
  }
}
