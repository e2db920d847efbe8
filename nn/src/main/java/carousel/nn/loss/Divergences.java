package carousel.nn.loss;

import static carousel.tensor.Tensor.LAST;

import carousel.tensor.DType;
import carousel.tensor.Tensor;
import carousel.tensor.TensorException;

/** How far distributions are from others, one number each; {@link Loss} says what of. */
final class Divergences {
  private Divergences() {}

  static Tensor kl(Tensor logQ, Tensor p) {
    distributions("kl", logQ, p);
    Tensor none = p.eq(0);
    Tensor logP = Tensor.where(none, p.scalarLike(1), p).log();
    return counted(none, p, logP, logQ).sum(LAST);
  }

  static Tensor klOfLogs(Tensor logQ, Tensor logP) {
    distributions("klOfLogs", logQ, logP);
    Tensor none = logP.eq(Double.NEGATIVE_INFINITY);
    Tensor safe = Tensor.where(none, logP.scalarLike(0), logP);
    return counted(none, logP.exp(), safe, logQ).sum(LAST);
  }

  static Tensor gaussian(Tensor mean, Tensor logVariance) {
    distributions("klGaussian", mean, logVariance);
    // Not σ² − 1: near σ = 1 it would be rounded.
    Tensor spread = logVariance.expm1().sub(logVariance);
    return mean.square().add(spread).sum(LAST).mul(0.5);
  }

  static Tensor gaussian(
      Tensor mean, Tensor logVariance, Tensor otherMean, Tensor otherLogVariance) {
    distributions("klGaussian", mean, logVariance);
    Loss.sameShape("klGaussian", mean, otherMean);
    Loss.sameShape("klGaussian", mean, otherLogVariance);
    Tensor ratio = logVariance.sub(otherLogVariance);
    // (μ − ν)/τ in two steps, since 1/τ² alone leaves the range long before. Where the means are
    // equal the steps stay finite: 0 times them is 0.
    Tensor apart = mean.sub(otherMean);
    Tensor step = otherLogVariance.mul(-0.25);
    double most =
        Math.floor(Math.log(mean.dtype() == DType.F32 ? Float.MAX_VALUE : Double.MAX_VALUE));
    Tensor root = Tensor.where(apart.eq(0), step.minimum(most), step).exp();
    Tensor scaled = apart.mul(root).mul(root);
    return ratio.expm1().sub(ratio).add(scaled.square()).sum(LAST).mul(0.5);
  }

  /** {@code p (ln p − ln q)}, 0 where p is: there, ln q may be infinite. */
  private static Tensor counted(Tensor none, Tensor p, Tensor logP, Tensor logQ) {
    Tensor ratio = logP.sub(Tensor.where(none, logQ.scalarLike(0), logQ));
    return Tensor.where(none, p.scalarLike(0), p.mul(ratio));
  }

  private static void distributions(String op, Tensor x, Tensor y) {
    Loss.sameShape(op, x, y);
    if (x.rank() == 0) {
      throw new TensorException(op + ": a distribution needs an axis, got a scalar");
    }
  }
}
