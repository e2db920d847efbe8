package carousel.tensor.contract;

import carousel.tensor.Layout;
import carousel.tensor.Shape;
import java.util.Arrays;

/** Ways in which the elements of a tensor of a given shape can lie in its storage. */
public enum Arrangement {
  /** Row-major from the start of the storage. */
  DENSE,
  /** Row-major, but not from the start, and with elements behind. */
  OFFSET,
  /** The axes reversed in memory. */
  TRANSPOSED,
  /** Every second position of the first and of the last axis. */
  STEPPED,
  /** All axes backwards: negative strides. */
  FLIPPED,
  /** One row repeated: stride 0 on the first axis. */
  REPEATED_ROW,
  /** One column repeated: stride 0 on the last axis. */
  REPEATED_COLUMN,
  /** One block repeated within each outermost one: stride 0 on the second of three or more axes. */
  REPEATED_INSIDE;

  private static final int BEFORE = 5;
  private static final int BEHIND = 3;

  /**
   * Whether this differs from the arrangements above it for a shape.
   *
   * @param shape the shape
   * @return false e.g. for a transposed vector
   */
  public boolean suits(Shape shape) {
    return switch (this) {
      case DENSE, OFFSET -> true;
      case STEPPED, FLIPPED, REPEATED_ROW -> shape.rank() >= 1;
      case TRANSPOSED, REPEATED_COLUMN -> shape.rank() >= 2;
      case REPEATED_INSIDE -> shape.rank() >= 3;
    };
  }

  /**
   * Where the elements lie.
   *
   * @param shape the shape
   * @return a layout of that shape
   */
  Layout layout(Shape shape) {
    var dense = Layout.contiguous(shape);
    int last = shape.rank() - 1;
    return switch (this) {
      case DENSE -> dense;
      case OFFSET -> offset(shape);
      case TRANSPOSED -> transposed(shape);
      case STEPPED -> {
        var l = Layout.contiguous(doubled(doubled(shape, 0), last));
        l = l.slice(0, 1, 2, shape.dim(0));
        yield last == 0 ? l : l.slice(last, 1, 2, shape.dim(last));
      }
      case FLIPPED -> {
        Layout l = dense;
        for (int axis = 0; axis <= last; axis++) {
          l = l.slice(axis, Math.max(0, shape.dim(axis) - 1), -1, shape.dim(axis));
        }
        yield l;
      }
      case REPEATED_ROW -> Layout.contiguous(shape.with(0, 1)).expand(shape);
      case REPEATED_COLUMN -> Layout.contiguous(shape.with(last, 1)).expand(shape);
      case REPEATED_INSIDE -> Layout.contiguous(shape.with(1, 1)).expand(shape);
    };
  }

  /**
   * How many elements a storage must have for the layout, some to spare behind.
   *
   * @param layout one of {@link #layout}
   * @return the number of elements
   */
  static int extent(Layout layout) {
    long last = layout.offset();
    for (int axis = 0; axis < layout.shape().rank(); axis++) {
      last += Math.max(0, (layout.shape().dim(axis) - 1) * layout.stride(axis));
    }
    return Math.toIntExact(last + 1 + BEHIND);
  }

  private static Layout offset(Shape shape) {
    int size = Math.toIntExact(shape.size());
    Layout flat = Layout.contiguous(Shape.of(BEFORE + size)).slice(0, BEFORE, 1, size);
    Layout shaped = flat.reshape(shape);
    if (shaped == null) {
      throw new AssertionError("a dense layout takes every shape: " + flat + " as " + shape);
    }
    return shaped;
  }

  private static Layout transposed(Shape shape) {
    int rank = shape.rank();
    int[] reversed = new int[rank];
    int[] order = new int[rank];
    Arrays.setAll(order, k -> rank - 1 - k);
    Arrays.setAll(reversed, k -> shape.dim(order[k]));
    return Layout.contiguous(Shape.of(reversed)).permute(order);
  }

  private static Shape doubled(Shape shape, int axis) {
    return shape.with(axis, 2 * shape.dim(axis) + 1);
  }
}
