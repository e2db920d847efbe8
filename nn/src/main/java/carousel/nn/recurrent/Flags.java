package carousel.nn.recurrent;

import carousel.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** What is true or false of each step of a sequence, side by side in columns: {@code BOOL [T,N,K]}. */
final class Flags {
  private final List<Tensor> all = new ArrayList<>();
  private int width;

  /** The columns of one step: {@code (from, width) → BOOL [N,width]}. */
  @FunctionalInterface
  interface Step {
    Tensor narrow(int from, int width);
  }

  /**
   * Some columns.
   *
   * @param from the first
   * @param width how many
   */
  record Field(int from, int width) {
    /** Those of a step, {@code BOOL [N,width]}. */
    Tensor of(Step step) {
      return step.narrow(from, width);
    }
  }

  /** Adds flags, {@code BOOL [T,N]} or {@code [T,N, ..]}. */
  Field add(Tensor flags) {
    int columns = 1;
    for (int axis = 2; axis < flags.rank(); axis++) {
      columns *= flags.dim(axis);
    }
    all.add(flags.reshape(flags.dim(0), flags.dim(1), columns));
    var field = new Field(width, columns);
    width += columns;
    return field;
  }

  boolean isEmpty() {
    return all.isEmpty();
  }

  /** All of them, {@code BOOL [T,N,K]}. */
  Tensor columns() {
    return all.size() == 1 ? all.getFirst() : Tensor.concat(all, 2);
  }

  /** The first where a flag of its row holds, {@code [N]} or {@code [N,1]}; the second elsewhere. */
  static Tensor choose(Tensor rows, Tensor a, Tensor b) {
    int rank = Math.max(a.rank(), b.rank());
    if (rows.rank() == rank) {
      return Tensor.where(rows, a, b);
    }
    int[] dims = new int[rank];
    Arrays.fill(dims, 1);
    dims[0] = rows.dim(0);
    return Tensor.where(rows.reshape(dims), a, b);
  }

  /** The first where a flag of its element holds, {@code [N,K]} for K elements a row; the second elsewhere. */
  static Tensor chooseEach(Tensor elements, Tensor a, Tensor b) {
    boolean fits = a.rank() == elements.rank();
    return Tensor.where(fits ? elements : elements.reshape(a.shape()), a, b);
  }
}
