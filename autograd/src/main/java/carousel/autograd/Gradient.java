package carousel.autograd;

import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import org.jspecify.annotations.Nullable;

/** What arrived at a leaf: a tensor, or rows of a table. */
sealed interface Gradient {
  /** The tensor that norms are taken of: all elements that may not be 0. */
  Tensor elements();

  /** All elements. */
  Tensor dense();

  /** The rows, if that is all there is. */
  default @Nullable Rows rows() {
    return null;
  }

  /** Hands the memory to the scope around one. */
  Gradient keptBy(TensorScope scope);

  /** Hands the memory to a scope further out. */
  void adoptedBy(TensorScope outer);

  /** Every element is there. */
  record Whole(Tensor dense) implements Gradient {
    @Override
    public Tensor elements() {
      return dense;
    }

    @Override
    public Gradient keptBy(TensorScope scope) {
      scope.keep(dense);
      return this;
    }

    @Override
    public void adoptedBy(TensorScope outer) {
      outer.adopt(dense);
    }
  }

  /** Some rows are there, the others are 0. */
  record Sparse(Rows rows) implements Gradient {
    @Override
    public Tensor elements() {
      return rows.values();
    }

    @Override
    public Tensor dense() {
      return rows.dense();
    }

    @Override
    public Gradient keptBy(TensorScope scope) {
      scope.keep(rows.index());
      scope.keep(rows.values());
      return this;
    }

    @Override
    public void adoptedBy(TensorScope outer) {
      outer.adopt(rows.index());
      outer.adopt(rows.values());
    }
  }
}
