package carousel.cuda.family;

import carousel.cuda.driver.BatchedGemm;
import carousel.cuda.launch.Launcher;
import carousel.cuda.launch.View;
import carousel.tensor.OutOfMemoryException;
import carousel.tensor.Tensor;
import carousel.tensor.spi.Memory;

/** Products of matrices, and of batches of them, by the driver's library. */
public final class MatrixLaunches {
  private final Launcher launcher;
  private final CopyLaunches copies;
  private final Memory memory;

  public MatrixLaunches(Launcher launcher, CopyLaunches copies, Memory memory) {
    this.launcher = launcher;
    this.copies = copies;
    this.memory = memory;
  }

  /** {@code y [..,m,n] = a [..,m,k] · b [..,k,n]}; y is contiguous. */
  public void multiply(Tensor a, Tensor b, Tensor y) {
    if (y.size() == 0) {
      return;
    }
    if (a.size() == 0) {
      copies.fill(y, 0);
      return;
    }
    var left = View.of(a);
    var right = View.of(b);
    View denseLeft = suited(left);
    View denseRight = suited(right);
    multiply(denseLeft, denseRight, View.of(y));
    release(left, denseLeft);
    release(right, denseRight);
  }

  private void multiply(View a, View b, View y) {
    int axes = y.rank() - 2;
    int m = y.dims()[axes];
    int n = y.dims()[axes + 1];
    int k = a.dims()[axes + 1];
    int[] batch = new int[axes];
    System.arraycopy(y.dims(), 0, batch, 0, axes);
    if (axes > 0 && repeats(b) && tall(a)) {
      // One b for the whole batch, and rows of a that are evenly apart: one tall product.
      int rows = Math.toIntExact(y.count() / n);
      launcher
          .driver()
          .gemm(new BatchedGemm(y.type(), rows, n, k, matrix(a), matrix(b), matrix(y), 0, 1));
      return;
    }
    // The batch axes at the end that all three step through as if they were one are one call; the
    // others are loops.
    int inner = axes;
    long count = 1;
    while (inner > 0
        && count * batch[inner - 1] <= Integer.MAX_VALUE
        && (inner == axes || (follows(a, inner) && follows(b, inner) && follows(y, inner)))) {
      count *= batch[--inner];
    }
    int[] index = new int[inner];
    do {
      launcher
          .driver()
          .gemm(
              new BatchedGemm(
                  y.type(),
                  m,
                  n,
                  k,
                  matrix(a, index),
                  matrix(b, index),
                  matrix(y, index),
                  0,
                  (int) count));
    } while (next(index, batch));
  }

  /** Whether an axis of the batch and the one before it step as if they were one. */
  private static boolean follows(View x, int axis) {
    return x.strides()[axis - 1] == x.strides()[axis] * x.dims()[axis];
  }

  /** Whether the batch axes all repeat one matrix. */
  private static boolean repeats(View x) {
    for (int k = 0; k < x.rank() - 2; k++) {
      if (x.dims()[k] != 1 && x.strides()[k] != 0) {
        return false;
      }
    }
    return true;
  }

  /** Whether all rows of all matrices are contiguous and evenly apart. */
  private static boolean tall(View x) {
    int rows = x.rank() - 2;
    if (transposed(x)) {
      return false;
    }
    long next = x.dims()[rows] * lead(x);
    for (int k = rows - 1; k >= 0; k--) {
      if (x.dims()[k] != 1 && x.strides()[k] != next) {
        return false;
      }
      next *= x.dims()[k];
    }
    return true;
  }

  private static boolean transposed(View x) {
    int rows = x.rank() - 2;
    return !(x.dims()[rows + 1] == 1 || x.strides()[rows + 1] == 1);
  }

  /** The elements from one row (column, if transposed) to the next. */
  private static long lead(View x) {
    int rows = x.rank() - 2;
    boolean transposed = transposed(x);
    int outer = transposed ? rows + 1 : rows;
    int length = x.dims()[transposed ? rows : rows + 1];
    return x.dims()[outer] == 1 ? Math.max(1, length) : x.strides()[outer];
  }

  /** As the library takes it: the matrix at an index, and those after it along the last batch axis. */
  private static BatchedGemm.Matrix matrix(View x, int... index) {
    int last = x.rank() - 3;
    long apart = index.length <= last ? x.strides()[last] : 0;
    return new BatchedGemm.Matrix(x.at(index), transposed(x), lead(x), apart);
  }

  /** The operand, or a dense copy if the library does not take its strides: it knows none below 1. */
  private View suited(View x) {
    int rows = x.rank() - 2;
    int across = transposed(x) ? rows : rows + 1;
    boolean dense = x.dims()[across] == 1 || x.strides()[across] == 1;
    if (dense && lead(x) >= x.dims()[across]) {
      return x;
    }
    View once = x.withoutRepeats(rows);
    long address = memory.allocate(once.bytes());
    if (address == 0) {
      throw new OutOfMemoryException(
          "matmul: out of memory: a dense copy of an operand takes "
              + once.bytes()
              + " bytes; free some, or raise -Dcarousel.cuda.memory");
    }
    var copy = View.dense(address, x.type(), once.dims());
    copies.copy(once, copy);
    long[] strides = copy.strides();
    for (int k = 0; k < rows; k++) {
      strides[k] = x.strides()[k] == 0 ? 0 : strides[k];
    }
    return new View(address, x.type(), x.dims(), strides);
  }

  /** What is freed here is reused by later work only, which the device does later. */
  private void release(View given, View used) {
    if (used != given) {
      memory.free(used.address(), used.withoutRepeats(used.rank() - 2).bytes());
    }
  }

  /** Steps an index on within sizes; false after the last. */
  private static boolean next(int[] index, int[] dims) {
    for (int k = index.length - 1; k >= 0; k--) {
      if (++index[k] < dims[k]) {
        return true;
      }
      index[k] = 0;
    }
    return false;
  }
}
