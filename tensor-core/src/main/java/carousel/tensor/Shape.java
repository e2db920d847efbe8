package carousel.tensor;

import java.util.Arrays;
import java.util.Locale;

/**
 * The sizes of a tensor's axes, outermost first: {@code [T,N,D]}. Rank 0 is a scalar of one element;
 * any axis may have size 0. Immutable; equal by value.
 */
public final class Shape {
  /** The shape of a scalar, {@code []}. */
  public static final Shape SCALAR = new Shape(new int[0]);

  /** So that the bytes of F64 elements can still be counted. */
  private static final long LARGEST = Long.MAX_VALUE / 16;

  private final int[] dims;
  private final long size;

  private Shape(int[] dims) {
    this.dims = dims;
    this.size = product(dims);
  }

  private static long product(int... dims) {
    long n = 1;
    boolean empty = false;
    boolean overflow = false;
    for (int d : dims) {
      if (d < 0) {
        throw new TensorException(
            "shape: negative size " + d + " in " + Arrays.toString(dims) + "; sizes are 0 or more");
      }
      empty |= d == 0;
      overflow |= d > 0 && n > LARGEST / d;
      n = overflow ? LARGEST : n * d;
    }
    if (overflow && !empty) {
      throw new TensorException(
          "shape: " + Arrays.toString(dims) + " has more elements than memory has addresses");
    }
    return empty ? 0 : n;
  }

  /**
   * A shape of the given axis sizes.
   *
   * @param dims the sizes, outermost first; each ≥ 0
   * @return the shape
   * @throws TensorException if a size is negative, or the elements are too many to be addressed
   */
  public static Shape of(int... dims) {
    return dims.length == 0 ? SCALAR : new Shape(dims.clone());
  }

  /** {@return the number of axes, the rank} */
  public int rank() {
    return dims.length;
  }

  /**
   * The size of one axis.
   *
   * @param axis in {@code [-rank, rank)}; negative counts from the last
   * @return its size
   * @throws TensorException if there is no such axis
   */
  public int dim(int axis) {
    return dims[axis(axis)];
  }

  /**
   * The number of elements, the product of all sizes.
   *
   * @return the number of elements; 1 for a scalar
   */
  public long size() {
    return size;
  }

  /** {@return a copy of the sizes, outermost first} */
  public int[] toArray() {
    return dims.clone();
  }

  /**
   * Resolves an axis that may count from the end.
   *
   * @param axis in {@code [-rank, rank)}
   * @return the same axis in {@code [0, rank)}
   * @throws TensorException if there is no such axis
   */
  public int axis(int axis) {
    int resolved = axis < 0 ? axis + dims.length : axis;
    if (resolved < 0 || resolved >= dims.length) {
      throw new TensorException(outOfRange(axis));
    }
    return resolved;
  }

  /**
   * Resolves an axis that may count from the end, for an op.
   *
   * @param op the op, for the error
   * @param axis in {@code [-rank, rank)}
   * @return the same axis in {@code [0, rank)}
   * @throws TensorException if there is no such axis
   */
  public int axis(String op, int axis) {
    int resolved = axis < 0 ? axis + dims.length : axis;
    if (resolved < 0 || resolved >= dims.length) {
      throw new TensorException(op + ": " + outOfRange(axis));
    }
    return resolved;
  }

  /** Resolves axes for an op, in ascending order; none means all. */
  int[] axes(String op, int... axes) {
    int[] sorted = new int[axes.length == 0 ? dims.length : axes.length];
    for (int i = 0; i < sorted.length; i++) {
      sorted[i] = axes.length == 0 ? i : axis(op, axes[i]);
    }
    Arrays.sort(sorted);
    for (int i = 1; i < sorted.length; i++) {
      if (sorted[i] == sorted[i - 1]) {
        throw new TensorException(
            op + ": axis " + sorted[i] + " is named twice in " + Arrays.toString(axes));
      }
    }
    return sorted;
  }

  private String outOfRange(int axis) {
    return "axis " + axis + " is out of range for shape " + this + " of rank " + dims.length;
  }

  /**
   * This shape with one axis of another size.
   *
   * @param axis the axis, may be negative
   * @param size its new size
   * @return the new shape
   */
  public Shape with(int axis, int size) {
    int[] d = dims.clone();
    d[axis(axis)] = size;
    return new Shape(d);
  }

  /**
   * This shape without one axis.
   *
   * @param axis the axis, may be negative
   * @return the shape of rank − 1
   */
  public Shape without(int axis) {
    int a = axis(axis);
    int[] d = new int[dims.length - 1];
    System.arraycopy(dims, 0, d, 0, a);
    System.arraycopy(dims, a + 1, d, a, d.length - a);
    return new Shape(d);
  }

  /** Resolves where an op puts a new axis, from what may count from the end. */
  int newAxis(String op, int axis) {
    int resolved = axis < 0 ? axis + dims.length + 1 : axis;
    if (resolved < 0 || resolved > dims.length) {
      throw new TensorException(op + ": no axis " + axis + " can be added to " + this);
    }
    return resolved;
  }

  /**
   * This shape with a new axis in front of {@code axis}.
   *
   * @param axis in {@code [-rank-1, rank]}: where the new axis will stand
   * @param size its size
   * @return the shape of rank + 1
   */
  public Shape insert(int axis, int size) {
    int a = axis < 0 ? axis + dims.length + 1 : axis;
    if (a < 0 || a > dims.length) {
      throw new TensorException(
          "axis " + axis + " is out of range for a new axis in shape " + this);
    }
    int[] d = new int[dims.length + 1];
    System.arraycopy(dims, 0, d, 0, a);
    d[a] = size;
    System.arraycopy(dims, a, d, a + 1, dims.length - a);
    return new Shape(d);
  }

  /**
   * The shape both operands are broadcast to: aligned at the last axis, sizes equal or 1.
   *
   * @param op the op, for the error
   * @param a one shape
   * @param b the other
   * @return the common shape
   * @throws TensorException if two sizes differ and neither is 1
   */
  public static Shape broadcast(String op, Shape a, Shape b) {
    if (a.equals(b)) {
      return a;
    }
    int rank = Math.max(a.rank(), b.rank());
    int[] d = new int[rank];
    for (int i = 1; i <= rank; i++) {
      int x = i <= a.rank() ? a.dims[a.rank() - i] : 1;
      int y = i <= b.rank() ? b.dims[b.rank() - i] : 1;
      if (x != y && x != 1 && y != 1) {
        throw new TensorException(
            String.format(
                Locale.ROOT,
                "%s: shapes do not broadcast: %s and %s differ in axis -%d (%d and %d); sizes must be"
                    + " equal or 1",
                op,
                a,
                b,
                i,
                x,
                y));
      }
      d[rank - i] = x == 1 ? y : x;
    }
    return new Shape(d);
  }

  @Override
  public boolean equals(Object other) {
    return this == other || (other instanceof Shape s && Arrays.equals(dims, s.dims));
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(dims);
  }

  /** The sizes without blanks, e.g. {@code [35,20,200]}. */
  @Override
  public String toString() {
    var s = new StringBuilder("[");
    for (int i = 0; i < dims.length; i++) {
      s.append(i == 0 ? "" : ",").append(dims[i]);
    }
    return s.append(']').toString();
  }
}
