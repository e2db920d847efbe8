package carousel.exchange.onnx;

import carousel.tensor.Tensor;
import carousel.tensor.TensorException;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * What an operator is called with.
 *
 * @param attributes by name
 * @param in what it reads, null for what is left out
 * @param outputs how many outputs are wanted
 */
record Call(Map<String, Object> attributes, List<@Nullable Tensor> in, int outputs) {
  /** An operand that must be there. */
  Tensor x(int index) {
    Tensor found = optional(index);
    if (found == null) {
      throw new TensorException(String.format(Locale.ROOT, "operand %d is missing", index));
    }
    return found;
  }

  @Nullable Tensor optional(int index) {
    return index < in.size() ? in.get(index) : null;
  }

  /** All that are there. */
  List<Tensor> all() {
    return IntStream.range(0, in.size()).mapToObj(this::x).toList();
  }

  long integer(String attribute, long otherwise) {
    return switch (attributes.get(attribute)) {
      case null -> otherwise;
      case Long value -> value;
      case Object value -> throw wrong(attribute, value, "a whole number");
    };
  }

  double number(String attribute, double otherwise) {
    return switch (attributes.get(attribute)) {
      case null -> otherwise;
      case Double value -> value;
      case Object value -> throw wrong(attribute, value, "a number");
    };
  }

  /** A list of whole numbers, empty where there is none. */
  int[] integers(String attribute) {
    return switch (attributes.get(attribute)) {
      case null -> new int[0];
      case List<?> list -> list.stream().mapToInt(one -> Whole.fitted((Long) one)).toArray();
      case Object value -> throw wrong(attribute, value, "a list");
    };
  }

  private static TensorException wrong(String attribute, Object value, String wanted) {
    return new TensorException(
        String.format(Locale.ROOT, "attribute %s is %s, not %s", attribute, value, wanted));
  }

  /** The numbers in an operand: a shape, axes, positions. */
  int[] numbers(int index) {
    Tensor x = x(index);
    if (x.rank() > 1) {
      throw new TensorException(
          String.format(Locale.ROOT, "operand %d is a list of numbers, got %s", index, x.shape()));
    }
    return x.toIntArray();
  }

  /** Numbers in an operand that may be left out. */
  int[] numbers(int index, int[] otherwise) {
    return optional(index) == null ? otherwise : numbers(index);
  }

  /** An axis of x, counted from the front. */
  static int axis(Tensor x, long axis) {
    long found = axis < 0 ? axis + x.rank() : axis;
    if (found < 0 || found >= x.rank()) {
      throw new TensorException(
          String.format(Locale.ROOT, "there is no axis %d in %s", axis, x.shape()));
    }
    return (int) found;
  }

  /** Axes of something of a rank, counted from the front and sorted, each named once. */
  static int[] axes(int rank, int[] axes) {
    var found = Arrays.stream(axes).map(axis -> axis < 0 ? axis + rank : axis).sorted().toArray();
    boolean isSound = Arrays.stream(found).distinct().count() == found.length;
    if (!isSound || Arrays.stream(found).anyMatch(axis -> axis < 0 || axis >= rank)) {
      throw new TensorException(
          String.format(
              Locale.ROOT,
              "axes %s do not name %d of %d axes",
              Arrays.toString(axes),
              axes.length,
              rank));
    }
    return found;
  }
}
