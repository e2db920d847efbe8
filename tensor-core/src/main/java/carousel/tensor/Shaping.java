package carousel.tensor;

import carousel.tensor.op.Joins;
import carousel.tensor.op.Op;
import carousel.tensor.op.Views;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;

/**
 * The views of a tensor: the same storage under another shape, without a copy. Axes may be negative,
 * counting from the last.
 */
public sealed interface Shaping permits Tensor {
  private Tensor self() {
    return (Tensor) this;
  }

  /**
   * The same elements in row-major order in another shape: a view where the strides allow it, else a
   * copy.
   *
   * @param dims the new sizes; one may be −1 and is then inferred
   * @return a tensor of that shape
   * @throws TensorException if the number of elements differs
   */
  default Tensor reshape(int... dims) {
    int unknown = -1;
    int[] full = dims.clone();
    for (int i = 0; i < dims.length; i++) {
      if (dims[i] == -1) {
        if (unknown >= 0) {
          throw new TensorException(
              "reshape: more than one size is -1 in " + Arrays.toString(dims));
        }
        unknown = i;
        full[i] = 1;
      }
    }
    long known = Shape.of(full).size();
    if (unknown < 0) {
      return reshape(Shape.of(dims));
    }
    long size = self().size();
    if (known != 0 && size % known == 0 && size / known > Integer.MAX_VALUE) {
      throw new TensorException(
          "reshape: "
              + self().shape()
              + " to "
              + Arrays.toString(dims)
              + ": an axis would have "
              + size / known
              + " positions, more than the 2147483647 that one can have");
    }
    if (known == 0 || size % known != 0) {
      throw new TensorException(
          "reshape: "
              + self().shape()
              + " ("
              + size
              + " elements) does not divide into "
              + Arrays.toString(dims));
    }
    full[unknown] = (int) (size / known);
    return reshape(Shape.of(full));
  }

  /**
   * The same elements in row-major order in another shape.
   *
   * @param shape the new shape, of the same size
   * @return a tensor of that shape
   * @throws TensorException if the number of elements differs
   */
  default Tensor reshape(Shape shape) {
    Tensor x = self();
    if (shape.equals(x.shape())) {
      return x;
    }
    if (shape.size() != x.size()) {
      throw new TensorException(
          "reshape: "
              + x.shape()
              + " has "
              + x.size()
              + " elements, "
              + shape
              + " has "
              + shape.size());
    }
    Tensor source = x.layout().reshape(shape) == null ? x.contiguous() : x;
    return Op.apply(new Views.Reshape(shape), source);
  }

  /**
   * All elements in one axis.
   *
   * @return a tensor of rank 1
   */
  default Tensor flatten() {
    return reshape(-1);
  }

  /**
   * A new axis of size 1.
   *
   * @param axis where it will stand, in {@code [-rank-1, rank]}
   * @return a tensor of rank + 1
   */
  default Tensor unsqueeze(int axis) {
    Shape shape = self().shape();
    if (axis < -shape.rank() - 1 || axis > shape.rank()) {
      throw new TensorException("unsqueeze: no axis " + axis + " can be added to " + shape);
    }
    return reshape(shape.insert(axis, 1));
  }

  /**
   * Without an axis of size 1.
   *
   * @param axis the axis
   * @return a tensor of rank − 1
   */
  default Tensor squeeze(int axis) {
    int a = self().shape().axis("squeeze", axis);
    if (self().dim(a) != 1) {
      throw new TensorException(
          "squeeze: axis "
              + axis
              + " of "
              + self().shape()
              + " has size "
              + self().dim(axis)
              + ", not 1");
    }
    return reshape(self().shape().without(a));
  }

