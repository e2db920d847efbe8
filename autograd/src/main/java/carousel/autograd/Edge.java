package carousel.autograd;

import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A tracked value, an output of a node or a leaf, with the cotangent that reached it. What lookups give
 * to the rows of a leaf stays apart, so that a large table costs no more than the rows looked up.
 */
final class Edge {
  private final boolean isLeaf;
  private final boolean takesRows;
  private final List<Tensor> indices = new ArrayList<>(0);
  private final List<Tensor> values = new ArrayList<>(0);
  private @Nullable Tensor cotangent;

  private Edge(boolean isLeaf, boolean takesRows) {
    this.isLeaf = isLeaf;
    this.takesRows = takesRows;
  }

  /** Of an output of a node, at which nothing has arrived yet. */
  static Edge ofOutput() {
    return new Edge(false, false);
  }

  /**
   * Of a leaf, at which nothing has arrived yet.
   *
   * @param takesRows whether nobody differentiates its gradient again
   */
  static Edge ofLeaf(boolean takesRows) {
    return new Edge(true, takesRows);
  }

  boolean isLeaf() {
    return isLeaf;
  }

  boolean takesRows() {
    return takesRows;
  }

  /** What arrived, of an edge that takes no rows. */
  @Nullable Tensor cotangent() {
    return cotangent;
  }

  /** All that arrived at a value of some shape; null if nothing did. */
  @Nullable Gradient gradient(Shape shape) {
    Tensor dense = cotangent;
    if (indices.isEmpty()) {
      return dense == null ? null : new Gradient.Whole(dense);
    }
    Rows rows = Rows.summed(shape, indices, values);
    return dense == null ? new Gradient.Sparse(rows) : new Gradient.Whole(rows.addedTo(dense));
  }

  /** Adds what flowed in over one use of the value. */
  void accumulate(Tensor g) {
    Tensor before = cotangent;
    Tensor sum = before == null ? g : before.add(g);
    sum.storage().retain();
    cotangent = sum;
    if (before != null) {
      before.storage().release();
    }
  }

  /** Adds what flowed into the rows of an index. */
  void accumulate(Tensor index, Tensor g) {
    index.storage().retain();
    indices.add(index);
    g.storage().retain();
    values.add(g);
  }

  void clear() {
    if (cotangent != null) {
      cotangent.storage().release();
      cotangent = null;
    }
    for (int i = 0; i < indices.size(); i++) {
      indices.get(i).storage().release();
      values.get(i).storage().release();
    }
    indices.clear();
    values.clear();
  }
}
