package carousel.tensor.op;

import carousel.tensor.Engine;
import carousel.tensor.Tensor;

/**
 * The running sum {@code y_i = Σ_{j ≤ i} x_j} along an axis.
 *
 * @param axis in {@code [0, rank)}
 */
public record CumSum(int axis) implements Op {
  @Override
  public String label() {
    return "cumsum";
  }

  /** The running sum from the other end. */
  @Override
  public Vjp vjp() {
    return Vjp.linear(g -> g.flip(axis).cumsum(axis).flip(axis));
  }

  @Override
  public Tensor[] evaluate(Tensor... inputs) {
    Tensor x = inputs[0];
    Domain.NUMERIC.require(label(), x);
    Tensor y = Engine.empty(label(), x.device(), x.dtype(), x.shape());
    x.device().backend().cumsum(x, axis, y);
    return new Tensor[] {y};
  }
}
