package carousel.tensor;

import carousel.tensor.op.Joins;
import carousel.tensor.op.Op;
import carousel.tensor.op.Views;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/**
 * The sizes of a tensor, and views of all of its elements: the same storage under another shape, without a copy. Axes
 * may be negative, counting from the last. {@link Cutting} has views of some elements.
 */
public sealed interface Shaping permits Tensor {
  private Tensor self() {
    return (Tensor) this;
  }

  /** {@return the number of axes, the rank} */
  default int rank() {
    return self().shape().rank();
  }

  /**
   * {@return the size of one axis}
   *
   * @param axis the axis; negative counts from the last
   */
  default int dim(int axis) {
    return self().shape().dim(self().shape().axis("dim", axis));
  }

  /** {@return the number of elements} */
  default long size() {
    return self().shape().size();
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
          String.format(
              Locale.ROOT,
              "reshape: %s has %d elements, %s has %d",
              x.shape(),
              x.size(),
              shape,
              shape.size()));
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
    return reshape(shape.insert(shape.newAxis("unsqueeze", axis), 1));
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
