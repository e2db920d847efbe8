package carousel.tensor.cpu;

import carousel.tensor.Engine;
import carousel.tensor.Layout;
import carousel.tensor.Tensor;

/**
 * Where the elements of an operand lie: the element at index i is at {@code address + Σ i_k ·
 * strides_k}, in bytes.
 *
 * @param address of the element at index 0
 * @param dims the sizes of the axes
 * @param strides in bytes
 * @param size of an element in bytes
 */
@SuppressWarnings("ArrayRecordComponent") // never compared
record Strided(long address, int[] dims, long[] strides, int size) {
  static Strided of(Tensor x) {
    Layout layout = Engine.layout(x);
    long[] strides = layout.strides();
    int size = x.dtype().bytes();
    for (int k = 0; k < strides.length; k++) {
      strides[k] *= size;
    }
    return new Strided(Engine.address(x), layout.shape().toArray(), strides, size);
  }

  /** Dense, row-major, at an address. */
  static Strided dense(long address, int[] dims, int size) {
    long[] strides = new long[dims.length];
    long step = size;
    for (int k = dims.length - 1; k >= 0; k--) {
      strides[k] = step;
      step *= Math.max(1, dims[k]);
    }
    return new Strided(address, dims, strides, size);
  }

  /** The axes in another order: axis k of the result is axis {@code order[k]} of this. */
  Strided permute(int[] order) {
    int[] d = new int[order.length];
    long[] s = new long[order.length];
    for (int k = 0; k < order.length; k++) {
      d[k] = dims[order[k]];
      s[k] = strides[order[k]];
    }
    return new Strided(address, d, s, size);
  }

  /** The number of elements. */
  long count() {
    long count = 1;
    for (int d : dims) {
      count *= d;
    }
    return count;
  }

  /**
   * The address of the element whose index, read as a number in the mixed radix of the first {@code
   * axes} axes, is {@code row}; the other indices are 0.
   */
  long row(long row, int axes) {
    long at = address;
    for (int k = axes - 1; k > 0; k--) {
      at += row % dims[k] * strides[k];
      row /= dims[k];
    }
    return axes > 0 ? at + row * strides[0] : at;
  }
}
