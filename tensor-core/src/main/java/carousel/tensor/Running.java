package carousel.tensor;

import carousel.tensor.op.CumSum;
import carousel.tensor.op.Domain;
import carousel.tensor.op.LinearScan;
import carousel.tensor.op.Op;
import java.util.Arrays;
import java.util.List;
import java.util.function.BinaryOperator;

/** What runs along an axis: each element of the result is made of all up to its position. */
public sealed interface Running permits Tensor {
  private Tensor self() {
    return (Tensor) this;
  }

  /**
   * The linear recurrence {@code h_i = a_i ⊙ h_{i−1} + b_i} along an axis, where a is this and {@code h_0 =
   * b_0}: the state of QRNN, SRU, minGRU and diagonal state spaces, all steps at once. To begin from a state
   * other than 0, add {@code a_0 ⊙ h} to b_0. See {@link LinearScan}.
   *
   * @param b what is added; it broadcasts with this
   * @param axis the axis of steps, of the common shape
   * @return all states, of the common shape
   */
  default Tensor linearScan(Tensor b, int axis) {
    var shape = Shape.broadcast("linearScan", self().shape(), b.shape());
    int a = shape.axis("linearScan", axis);
    return Op.apply(new LinearScan(a), self().expand(shape), b.expand(shape));
  }

  /**
   * The running sum {@code y_i = Σ_{j ≤ i} x_j}; see {@link CumSum}. Of BOOL it is I32, how many hold so far.
   *
   * @param axis the axis it runs along
   * @return a tensor of this shape
   * @throws TensorException if a sum of I32 does not fit
   */
  default Tensor cumsum(int axis) {
    Tensor x = self();
    Tensor counted = x.dtype() == DType.BOOL ? x.cast(DType.I32) : x;
    return Op.apply(new CumSum(x.shape().axis("cumsum", axis)), counted);
  }

  /**
   * The running product {@code y_i = Π_{j ≤ i} x_j}: a linear recurrence, so that every order of gradient is
   * exact, zeros included.
   *
   * @param axis the axis it runs along
   * @return a tensor of this shape
   */
  default Tensor cumprod(int axis) {
    Tensor x = self();
    Domain.NUMERIC.require("cumprod", x);
    int a = x.shape().axis("cumprod", axis);
    int n = x.dim(a);
    if (n == 0) {
      return x.copy();
    }
    Tensor first = x.narrow(a, 0, 1).pad(a, 0, n - 1, 0);
    return Called.by("cumprod", "linearScan", () -> x.linearScan(first, a));
  }

  /**
   * The greatest element up to each position, and NaN from the first NaN on. The gradient goes to where it
   * stands, the last of equals.
   *
   * @param axis the axis it runs along
   * @return the values, and I32 where each stands
   */
  default Reductions.Sorted cummax(int axis) {
    return extreme("cummax", axis, Tensor::maximum);
  }

  /**
   * The smallest element up to each position, and NaN from the first NaN on. The gradient goes to where it
   * stands, the last of equals.
   *
   * @param axis the axis it runs along
   * @return the values, and I32 where each stands
   */
  default Reductions.Sorted cummin(int axis) {
    return extreme("cummin", axis, Tensor::minimum);
  }

  private Reductions.Sorted extreme(String op, int axis, BinaryOperator<Tensor> better) {
    Tensor x = self();
    Domain.NUMERIC.require(op, x);
    int a = x.shape().axis(op, axis);
    Tensor plain = x.detach();
    Tensor best = doubling(plain, a, better);
    // It stands at the last position up to here that attained the extreme of its time.
    Tensor attains = plain.eq(best).or(plain.isNan());
    int[] along = new int[x.rank()];
    Arrays.fill(along, 1);
    along[a] = x.dim(a);
    Tensor place = Tensor.arange(x.dim(a)).to(x.device()).reshape(along);
    Tensor attained = Tensor.where(attains, place, place.scalarLike(0));
    Tensor index = doubling(attained, a, Tensor::maximum);
    return new Reductions.Sorted(x.gather(index, a), index);
  }

  /**
   * The running {@code y_i = ln Σ_{j ≤ i} e^{x_j}}, without overflow.
   *
   * @param axis the axis it runs along
   * @return a tensor of this shape
   */
  default Tensor logCumSumExp(int axis) {
    Domain.FLOATING.require("logCumSumExp", self());
    return doubling(self(), self().shape().axis("logCumSumExp", axis), Tensor::logAddExp);
  }

  /** An associative op over all up to each position, in ⌈log₂ n⌉ passes over twice as many each. */
  private static Tensor doubling(Tensor x, int axis, BinaryOperator<Tensor> op) {
    int n = x.dim(axis);
    Tensor y = x;
    for (int d = 1; d < n; d = d > n / 2 ? n : 2 * d) {
      Tensor joined = op.apply(y.narrow(axis, d, n - d), y.narrow(axis, 0, n - d));
      y = Tensor.concat(List.of(y.narrow(axis, 0, d), joined), axis);
    }
    return y;
  }
}
