package carousel.tensor.cpu.row;

import carousel.tensor.DType;
import carousel.tensor.Engine;
import carousel.tensor.Layout;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import carousel.tensor.op.Composite;
import carousel.tensor.trace.RowTrace;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * How the inputs of a composite lie beside each other: matrices {@code [..,C]} of the same rows, and
 * vectors {@code [C]}, which hold for every row. A trace is good for all inputs of one form: it does
 * not depend on how many rows there are.
 *
 * @param type of all inputs
 * @param axes of a matrix, its columns counted
 * @param columns of each input
 * @param isVector which inputs are vectors
 */
@SuppressWarnings("ArrayRecordComponent") // compared by matches
record RowForm(DType type, int axes, int[] columns, boolean[] isVector) {

  /** The form of some inputs; null if they have none. */
  static @Nullable RowForm of(Tensor... inputs) {
    Tensor matrix = matrix(inputs);
    if (!matrix.dtype().isFloating() || matrix.rank() == 0 || matrix.size() == 0) {
      return null;
    }
    int[] columns = new int[inputs.length];
    boolean[] isVector = new boolean[inputs.length];
    for (int i = 0; i < inputs.length; i++) {
      Tensor x = inputs[i];
      if (x.dtype() != matrix.dtype() || !x.device().equals(matrix.device()) || x.size() == 0) {
        return null;
      }
      isVector[i] = x.rank() == 1 && matrix.rank() > 1;
      if (rowStride(Engine.layout(x)) == NONE
          || !(isVector[i] || sameRows(x.shape(), matrix.shape()))) {
        return null;
      }
      columns[i] = x.dim(Tensor.LAST);
    }
    return new RowForm(matrix.dtype(), matrix.rank(), columns, isVector);
  }

  /** One of the inputs with the most axes. */
  static Tensor matrix(Tensor... inputs) {
    Tensor most = inputs[0];
    for (Tensor x : inputs) {
      most = x.rank() > most.rank() ? x : most;
    }
    return most;
  }

  /** What {@link #rowStride} says of rows that do not lie one after the other. */
  static final long NONE = Long.MIN_VALUE;

  /** Elements from a row, whose own are neighbours, to the next; {@link #NONE} if there is no such number. */
  static long rowStride(Layout layout) {
    Shape shape = layout.shape();
    int last = shape.rank() - 1;
    if (last < 0 || (layout.stride(last) != 1 && shape.dim(last) != 1)) {
      return NONE;
    }
    long stride = 0;
    long rows = 1;
    for (int axis = last - 1; axis >= 0; axis--) {
      if (shape.dim(axis) == 1) {
        continue;
      }
      if (rows == 1) {
        stride = layout.stride(axis);
      } else if (layout.stride(axis) != stride * rows) {
        return NONE;
      }
      rows *= shape.dim(axis);
    }
    return stride;
  }

  private static boolean sameRows(Shape a, Shape b) {
    if (a.rank() != b.rank()) {
      return false;
    }
    for (int axis = 0; axis < a.rank() - 1; axis++) {
      if (a.dim(axis) != b.dim(axis)) {
        return false;
      }
    }
    return true;
  }

  /** The trace of a body of such inputs. */
  RowTrace trace(Composite.Body body, Tensor... inputs) {
    return RowTrace.of(body, matrix(inputs).shape().without(-1), isVector, inputs);
  }

  List<Integer> columnList() {
    return Arrays.stream(columns).boxed().toList();
  }

  List<Boolean> vectorList() {
    List<Boolean> list = new ArrayList<>();
    for (boolean vector : isVector) {
      list.add(vector);
    }
    return list;
  }

  boolean matches(RowForm other) {
    return type == other.type
        && axes == other.axes
        && Arrays.equals(columns, other.columns)
        && Arrays.equals(isVector, other.isVector);
  }
}