  /**
   * The axes in another order.
   *
   * @param order axis k of the result is axis order[k] of this
   * @return the permuted view
   */
  default Tensor permute(int... order) {
    Tensor x = self();
    boolean[] seen = new boolean[x.rank()];
    List<Integer> axes = new ArrayList<>();
    for (int a : order) {
      int axis = x.shape().axis("permute", a);
      if (seen[axis]) {
        throw new TensorException(
            "permute: axis " + a + " is named twice in " + Arrays.toString(order));
      }
      seen[axis] = true;
      axes.add(axis);
    }
    if (axes.size() != x.rank()) {
      throw new TensorException(
          "permute: "
              + Arrays.toString(order)
              + " does not order the "
              + x.rank()
              + " axes of "
              + x.shape());
    }
    return Op.apply(new Views.Permute(List.copyOf(axes)), x);
  }

  /**
   * Two axes exchanged.
   *
   * @param a one axis
   * @param b the other
   * @return the transposed view
   */
  default Tensor transpose(int a, int b) {
    Tensor x = self();
    int[] order = new int[x.rank()];
    for (int i = 0; i < order.length; i++) {
      order[i] = i;
    }
    int first = x.shape().axis("transpose", a);
    int second = x.shape().axis("transpose", b);
    order[first] = second;
    order[second] = first;
    return permute(order);
  }

  /**
   * Axes of size 1, and new leading axes, repeated without a copy.
   *
   * @param shape a shape this broadcasts to
   * @return the expanded view
   */
  default Tensor expand(Shape shape) {
    return shape.equals(self().shape()) ? self() : Op.apply(new Views.Expand(shape), self());
  }

  /**
   * Axes of size 1, and new leading axes, repeated without a copy.
   *
   * @param dims a shape this broadcasts to
   * @return the expanded view
   */
  default Tensor expand(int... dims) {
    return expand(Shape.of(dims));
  }

  /**
   * Consecutive positions of an axis.
   *
   * @param axis the axis
   * @param start the first position, ≥ 0
   * @param length how many
   * @return the view
   * @throws TensorException if they do not lie within the axis
   */
  default Tensor narrow(int axis, int start, int length) {
    Tensor x = self();
    int a = x.shape().axis("narrow", axis);
    int n = x.dim(a);
    if (start < 0 || length < 0 || start > n - length) {
      throw new TensorException(
          "narrow: positions "
              + start
              + " to "
              + (start + (long) length)
              + " of axis "
              + axis
              + " do not lie within "
              + x.shape());
    }
    return Op.apply(new Views.Slice(a, start, 1, length), x);
  }

  /**
   * Every step-th position of an axis, as Python's {@code start:stop:step}: negative bounds count
   * from the end, bounds beyond it are cut.
   *
   * @param axis the axis
   * @param start the first position
   * @param stop the position before which to stop
   * @param step the distance, ≥ 1; {@link #flip} walks backwards
   * @return the view
   */
  default Tensor slice(int axis, int start, int stop, int step) {
    if (step < 1) {
      throw new TensorException(
          "slice: step must be at least 1, got " + step + "; use flip to walk backwards");
    }
    Tensor x = self();
    int a = x.shape().axis("slice", axis);
    int n = x.dim(a);
    int from = Math.clamp(start < 0 ? start + n : start, 0, n);
    int to = Math.clamp(stop < 0 ? stop + n : stop, from, n);
    int count = Math.ceilDiv(to - from, step);
    return Op.apply(new Views.Slice(a, from, step, count), x);
  }

  /**
   * One position of an axis, which disappears.
   *
   * @param axis the axis
   * @param index the position; negative counts from the end
   * @return a view of rank − 1
   * @throws TensorException if there is no such position
   */
  default Tensor select(int axis, int index) {
    Tensor x = self();
    int a = x.shape().axis("select", axis);
    int n = x.dim(a);
    int i = index < 0 ? index + n : index;
    if (i < 0 || i >= n) {
      throw new TensorException(
          "select: index " + index + " is out of range for axis " + axis + " of " + x.shape());
    }
    return Op.apply(new Views.Select(a, i), x);
  }

  /**
   * An axis cut into pieces of equal size; the last may be smaller.
   *
   * @param pieces how many at most
   * @param axis the axis
   * @return the views
   */
  default List<Tensor> chunk(int pieces, int axis) {
    if (pieces < 1) {
      throw new TensorException("chunk: wants at least 1 piece, got " + pieces);
    }
    int n = self().dim(self().shape().axis("chunk", axis));
    // An empty axis has as many pieces, too, so that code that takes them apart works.
    return n == 0
        ? split(Collections.nCopies(pieces, 0), axis)
        : split(Math.ceilDiv(n, pieces), axis);
  }

