package carousel.tensor;

import java.util.Arrays;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * Where the elements of a tensor lie in its storage: element {@code i} is at {@code offset + Σ i_k ·
 * stride_k}, all in elements, not bytes. Stride 0 repeats an element (broadcasting), a negative
 * stride walks backwards (flip). Views are new layouts over the same storage. Immutable.
 */
public final class Layout {
  private final Shape shape;
  private final long[] strides;
  private final long offset;
  private final boolean contiguous;

  private Layout(Shape shape, long[] strides, long offset) {
    this.shape = shape;
    this.strides = strides;
    this.offset = offset;
    this.contiguous = contiguousStrides(shape, strides);
  }

  /**
   * The dense row-major layout of a shape, at offset 0.
   *
   * @param shape the shape
   * @return its row-major layout
   */
  public static Layout contiguous(Shape shape) {
    return contiguous(shape, 0);
  }

  /** The dense row-major layout of a shape, from a given element of the storage on. */
  static Layout contiguous(Shape shape, long offset) {
    long[] strides = new long[shape.rank()];
    long step = 1;
    for (int i = strides.length - 1; i >= 0; i--) {
      strides[i] = step;
      step *= Math.max(1, shape.dim(i));
    }
    return new Layout(shape, strides, offset);
  }

  private static boolean contiguousStrides(Shape shape, long[] strides) {
    if (shape.size() == 0) {
      return true;
    }
    long step = 1;
    for (int i = strides.length - 1; i >= 0; i--) {
      int d = shape.dim(i);
      if (d != 1) {
        if (strides[i] != step) {
          return false;
        }
        step *= d;
      }
    }
    return true;
  }

  /** {@return the shape: the sizes of the axes} */
  public Shape shape() {
    return shape;
  }

  /**
   * The stride of one axis, in elements.
   *
   * @param axis in {@code [0, rank)}
   * @return the distance between neighbours along it
   */
  public long stride(int axis) {
    return strides[axis];
  }

  /** {@return a copy of all strides, in elements, outermost first} */
  public long[] strides() {
    return strides.clone();
  }

  /**
   * {@return where the first element lies, in elements from the start of the storage}
   */
  public long offset() {
    return offset;
  }

  /**
   * Tells whether the elements lie densely in row-major order (wherever they start).
   *
   * @return whether a flat loop from {@link #offset} visits them all in order
   */
  public boolean isContiguous() {
    return contiguous;
  }

  /**
   * The same elements under another shape, if that needs no copy.
   *
   * @param target a shape of the same size
   * @return the layout, or null if the strides do not allow it
   */
  public @Nullable Layout reshape(Shape target) {
    if (contiguous) {
      long[] dense = contiguous(target).strides;
      return new Layout(target, dense, offset);
    }
    // Match groups of source axes, each mergeable into one run, with groups of target axes.
    long[] out = new long[target.rank()];
    int i = 0;
    int j = 0;
    while (i < shape.rank() || j < target.rank()) {
      if (i < shape.rank() && shape.dim(i) == 1) {
        i++;
        continue;
      }
      if (j < target.rank() && target.dim(j) == 1) {
        out[j++] = 0;
        continue;
      }
      long sourceSize = shape.dim(i);
      long targetSize = target.dim(j);
      int lastSource = i;
      int lastTarget = j;
      while (sourceSize != targetSize) {
        if (sourceSize < targetSize) {
          lastSource++;
          if (shape.dim(lastSource) != 1) {
            int before = previousLong(lastSource);
            if (strides[before] != strides[lastSource] * shape.dim(lastSource)) {
              return null;
            }
          }
          sourceSize *= shape.dim(lastSource);
        } else {
          targetSize *= target.dim(++lastTarget);
        }
      }
      int inner = shape.dim(lastSource) == 1 ? previousLong(lastSource) : lastSource;
      long step = strides[inner];
      for (int k = lastTarget; k >= j; k--) {
        out[k] = step;
        step *= target.dim(k);
      }
      i = lastSource + 1;
      j = lastTarget + 1;
    }
    return new Layout(target, out, offset);
  }

