package carousel.tensor;

import carousel.tensor.op.Joins;
import carousel.tensor.op.Op;
import carousel.tensor.op.Views;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/**
 * Axes moved, repeated, rolled and cut, by the views of {@link Shaping}. What repeats or rolls is a copy.
 */
public sealed interface Rearranging permits Tensor {
  private Tensor self() {
    return (Tensor) this;
  }

  /**
   * Consecutive axes joined to one.
   *
   * @param first the first of them
   * @param last the last of them, included
   * @return a tensor of the same elements
   */
  default Tensor flatten(int first, int last) {
    Shape shape = self().shape();
    int from = shape.axis("flatten", first);
    int to = shape.axis("flatten", last);
    if (from > to) {
      throw new TensorException(
          "flatten: axis " + first + " comes after axis " + last + " in " + shape);
    }
    long size = 1;
    Shape joined = shape;
    for (int axis = to; axis >= from; axis--) {
      size *= shape.dim(axis);
      joined = axis == from ? joined : joined.without(axis);
    }
    if (size > Integer.MAX_VALUE) {
      throw new TensorException(
          "flatten: axes " + first + " to " + last + " of " + shape + " have too many elements");
    }
    return self().reshape(joined.with(from, (int) size));
  }

  /**
   * An axis cut into several: heads out of units.
   *
   * @param axis the axis
   * @param sizes their sizes; one may be −1 and is then inferred
   * @return a tensor of the same elements
   */
  default Tensor unflatten(int axis, int... sizes) {
    Shape shape = self().shape();
    int a = shape.axis("unflatten", axis);
    int n = shape.dim(a);
    int[] full = sizes.clone();
    int known = 1;
    int unknown = -1;
    for (int i = 0; i < sizes.length; i++) {
      if (sizes[i] == -1 && unknown < 0) {
        unknown = i;
      } else {
        known *= Math.max(0, sizes[i]);
      }
    }
    if (unknown >= 0 && known > 0) {
      full[unknown] = n / known;
    }
    long size = Arrays.stream(full).asLongStream().reduce(1, (x, y) -> x * y);
    if (size != n || full.length == 0 || Arrays.stream(full).anyMatch(k -> k < 0)) {
      throw new TensorException(
          String.format(
              Locale.ROOT,
              "unflatten: axis %d of %s has %d elements and does not divide into %s",
              axis,
              shape,
              n,
              Arrays.toString(sizes)));
    }
    Shape cut = shape.without(a);
    for (int i = full.length - 1; i >= 0; i--) {
      cut = cut.insert(a, full[i]);
    }
    return self().reshape(cut);
  }

  /**
   * One axis moved to another place; the others keep their order.
   *
   * @param from the axis
   * @param to where it will stand
   * @return the permuted view
   */
  default Tensor moveAxis(int from, int to) {
    Tensor x = self();
    int source = x.shape().axis("moveAxis", from);
    int target = x.shape().axis("moveAxis", to);
    List<Integer> order = new ArrayList<>();
    for (int i = 0; i < x.rank(); i++) {
      if (i != source) {
        order.add(i);
      }
    }
    order.add(target, source);
    return x.permute(order.stream().mapToInt(Integer::intValue).toArray());
  }

  /**
   * This, so many times along each axis: {@code torch.Tensor.repeat}, {@code numpy.tile}.
   *
   * @param times one for each axis; more of them are new axes in front
   * @return the copies
   */
  default Tensor repeat(int... times) {
    Tensor x = self();
    int lead = times.length - x.rank();
    if (lead < 0 || Arrays.stream(times).anyMatch(n -> n < 0)) {
      throw new TensorException(
          "repeat: wants a number of times, 0 or more, for each axis of "
              + x.shape()
              + ", got "
              + Arrays.toString(times));
    }
    // Each axis becomes two, [times, size], of which the first is expanded.
    int[] apart = new int[2 * times.length];
    int[] repeated = new int[2 * times.length];
    int[] joined = new int[times.length];
    for (int i = 0; i < times.length; i++) {
      int n = i < lead ? 1 : x.dim(i - lead);
      apart[2 * i] = 1;
      apart[2 * i + 1] = n;
      repeated[2 * i] = times[i];
      repeated[2 * i + 1] = n;
      joined[i] = size("repeat", x.shape(), (long) times[i] * n);
    }
    return x.reshape(apart).expand(repeated).reshape(joined);
  }

  /**
   * Each position of an axis, so many times in a row: {@code torch.repeat_interleave}.
   *
   * @param times how often
   * @param axis the axis
   * @return the copies
   */
  default Tensor repeatInterleave(int times, int axis) {
    Tensor x = self();
    int a = x.shape().axis("repeatInterleave", axis);
    if (times < 0) {
      throw new TensorException("repeatInterleave: wants 0 times or more, got " + times);
    }
    int n = size("repeatInterleave", x.shape(), (long) times * x.dim(a));
    Shape repeated = x.shape().insert(a + 1, times);
    return x.unsqueeze(a + 1).expand(repeated).reshape(x.shape().with(a, n));
  }

