package carousel.tensor.cpu;

import java.util.Arrays;

/** Brings operands of one shape to as few axes as their strides allow. */
final class Axes {
  private Axes() {}

  /**
   * Drops axes of size 1 and merges neighbours that every operand steps through as if they were one;
   * an axis that begins a group (where {@code groups} changes) is never merged with the one before.
   *
   * @param groups per axis, the group it belongs to
   * @return the operands, with new axes
   */
  static Strided[] merge(int[] groups, Strided... operands) {
    int[] dims = operands[0].dims();
    int[] newDims = new int[dims.length];
    int[] from = new int[dims.length];
    int rank = 0;
    for (int k = 0; k < dims.length; k++) {
      if (dims[k] == 1) {
        continue;
      }
      if (rank > 0
          && groups[from[rank - 1]] == groups[k]
          && (long) newDims[rank - 1] * dims[k] <= Integer.MAX_VALUE
          && mergeable(operands, from[rank - 1], k)) {
        newDims[rank - 1] *= dims[k];
        from[rank - 1] = k;
      } else {
        newDims[rank] = dims[k];
        from[rank++] = k;
      }
    }
    int[] merged = Arrays.copyOf(newDims, rank);
    Strided[] result = new Strided[operands.length];
    for (int o = 0; o < operands.length; o++) {
      long[] strides = new long[rank];
      for (int k = 0; k < rank; k++) {
        strides[k] = operands[o].strides()[from[k]];
      }
      result[o] = new Strided(operands[o].address(), merged, strides, operands[o].size());
    }
    return result;
  }

  private static boolean mergeable(Strided[] operands, int outer, int inner) {
    for (Strided operand : operands) {
      if (operand.strides()[outer] != operand.strides()[inner] * operand.dims()[inner]) {
        return false;
      }
    }
    return true;
  }

  /** The axes by falling stride of {@code target}, so that the last is the one it is densest in. */
  static int[] byStride(Strided target) {
    int rank = target.dims().length;
    int[] order = new int[rank];
    for (int k = 0; k < rank; k++) {
      int at = k;
      // An axis of size 1 has no stride to speak of.
      long stride = Math.abs(target.strides()[k]);
      while (at > 0 && Math.abs(target.strides()[order[at - 1]]) < stride) {
        order[at] = order[at - 1];
        at--;
      }
      order[at] = k;
    }
    return order;
  }
}
