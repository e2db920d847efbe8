package carousel.tensor;

import carousel.tensor.op.Domain;

/**
 * How far elements lie from their mean, over axes, which are given as in {@link Reductions}. That has the mean itself, {@link
 * Ordering} medians and quantiles.
 */
public sealed interface Statistics permits Tensor {
  private Tensor self() {
    return (Tensor) this;
  }

  /**
   * The variance {@code Σ (x − mean)² / (n − correction)}.
   *
   * @param axis the axis reduced
   * @param keep whether it stays, with size 1
   * @param correction 1 for the unbiased estimate, 0 for the mean square
   * @return the reduced tensor
   */
  default Tensor variance(int axis, boolean keep, int correction) {
    return variance(new int[] {axis}, keep, correction);
  }

  /**
   * The variance {@code Σ (x − mean)² / (n − correction)}.
   *
   * @param axes the axes reduced; none means all
   * @param keep whether reduced axes stay, with size 1
   * @param correction 1 for the unbiased estimate, 0 for the mean square
   * @return the reduced tensor
   */
  default Tensor variance(int[] axes, boolean keep, int correction) {
    Domain.FLOATING.require("variance", self());
    double freedom = degreesOfFreedom("variance", correction, axes);
    return centred(axes).square().sum(axes, keep).div(freedom);
  }

  /**
   * The unbiased variance {@code Σ (x − mean)² / (n − 1)}.
   *
   * @param axes the axes reduced, which disappear; none means all
   * @return the reduced tensor
   */
  default Tensor variance(int... axes) {
    return variance(axes, false, 1);
  }

  /**
   * The standard deviation {@code √(Σ (x − mean)² / (n − correction))}, whose gradient is 0 where it is 0.
   *
   * @param axis the axis reduced
   * @param keep whether it stays, with size 1
   * @param correction 1 for the root of the unbiased variance, 0 for the root of the mean square
   * @return the reduced tensor; NaN where there are no more elements than the correction
   */
  default Tensor std(int axis, boolean keep, int correction) {
    return std(new int[] {axis}, keep, correction);
  }

  /**
   * The standard deviation {@code √(Σ (x − mean)² / (n − correction))}, whose gradient is 0 where it is 0.
   *
   * @param axes the axes reduced; none means all
   * @param keep whether reduced axes stay, with size 1
   * @param correction 1 for the root of the unbiased variance, 0 for the root of the mean square
   * @return the reduced tensor; NaN where there are no more elements than the correction
   */
  default Tensor std(int[] axes, boolean keep, int correction) {
    Domain.FLOATING.require("std", self());
    double freedom = degreesOfFreedom("std", correction, axes);
    // A norm rather than the root of a sum: it has a gradient at 0, and squares of any size.
    return centred(axes).norm(axes, keep).div(Math.sqrt(freedom));
  }

  /**
   * The standard deviation {@code √(Σ (x − mean)² / (n − 1))}.
   *
   * @param axes the axes reduced, which disappear; none means all
   * @return the reduced tensor
   */
  default Tensor std(int... axes) {
    return std(axes, false, 1);
  }

  /** x less its mean, twice: the mean is rounded, and far from 0 by more than x may vary. */
  private Tensor centred(int... axes) {
    Tensor x = self();
    Tensor once = x.sub(x.mean(axes, true));
    return once.sub(once.mean(axes, true));
  }

  private double degreesOfFreedom(String op, int correction, int... axes) {
    long n = 1;
    for (int axis : self().shape().axes(op, axes)) {
      n *= self().dim(axis);
    }
    return Math.max(0, n - correction);
  }
}
