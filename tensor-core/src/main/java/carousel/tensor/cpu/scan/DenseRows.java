package carousel.tensor.cpu.scan;

import carousel.tensor.Engine;
import carousel.tensor.Tensor;

/**
 * Rows of contiguous elements.
 *
 * @param address of the first element
 * @param rowBytes from a row to the next
 */
record DenseRows(long address, long rowBytes) {
  /** A tensor's last axis as columns, all others as rows; it must be dense. */
  static DenseRows of(Tensor tensor) {
    int size = tensor.dtype().bytes();
    return new DenseRows(Engine.address(tensor), (long) tensor.dim(Tensor.LAST) * size);
  }

  /** As {@link #of}, of any tensor: rows that are all the same, as a sum's cotangent has, are one. */
  static DenseRows ofRows(Tensor tensor) {
    long[] strides = Engine.layout(tensor).strides();
    Tensor row = tensor;
    for (int axis = 0; axis < strides.length - 1; axis++) {
      if (strides[axis] != 0) {
        return of(dense(tensor));
      }
      row = Engine.over(row, Engine.layout(row).select(0, 0));
    }
    return new DenseRows(Engine.address(dense(row)), 0);
  }

  /** The tensor itself if it is dense, else a copy in the current scope. */
  static Tensor dense(Tensor tensor) {
    if (Engine.layout(tensor).isContiguous()) {
      return tensor;
    }
    Tensor copy = Engine.empty("scan", tensor.device(), tensor.dtype(), tensor.shape());
    tensor.device().backend().copy(tensor, copy);
    return copy;
  }

  /** A block of rows and columns. */
  DenseRows at(long row, long columnBytes) {
    return new DenseRows(address + row * rowBytes + columnBytes, rowBytes);
  }
}
