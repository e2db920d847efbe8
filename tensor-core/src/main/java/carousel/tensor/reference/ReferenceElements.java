package carousel.tensor.reference;

import carousel.tensor.Engine;
import carousel.tensor.Layout;
import carousel.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** The elements of a tensor one by one, as doubles, in any layout. */
final class ReferenceElements {
  private static final MemorySegment ALL = MemorySegment.NULL.reinterpret(Long.MAX_VALUE);

  private final Tensor tensor;
  private final long base;
  private final int[] dims;
  private final long[] strides;

  ReferenceElements(Tensor tensor) {
    Layout layout = Engine.layout(tensor);
    this.tensor = tensor;
    this.base = Engine.address(tensor);
    this.dims = layout.shape().toArray();
    this.strides = layout.strides();
  }

  /** The address of an element. */
  private long at(int[] index) {
    long offset = 0;
    for (int k = 0; k < index.length; k++) {
      offset += index[k] * strides[k];
    }
    return base + offset * tensor.dtype().bytes();
  }

  double get(int[] index) {
    long a = at(index);
    return switch (tensor.dtype()) {
      case F32 -> ALL.get(ValueLayout.JAVA_FLOAT, a);
      case F64 -> ALL.get(ValueLayout.JAVA_DOUBLE, a);
      case I32 -> ALL.get(ValueLayout.JAVA_INT, a);
      case BOOL -> ALL.get(ValueLayout.JAVA_BYTE, a);
    };
  }

  void set(int[] index, double value) {
    long a = at(index);
    switch (tensor.dtype()) {
      case F32 -> ALL.set(ValueLayout.JAVA_FLOAT, a, (float) value);
      case F64 -> ALL.set(ValueLayout.JAVA_DOUBLE, a, value);
      case I32 -> ALL.set(ValueLayout.JAVA_INT, a, (int) value);
      case BOOL -> ALL.set(ValueLayout.JAVA_BYTE, a, (byte) (value != 0 ? 1 : 0));
    }
  }

  int dim(int axis) {
    return dims[axis];
  }

  int rank() {
    return dims.length;
  }

  /** What is done at one index. The array is reused: copy it to keep it. */
  @FunctionalInterface
  interface Visit {
    void at(int[] index);
  }

  /** Visits every index in row-major order. */
  void each(Visit visit) {
    each(dims, visit);
  }

  /** Visits every index of the given sizes in row-major order. */
  static void each(int[] dims, Visit visit) {
    for (int d : dims) {
      if (d == 0) {
        return;
      }
    }
    int[] index = new int[dims.length];
    while (true) {
      visit.at(index);
      int k = dims.length - 1;
      while (k >= 0 && ++index[k] == dims[k]) {
        index[k--] = 0;
      }
      if (k < 0) {
        return;
      }
    }
  }

  /** Visits every index with position 0 on one axis: the starts of the lines along it. */
  void lines(int axis, Visit visit) {
    int[] outer = dims.clone();
    outer[axis] = Math.min(1, outer[axis]);
    each(outer, visit);
  }
}
