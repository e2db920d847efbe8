package carousel.tensor.op;

import carousel.tensor.Engine;
import carousel.tensor.Tensor;

/**
 * The softmax {@code y_i = e^{x_i} / Σ_j e^{x_j}} along an axis, or its logarithm; both subtract the
 * maximum first and do not overflow.
 *
 * @param axis in {@code [0, rank)}
 * @param log whether this gives {@code ln y}
 */
public record Softmax(int axis, boolean log) implements Op {
  @Override
  public String label() {
    return log ? "logSoftmax" : "softmax";
  }

  /** {@code y ⊙ (g − Σ g⊙y)}; for the logarithm {@code g − e^y Σ g}. */
  @Override
  public Vjp vjp() {
    return log
        ? Vjp.fromOutput((g, y) -> {
          Tensor sum = g.sum(axis, true);
          return g.sub(alive(y, sum).exp().mul(sum));
        })
        : Vjp.fromOutput((g, y) -> y.mul(g.sub(g.mul(y).sum(axis, true))));
  }

  /** A line is NaN as a whole, and then its first element is; 0 where nothing flows into such a one. */
  private Tensor alive(Tensor y, Tensor sum) {
    if (y.dim(axis) == 0) {
      return y;
    }
    Tensor dead = y.narrow(axis, 0, 1).isNan().and(sum.eq(0));
    return Tensor.where(dead, y.scalarLike(0), y);
  }

  @Override
  public Tensor[] evaluate(Tensor... inputs) {
    Tensor x = inputs[0];
    Domain.FLOATING.require(label(), x);
    Tensor y = Engine.empty(label(), x.device(), x.dtype(), x.shape());
    x.device().backend().softmax(log, x, axis, y);
    return new Tensor[] {y};
  }
}
