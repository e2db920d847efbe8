package carousel.cuda.launch;

import carousel.tensor.Tensor;
import carousel.tensor.TensorException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Where the elements of several operands of one shape lie, as {@code struct Positions} of common.cuh.
 *
 * <p>Axes are sorted by the strides of the first operand, the target, and neighbours merged that
 * every operand steps through as if they were one; axes of size 1 are gone. Thus dense operands have
 * one axis, whatever their rank.
 */
public final class Positions {
  /** As MAX_RANK in common.cuh. */
  public static final int MAX_RANK = 8;

  private static final int PACK_BYTES = 16;

  private final long count;
  private final int rank;
  private final int[] dims;
  private final long[][] strides;
  private final int pack;

  private Positions(long count, int rank, int[] dims, long[][] strides, int pack) {
    this.count = count;
    this.rank = rank;
    this.dims = dims;
    this.strides = strides;
    this.pack = pack;
  }

  /** The size of the struct for n operands. */
  static int bytes(int operands) {
    return 8 + operands * MAX_RANK * 8 + MAX_RANK * 4 + 8;
  }

  /** The positions of operands of one shape, the target first. */
  public static Positions of(Tensor... operands) {
    View[] views = new View[operands.length];
    for (int o = 0; o < views.length; o++) {
      views[o] = View.of(operands[o]);
    }
    return of(views);
  }

  /** The positions of operands of one shape, the target first. */
  public static Positions of(View... operands) {
    View target = operands[0];
    int[] order = byStride(target);
    int[] dims = new int[order.length];
    long[][] strides = new long[operands.length][order.length];
    int rank = 0;
    for (int axis : order) {
      int dim = target.dims()[axis];
      if (dim == 1) {
        continue;
      }
      boolean merged = rank > 0 && (long) dims[rank - 1] * dim <= Integer.MAX_VALUE;
      for (int o = 0; o < operands.length && merged; o++) {
        merged = strides[o][rank - 1] == operands[o].strides()[axis] * dim;
      }
      int at = merged ? rank - 1 : rank++;
      dims[at] = merged ? dims[at] * dim : dim;
      for (int o = 0; o < operands.length; o++) {
        strides[o][at] = operands[o].strides()[axis];
      }
    }
    return new Positions(target.count(), rank, dims, strides, pack(operands, rank, strides));
  }

  /** The axes by falling stride, so that the last is the one along which the target is densest. */
  private static int[] byStride(View target) {
    long[] strides = target.strides();
    int[] order = new int[strides.length];
    for (int k = 0; k < order.length; k++) {
      int at = k;
      long stride = Math.abs(strides[k]);
      while (at > 0 && Math.abs(strides[order[at - 1]]) < stride) {
        order[at] = order[at - 1];
        at--;
      }
      order[at] = k;
    }
    return order;
  }

  /**
   * The elements in 16 bytes of the widest operand, if all operands are contiguous and aligned to as many
   * of their own, or repeat one element; else 1.
   */
  private static int pack(View[] operands, int rank, long[][] strides) {
    int widest = 1;
    for (View x : operands) {
      widest = Math.max(widest, x.type().bytes());
    }
    int pack = PACK_BYTES / widest;
    boolean packed = rank == 1 && strides[0][0] == 1;
    for (int o = 0; o < operands.length && packed; o++) {
      long bytes = (long) pack * operands[o].type().bytes();
      packed = strides[o][0] == 0 || (strides[o][0] == 1 && operands[o].address() % bytes == 0);
    }
    return packed ? pack : 1;
  }

  public long count() {
    return count;
  }

  int operands() {
    return strides.length;
  }

  /** How many axes are left; more than {@link #MAX_RANK} no kernel takes. */
  public int rank() {
    return rank;
  }

  /** How many elements a thread moves at once. */
  int pack() {
    return pack;
  }

  /** Writes the struct. */
  void write(MemorySegment to, long at) {
    if (rank > MAX_RANK) {
      throw new TensorException(
          "cuda: a layout has "
              + rank
              + " axes that cannot be merged, kernels take "
              + MAX_RANK
              + "; make the tensor contiguous first");
    }
    to.set(ValueLayout.JAVA_LONG, at, count);
    long next = at + 8;
    for (long[] operand : strides) {
      MemorySegment.copy(operand, 0, to, ValueLayout.JAVA_LONG, next, rank);
      next += MAX_RANK * 8;
    }
    MemorySegment.copy(dims, 0, to, ValueLayout.JAVA_INT, next, rank);
    next += MAX_RANK * 4;
    to.set(ValueLayout.JAVA_INT, next, rank);
    to.set(ValueLayout.JAVA_INT, next + 4, pack > 1 ? 1 : 0);
  }
}