  private static int size(String op, Shape shape, long size) {
    if (size > Integer.MAX_VALUE) {
      throw new TensorException(
          op + ": an axis of " + shape + " would have " + size + " elements, too many");
    }
    return (int) size;
  }

  /**
   * Positions of an axis moved around: what falls off at the end comes in at the front.
   *
   * @param shift how far; negative moves to the front
   * @param axis the axis
   * @return the rolled copy
   */
  default Tensor roll(int shift, int axis) {
    Tensor x = self();
    int a = x.shape().axis("roll", axis);
    int n = x.dim(a);
    int by = n == 0 ? 0 : Math.floorMod(shift, n);
    return by == 0
        ? x.copy()
        : Tensor.concat(List.of(x.narrow(a, n - by, by), x.narrow(a, 0, n - by)), a);
  }

  /**
   * Windows of an axis, each on a new last axis: {@code x [..,n,..] → [..,k,..,size]}, {@code k = ⌊(n −
   * size) / step⌋ + 1}; {@code torch.Tensor.unfold}, but a copy.
   *
   * @param axis the axis
   * @param size of a window
   * @param step from one window to the next
   * @return the windows
   */
  default Tensor unfold(int axis, int size, int step) {
    Tensor x = self();
    int a = x.shape().axis("unfold", axis);
    int n = x.dim(a);
    if (size < 1 || step < 1 || size > n) {
      throw new TensorException(
          String.format(
              Locale.ROOT,
              "unfold: windows of %d at steps of %d do not lie within axis %d of %s",
              size,
              step,
              axis,
              x.shape()));
    }
    int count = (n - size) / step + 1;
    if ((long) count * size > Integer.MAX_VALUE) {
      throw new TensorException(
          String.format(
              Locale.ROOT,
              "unfold: %d windows of %d are more positions than an index can have; unfold parts"
                  + " (narrow) of axis %d of %s",
              count,
              size,
              axis,
              x.shape()));
    }
    int[] places = new int[count * size];
    Arrays.setAll(places, i -> i / size * step + i % size);
    Tensor index = Tensor.of(Shape.of(count, size), places).to(x.device());
    return x.indexSelect(index, a).moveAxis(a + 1, Tensor.LAST);
  }

  /**
   * A diagonal of matrices, on a new last axis: {@code [..,m,n,..] → [..,k]}.
   *
   * @param offset 0 the main diagonal, above 0 one above it
   * @param rows the axis of rows
   * @param columns the axis of columns
   * @return the elements
   */
  default Tensor diagonal(int offset, int rows, int columns) {
    Tensor x = self();
    int a = x.shape().axis("diagonal", rows);
    int b = x.shape().axis("diagonal", columns);
    if (a == b) {
      throw new TensorException("diagonal: axis " + rows + " is named twice");
    }
    int m = x.dim(a);
    int n = x.dim(b);
    // Both at the end, then as one axis, in which a diagonal is every (n + 1)-th position.
    Tensor last = x.moveAxis(a, Tensor.LAST).moveAxis(b > a ? b - 1 : b, Tensor.LAST);
    long start = offset < 0 ? -(long) offset * n : offset;
    int count =
        Math.clamp(Math.min((long) m + Math.min(offset, 0), (long) n - Math.max(offset, 0)), 0, n);
    int size = size("diagonal", x.shape(), (long) m * n);
    Tensor joined = last.reshape(last.shape().without(-1).with(-1, size));
    return count == 0
        ? joined.narrow(Tensor.LAST, 0, 0)
        : Op.apply(new Views.Slice(joined.rank() - 1, (int) start, n + 1, count), joined);
  }

  /**
   * The main diagonal of matrices {@code [..,m,n] → [..,k]}.
   *
   * @return the elements
   */
  default Tensor diagonal() {
    return diagonal(0, -2, -1);
  }

  /**
   * Matrices with the last axis on their main diagonal, zeros beside it: {@code [..,n] → [..,n,n]}.
   *
   * @return the matrices
   */
  default Tensor diagonalMatrix() {
    Tensor x = self();
    if (x.rank() == 0) {
      throw new TensorException("diagonalMatrix: wants [..,n], got a scalar");
    }
    int n = x.dim(-1);
    int size = size("diagonalMatrix", x.shape(), (long) n * n);
    Tensor spread = Op.apply(new Joins.Spread(x.rank() - 1, 0, n + 1, size), x);
    return spread.reshape(x.shape().insert(Tensor.LAST, n));
  }

  /**
   * The sum of the main diagonal of matrices: {@code [..,m,n] → [..]}.
   *
   * @return the traces
   */
  default Tensor trace() {
    if (self().rank() < 2) {
      throw new TensorException("trace: wants matrices [..,m,n], got " + self().shape());
    }
    return Called.by("trace", "sum", () -> diagonal().sum(Tensor.LAST));
  }

  /**
   * Without any of its axes of size 1.
   *
   * @return a tensor of the same elements
   */
  default Tensor squeeze() {
    int[] kept = Arrays.stream(self().shape().toArray()).filter(n -> n != 1).toArray();
    return self().reshape(Shape.of(kept));
  }
}
