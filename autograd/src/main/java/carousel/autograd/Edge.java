package carousel.autograd;

import carousel.tensor.Engine;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import carousel.tensor.TensorException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A tracked value, an output of a node or a leaf, with the cotangent that reached it. What lookups give
 * to the rows of a leaf stays apart, so that a large table costs no more than the rows looked up.
 */
final class Edge {
  private static final int RUN = 64;
  private static final Sum NOTHING = new Sum(null, 0);

  private final boolean isLeaf;
  private final boolean takesRows;

  /** How often the memory of an output had been written when the program computed it. */
  private final int version;

  private final List<Tensor> indices = new ArrayList<>(0);
  private final List<Tensor> values = new ArrayList<>(0);

  /**
   * What arrived, as one sum; of a value with many uses as several: the first has up to {@link #RUN} uses,
   * each of the others up to as many sums of the one before.
   */
  private final List<Sum> sums = new ArrayList<>(1);

  /** Of how many summands. */
  private record Sum(@Nullable Tensor value, int count) {}

  private Edge(boolean isLeaf, boolean takesRows, int version) {
    this.isLeaf = isLeaf;
    this.takesRows = takesRows;
    this.version = version;
  }

  /** Of an output of a node, at which nothing has arrived yet. */
  static Edge ofOutput(Tensor result) {
    return new Edge(false, false, Engine.storage(result).version());
  }

  /**
   * Of a leaf, at which nothing has arrived yet.
   *
   * @param takesRows whether nobody differentiates its gradient again
   */
  static Edge ofLeaf(boolean takesRows) {
    return new Edge(true, takesRows, 0);
  }

  /**
   * Refuses an output that was overwritten since the program computed it: by a write that no tape saw, in
   * {@link Grad#off} or through a tensor that shares its memory. What is made of it would have the new value,
   * and the gradient of the old one.
   */
  void requireUnchanged(String op, String what, Tensor x) {
    if (!isLeaf && Engine.storage(x).version() != version) {
      throw new TensorException(
          op
              + ": "
              + what
              + " "
              + x.shape()
              + " was changed in place after the program that is being differentiated computed it, and a"
              + " write is no op: its gradient would be that of the old value; write to a copy()");
    }
  }

  boolean isLeaf() {
    return isLeaf;
  }

  boolean takesRows() {
    return takesRows;
  }

  /** What arrived, of an edge that takes no rows. */
  @Nullable Tensor cotangent() {
    for (int level = 0; level < sums.size() - 1; level++) {
      carry(level);
    }
    return sums.isEmpty() ? null : sums.getLast().value();
  }

  /** All that arrived at a value of some shape; null if nothing did. */
  @Nullable Gradient gradient(Shape shape) {
    Tensor dense = cotangent();
    if (indices.isEmpty()) {
      return dense == null ? null : new Gradient.Whole(dense);
    }
    var rows = Rows.summed(shape, indices, values);
    return dense == null ? new Gradient.Sparse(rows) : new Gradient.Whole(rows.addedTo(dense));
  }

  /**
   * Adds what flowed in over one use of the value: of a weight that an unrolled recurrence reads, over one
   * step. One sum of all would round as often as there are uses.
   */
  void accumulate(Tensor g) {
    add(0, g);
    for (int level = 0; sums.get(level).count() == RUN; level++) {
      carry(level);
    }
  }

  private void add(int level, Tensor g) {
    if (level == sums.size()) {
      sums.add(NOTHING);
    }
    Sum sum = sums.get(level);
    Tensor before = sum.value();
    Tensor after = before == null ? g : before.add(g);
    Engine.storage(after).retain();
    sums.set(level, new Sum(after, sum.count() + 1));
    if (before != null) {
      Engine.storage(before).release();
    }
  }

  /** Adds a sum to the one of such sums. */
  private void carry(int level) {
    Tensor sum = sums.get(level).value();
    if (sum != null) {
      add(level + 1, sum);
      sums.set(level, NOTHING);
      Engine.storage(sum).release();
    }
  }

  /** Adds what flowed into the rows of an index. */
  void accumulate(Tensor index, Tensor g) {
    Engine.storage(index).retain();
    indices.add(index);
    Engine.storage(g).retain();
    values.add(g);
  }

  void clear() {
    for (Sum sum : sums) {
      if (sum.value() != null) {
        Engine.storage(sum.value()).release();
      }
    }
    sums.clear();
    for (int i = 0; i < indices.size(); i++) {
      Engine.storage(indices.get(i)).release();
      Engine.storage(values.get(i)).release();
    }
    indices.clear();
    values.clear();
  }
}
