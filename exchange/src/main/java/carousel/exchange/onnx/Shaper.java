package carousel.exchange.onnx;

import carousel.tensor.DType;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import carousel.tensor.TensorException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;

/** What the operators compute that move elements and leave them what they are. */
final class Shaper {
  private Shaper() {}

  /** {@code Transpose}; without an order the axes are reversed. */
  static Tensor permuted(Tensor x, int[] perm) {
    var order =
        perm.length == 0 ? IntStream.range(0, x.rank()).map(i -> x.rank() - 1 - i).toArray() : perm;
    return x.permute(order);
  }

  /** {@code Squeeze}; without axes all those of size 1 go. */
  static Tensor squeezed(Call c) {
    Tensor x = c.x(0);
    var axes =
        c.optional(1) == null
            ? IntStream.range(0, x.rank()).filter(axis -> x.dim(axis) == 1).toArray()
            : Call.axes(x.rank(), c.numbers(1));
    return without(x, axes);
  }

  /** Without axes of size 1, which are sorted. */
  static Tensor without(Tensor x, int[] axes) {
    Tensor y = x;
    for (int i = axes.length - 1; i >= 0; i--) {
      y = y.squeeze(axes[i]);
    }
    return y;
  }

  /** {@code Unsqueeze}; the axes are those of the output. */
  static Tensor unsqueezed(Call c) {
    Tensor x = c.x(0);
    var added = c.numbers(1);
    Tensor y = x;
    for (var axis : Call.axes(x.rank() + added.length, added)) {
      y = y.unsqueeze(axis);
    }
    return y;
  }

  /** {@code Reshape}; 0 keeps an axis and −1 takes what is left. */
  static Tensor reshaped(Call c) {
    Tensor x = c.x(0);
    var dims = c.numbers(1);
    boolean keeps = c.integer("allowzero", 0) == 0;
    for (int i = 0; i < dims.length; i++) {
      if (dims[i] != 0 || !keeps) {
        continue;
      }
      if (i >= x.rank()) {
        throw new TensorException(
            String.format(
                Locale.ROOT,
                "%s keeps axis %d, which %s has not",
                Arrays.toString(dims),
                i,
                x.shape()));
      }
      dims[i] = x.dim(i);
    }
    return x.reshape(dims);
  }

  /** {@code Flatten}: a matrix of the axes before one, and of those from it on. */
  static Tensor flattened(Call c) {
    Tensor x = c.x(0);
    long axis = c.integer("axis", 1);
    int at = axis == x.rank() ? x.rank() : Call.axis(x, axis);
    var dims = x.shape().toArray();
    return x.reshape(
        Whole.fitted(product(dims, 0, at)), Whole.fitted(product(dims, at, dims.length)));
  }

  private static long product(int[] dims, int from, int to) {
    return Arrays.stream(dims, from, to).mapToLong(n -> n).reduce(1, (a, b) -> a * b);
  }

  /** {@code Slice}; as Python's, with steps that may be negative. */
  static Tensor sliced(Call c) {
    Tensor x = c.x(0);
    var starts = c.numbers(1);
    var ends = c.numbers(2);
    var axes = c.numbers(3, IntStream.range(0, starts.length).toArray());
    var steps = c.numbers(4, IntStream.generate(() -> 1).limit(starts.length).toArray());
    if (ends.length != starts.length
        || axes.length != starts.length
        || steps.length != starts.length) {
      throw new TensorException("starts, ends, axes and steps are not equally many");
    }
    Call.axes(x.rank(), axes);
    Tensor y = x;
    for (int i = 0; i < starts.length; i++) {
      y = sliced(y, Call.axis(x, axes[i]), starts[i], ends[i], steps[i]);
    }
    return y;
  }

  private static Tensor sliced(Tensor x, int axis, int start, int end, int step) {
    if (step > 0) {
      return x.slice(axis, start, end, step);
    }
    if (step == 0) {
      throw new TensorException("a step is 0");
    }
    // Backwards: the positions in a mirror, where what comes before 0 comes after the end.
    int n = x.dim(axis);
    if (n == 0) {
      return x;
    }
    int first = Math.clamp(start < 0 ? (long) start + n : start, 0, n - 1);
    int past = Math.clamp(end < 0 ? (long) end + n : end, -1, n - 1);
    int steps = (int) Math.min(-(long) step, Integer.MAX_VALUE);
    return x.flip(axis).slice(axis, n - 1 - first, Math.max(n - 1 - past, 0), steps);
  }