  private int previousLong(int axis) {
    int a = axis - 1;
    while (shape.dim(a) == 1) {
      a--;
    }
    return a;
  }

  /**
   * The axes in another order.
   *
   * @param order a permutation of {@code 0..rank-1}: axis {@code k} of the result is axis {@code
   *     order[k]} of this
   * @return the permuted layout
   */
  public Layout permute(int... order) {
    int[] dims = new int[order.length];
    long[] out = new long[order.length];
    for (int k = 0; k < order.length; k++) {
      dims[k] = shape.dim(order[k]);
      out[k] = strides[order[k]];
    }
    return new Layout(Shape.of(dims), out, offset);
  }

  /**
   * Repeats axes of size 1, and new leading axes, without copying: their stride becomes 0.
   *
   * @param target a shape this one broadcasts to
   * @return the expanded layout
   */
  public Layout expand(Shape target) {
    if (target.equals(shape)) {
      return this;
    }
    long[] out = new long[target.rank()];
    int lead = target.rank() - shape.rank();
    for (int k = lead; k < out.length; k++) {
      out[k] = shape.dim(k - lead) == target.dim(k) ? strides[k - lead] : 0;
    }
    return new Layout(target, out, offset);
  }

  /**
   * Every {@code step}-th position of one axis.
   *
   * @param axis in {@code [0, rank)}
   * @param start the first position
   * @param step the distance between positions, not 0
   * @param count how many
   * @return the sliced layout
   * @throws TensorException if one of them lies outside the axis
   */
  public Layout slice(int axis, int start, int step, int count) {
    long last = start + (count - 1L) * step;
    int n = shape.dim(axis);
    if (count < 0 || (count > 0 && (start < 0 || start >= n || last < 0 || last >= n))) {
      throw new TensorException(
          String.format(
              Locale.ROOT,
              "slice: %d positions from %d by %d do not lie within axis %d of %s",
              count,
              start,
              step,
              axis,
              shape));
    }
    long[] out = strides.clone();
    out[axis] *= step;
    long first = count == 0 ? offset : offset + start * strides[axis];
    return new Layout(shape.with(axis, count), out, first);
  }

  /**
   * One position of an axis; the axis disappears.
   *
   * @param axis in {@code [0, rank)}
   * @param index the position
   * @return the layout of rank − 1
   * @throws TensorException if the position lies outside the axis
   */
  public Layout select(int axis, int index) {
    if (index < 0 || index >= shape.dim(axis)) {
      throw new TensorException(
          "select: position " + index + " does not lie within axis " + axis + " of " + shape);
    }
    long[] out = new long[strides.length - 1];
    System.arraycopy(strides, 0, out, 0, axis);
    System.arraycopy(strides, axis + 1, out, axis, out.length - axis);
    return new Layout(shape.without(axis), out, offset + index * strides[axis]);
  }

  /**
   * Tells whether several elements share a place in the storage, as after {@link #expand}: writing to
   * such a layout would not make sense.
   *
   * @return whether an axis of more than one position has stride 0
   */
  public boolean repeats() {
    if (shape.size() == 0) {
      return false;
    }
    for (int i = 0; i < strides.length; i++) {
      if (strides[i] == 0 && shape.dim(i) > 1) {
        return true;
      }
    }
    return false;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Layout l
        && offset == l.offset
        && shape.equals(l.shape)
        && Arrays.equals(strides, l.strides);
  }

  @Override
  public int hashCode() {
    return 31 * (31 * shape.hashCode() + Arrays.hashCode(strides)) + Long.hashCode(offset);
  }

  @Override
  public String toString() {
    return shape + " strides " + Arrays.toString(strides).replace(" ", "") + " offset " + offset;
  }
}
