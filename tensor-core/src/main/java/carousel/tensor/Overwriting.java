package carousel.tensor;

import carousel.tensor.op.Joins;
import carousel.tensor.op.Transfer;

/** Writing in place. Not ops: no gradient flows. {@link InPlace} overwrites many tensors at once. */
public sealed interface Overwriting permits Tensor {
  private Tensor self() {
    return (Tensor) this;
  }

  /**
   * Overwrites the values in place. Not an op: no gradient flows. So within a program that is differentiated a
   * result of that program can be neither overwritten nor written elsewhere, unless it is {@link Tensor#detach}ed; and
   * a tape that saved the old value reports it at backward.
   *
   * @param source of this type, on any device; broadcast to this shape
   * @return this
   * @throws TensorException if the type or shape does not fit, elements of this share a place, or a gradient
   *     would come out wrong
   */
  default Tensor assign(Tensor source) {
    Tensor y = self();
    DType dtype = y.dtype();
    if (source.dtype() != dtype) {
      throw new TensorException(
          "assign: "
              + source.dtype()
              + " into "
              + dtype
              + "; convert it with cast(DType."
              + dtype
              + ")");
    }
    if (!Shape.broadcast("assign", y.shape(), source.shape()).equals(y.shape())) {
      throw new TensorException("assign: " + source.shape() + " does not fit into " + y.shape());
    }
    InPlace.before("assign", y, source);
    try (var scope = TensorScope.openUnwatched()) {
      Tensor from = source;
      if (source.device() != y.device()) {
        from = new Transfer(source.device(), y.device()).evaluate(source)[0];
      } else if (source.storage() == y.storage()) {
        // Copied first, so that no element is read after it changed.
        from = new Joins.Copy().evaluate(source)[0];
      }
      y.device().backend().copy(Engine.expanded(from, y.shape()), y);
    }
    y.storage().touch();
    return y;
  }

  /**
   * Overwrites every element in place; not an op, see {@link #assign}.
   *
   * @param value the value, which the type must be able to hold
   * @return this
   * @throws TensorException if elements of this share a place, the value does not fit, or a gradient would
   *     come out wrong
   */
  default Tensor fill(double value) {
    Tensor y = self();
    Numbers.require("fill", y.dtype(), value);
    InPlace.before("fill", y);
    y.device().backend().fill(y, value);
    y.storage().touch();
    return y;
  }
}