  /**
   * An axis cut into pieces of a given size; the last may be smaller.
   *
   * @param size the size of a piece, ≥ 1
   * @param axis the axis
   * @return the views
   */
  default List<Tensor> split(int size, int axis) {
    if (size < 1) {
      throw new TensorException("split: the size must be at least 1, got " + size);
    }
    int n = self().dim(self().shape().axis("split", axis));
    List<Integer> sizes = new ArrayList<>();
    for (int rest = n; rest > 0; rest -= size) {
      sizes.add(Math.min(size, rest));
    }
    return split(sizes.isEmpty() ? List.of(0) : sizes, axis);
  }

  /**
   * An axis cut into pieces of given sizes.
   *
   * @param sizes the sizes, which must sum to the axis
   * @param axis the axis
   * @return the views
   * @throws TensorException if they do not
   */
  default List<Tensor> split(List<Integer> sizes, int axis) {
    Tensor x = self();
    long total = sizes.stream().mapToLong(Integer::longValue).sum();
    int a = x.shape().axis("split", axis);
    if (total != x.dim(a) || sizes.isEmpty() || sizes.stream().anyMatch(s -> s < 0)) {
      throw new TensorException(
          "split: sizes " + sizes + " do not sum to axis " + axis + " of " + x.shape());
    }
    return List.of(Op.applyAll(new Views.Split(a, List.copyOf(sizes)), x));
  }

  /**
   * All positions of an axis, each a view without it.
   *
   * @param axis the axis
   * @return as many views as the axis is long
   */
  default List<Tensor> unbind(int axis) {
    return List.of(Op.applyAll(new Views.Unbind(self().shape().axis("unbind", axis)), self()));
  }

  /**
   * Axes in reverse order.
   *
   * @param axes which
   * @return the flipped view
   */
  default Tensor flip(int... axes) {
    Tensor y = self();
    for (int axis : axes) {
      y = Op.apply(new Views.Flip(y.shape().axis("flip", axis)), y);
    }
    return y;
  }

  /**
   * This tensor, or a dense row-major copy if it is not dense.
   *
   * @return a tensor whose elements lie in row-major order
   */
  default Tensor contiguous() {
    return self().layout().isContiguous() ? self() : copy();
  }

  /**
   * A dense copy with its own storage.
   *
   * @return the copy
   */
  default Tensor copy() {
    return Op.apply(new Joins.Copy(), self());
  }

  /**
   * The same value, through which no gradient flows.
   *
   * @return a view that every tape takes for a constant
   */
  default Tensor detach() {
    return Op.apply(new Views.Detach(), self());
  }

  /**
   * With positions before and after an axis that hold a value.
   *
   * @param axis the axis
   * @param before how many in front
   * @param after how many behind
   * @param value what they hold
   * @return the padded copy
   */
  default Tensor pad(int axis, int before, int after, double value) {
    Tensor x = self();
    if (before < 0 || after < 0) {
      throw new TensorException(
          "pad: amounts must be 0 or more, got "
              + before
              + " and "
              + after
              + "; use narrow to cut");
    }
    Numbers.require("pad", x.dtype(), value);
    int a = x.shape().axis("pad", axis);
    long size = (long) before + x.dim(a) + after;
    if (size > Integer.MAX_VALUE) {
      throw new TensorException(
          "pad: axis "
              + axis
              + " of "
              + x.shape()
              + " would have "
              + size
              + " positions, more than the 2147483647 that one can have");
    }
    if (value == 0 && x.dtype() != DType.BOOL) {
      return Op.apply(new Joins.Spread(a, before, 1, (int) size), x);
    }
    return Tensor.concat(
        List.of(
            x.fullLike(x.shape().with(a, before), value),
            x,
            x.fullLike(x.shape().with(a, after), value)),
        a);
  }
}
