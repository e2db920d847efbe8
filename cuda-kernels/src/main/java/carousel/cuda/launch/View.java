package carousel.cuda.launch;

import carousel.tensor.DType;
import carousel.tensor.Engine;
import carousel.tensor.Layout;
import carousel.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/**
 * Elements on the device as launches see them: an address, and sizes and strides of axes. Unlike a tensor
 * it belongs to no scope: temporaries are views, too.
 *
 * @param address of the first element
 * @param type of the elements
 * @param dims sizes, outermost first
 * @param strides in elements; 0 repeats, negative walks backwards
 */
public record View(long address, DType type, int[] dims, long[] strides) {

  /** What a tensor looks at. */
  public static View of(Tensor x) {
    Layout layout = Engine.layout(x);
    return new View(Engine.address(x), x.dtype(), layout.shape().toArray(), layout.strides());
  }

  /** Row-major elements. */
  public static View dense(long address, DType type, int... dims) {
    long[] strides = new long[dims.length];
    long step = 1;
    for (int k = dims.length - 1; k >= 0; k--) {
      strides[k] = step;
      step *= Math.max(1, dims[k]);
    }
    return new View(address, type, dims.clone(), strides);
  }

  public int rank() {
    return dims.length;
  }

  /** The number of elements. */
  public long count() {
    long count = 1;
    for (int d : dims) {
      count *= d;
    }
    return count;
  }

  public long bytes() {
    return count() * type.bytes();
  }

  /** The address of an element. */
  public long at(int... index) {
    long offset = 0;
    for (int k = 0; k < index.length; k++) {
      offset += index[k] * strides[k];
    }
    return address + offset * type.bytes();
  }

  /** The axes in another order: axis k of the result is axis {@code order[k]} of this. */
  View permute(int... order) {
    int[] d = new int[order.length];
    long[] s = new long[order.length];
    for (int k = 0; k < order.length; k++) {
      d[k] = dims[order[k]];
      s[k] = strides[order[k]];
    }
    return new View(address, type, d, s);
  }

  /** The positions of the first axis that has several, one view each. */
  public List<View> parts() {
    int axis = 0;
    while (dims[axis] == 1) {
      axis++;
    }
    List<View> parts = new ArrayList<>(dims[axis]);
    int[] d = dims.clone();
    d[axis] = 1;
    for (int i = 0; i < dims[axis]; i++) {
      parts.add(new View(address + i * strides[axis] * type.bytes(), type, d, strides));
    }
    return parts;
  }

  /** Of the first axes, those that repeat (stride 0) have size 1. */
  public View withoutRepeats(int axes) {
    int[] d = dims.clone();
    for (int k = 0; k < axes; k++) {
      d[k] = strides[k] == 0 ? Math.min(1, d[k]) : d[k];
    }
    return new View(address, type, d, strides);
  }

  /** The axes of a set alone, or all others alone: the rest have size 1. */
  public View only(int[] axes, boolean these) {
    int[] d = dims.clone();
    boolean[] chosen = new boolean[d.length];
    for (int axis : axes) {
      chosen[axis] = true;
    }
    for (int k = 0; k < d.length; k++) {
      d[k] = chosen[k] == these ? d[k] : 1;
    }
    return new View(address, type, d, strides);
  }

  /** The smallest distance between neighbours, in elements; the largest number if there is but one. */
  public long step() {
    long step = Long.MAX_VALUE;
    for (int k = 0; k < dims.length; k++) {
      if (dims[k] > 1) {
        step = Math.min(step, Math.abs(strides[k]));
      }
    }
    return step;
  }

  /** The elements that lie at indices below other sizes, each at most this one's. */
  public View shaped(int... sizes) {
    return new View(address, type, sizes, strides);
  }

  /** One axis repeats its first position. */
  public View repeated(int axis) {
    long[] s = strides.clone();
    s[axis] = 0;
    return new View(address, type, dims, s);
  }

  /** {@code [outer,n,inner]} of elements {@code [n]}, which repeat. */
  public View between(int outer, int inner) {
    return new View(
        address, type, new int[] {outer, dims[0], inner}, new long[] {0, strides[0], 0});
  }

  /** Whether the last axis can be moved so many bytes at a time, from wherever it starts. */
  public boolean moves(int bytes, long step) {
    int last = dims.length - 1;
    long all = address | step * type.bytes() | (long) dims[last] * type.bytes();
    for (int k = 0; k < last; k++) {
      all |= strides[k] * type.bytes();
    }
    return (strides[last] == 1 || bytes == type.bytes()) && all % bytes == 0;
  }

  /** The last axis in units of several elements. */
  public View inUnits(int elements) {
    int last = dims.length - 1;
    int[] d = dims.clone();
    long[] s = strides.clone();
    d[last] /= elements;
    for (int k = 0; k < last; k++) {
      s[k] /= elements;
    }
    return new View(address, type, d, s);
  }

  /** The same layout elsewhere. */
  public View moved(long other) {
    return new View(other, type, dims, strides);
  }

  /** Elements whose lines along an axis are dense, one after the other. */
  public static View lines(long address, DType type, int[] dims, int axis) {
    long[] s = new long[dims.length];
    long step = dims[axis];
    s[axis] = 1;
    for (int k = dims.length - 1; k >= 0; k--) {
      if (k != axis) {
        s[k] = step;
        step *= dims[k];
      }
    }
    return new View(address, type, dims, s);
  }
}