  /** {@code Expand}: both shapes are broadcast. */
  static Tensor expanded(Tensor x, int[] dims) {
    return x.expand(Shape.broadcast("expand", x.shape(), Shape.of(checked(dims))));
  }

  static int[] checked(int[] dims) {
    for (var dim : dims) {
      if (dim < 0) {
        throw new TensorException("a shape of " + Arrays.toString(dims));
      }
    }
    return dims;
  }

  /** {@code Shape}: sizes, or some of them. */
  static Tensor shape(Call c) {
    var dims = c.x(0).shape().toArray();
    int start = bound(c.integer("start", 0), dims.length);
    int end = bound(c.integer("end", dims.length), dims.length);
    return Tensor.of(Arrays.copyOfRange(dims, start, Math.max(start, end)));
  }

  private static int bound(long at, int rank) {
    return Math.clamp(at < 0 ? at + rank : at, 0, rank);
  }

  /** {@code Gather}: whole slices at positions, which may count from the end. */
  static Tensor gathered(Call c) {
    Tensor x = c.x(0);
    int axis = Call.axis(x, c.integer("axis", 0));
    Tensor index = c.x(1);
    if (index.dtype() != DType.I32) {
      throw new TensorException("positions are whole numbers");
    }
    Tensor positive = Tensor.where(index.lt(0), index.add(x.dim(axis)), index);
    return x.indexSelect(positive, axis);
  }

  /** {@code Range}: {@code max(⌈(limit − start) / delta⌉, 0)} numbers, {@code start + i·delta}. */
  static Tensor range(Call c) {
    Tensor start = c.x(0);
    int count = count(start, c.x(1), c.x(2));
    var values = new double[count];
    for (int i = 0; i < count; i++) {
      values[i] = start.item() + i * c.x(2).item();
    }
    return Tensor.of(values).cast(start.dtype());
  }

  /** How many numbers a range has, of the operands as they are: 0.3f is more than three times 0.1f. */
  static int count(Tensor start, Tensor limit, Tensor delta) {
    if (limit.dtype() != start.dtype() || delta.dtype() != start.dtype()) {
      throw new TensorException(
          String.format(
              Locale.ROOT,
              "start, limit and delta are of one type, got %s, %s and %s",
              start.dtype(),
              limit.dtype(),
              delta.dtype()));
    }
    double count = Math.ceil((limit.item() - start.item()) / delta.item());
    if (!(count <= Integer.MAX_VALUE)) { // also where it is NaN
      throw new TensorException(
          String.format(
              Locale.ROOT,
              "from %s to %s by %s there is no end in sight",
              start.item(),
              limit.item(),
              delta.item()));
    }
    return (int) Math.max(count, 0);
  }

  /** {@code Split}: pieces of given sizes, or as many equal ones as are read. */
  static List<Tensor> split(Call c) {
    Tensor x = c.x(0);
    int axis = Call.axis(x, c.integer("axis", 0));
    int n = x.dim(axis);
    if (c.optional(1) == null && n % c.outputs() != 0) {
      throw new TensorException(
          String.format(Locale.ROOT, "%d positions are not %d equal pieces", n, c.outputs()));
    }
    var sizes =
        c.numbers(1, IntStream.generate(() -> n / c.outputs()).limit(c.outputs()).toArray());
    if (sizes.length != c.outputs() || IntStream.of(checked(sizes)).sum() != n) {
      throw new TensorException(
          String.format(
              Locale.ROOT,
              "pieces of %s do not make %d outputs of axis %d of %s",
              Arrays.toString(sizes),
              c.outputs(),
              axis,
              x.shape()));
    }
    var pieces = new ArrayList<Tensor>();
    int at = 0;
    for (var size : sizes) {
      pieces.add(x.narrow(axis, at, size));
      at += size;
    }
    return pieces;
  }
}
