package carousel.tensor;

import carousel.tensor.op.Composite;
import carousel.tensor.op.Op;
import carousel.tensor.op.Reduce;
import carousel.tensor.op.ReduceAxes;
import java.util.Arrays;
import java.util.stream.IntStream;

/**
 * The reductions of a tensor; {@link Reduce} defines them.
 *
 * <p>Axes may be negative, counting from the last; no axes means all of them. A reduced axis
 * disappears, or stays with size 1 where a method is called with {@code keep = true}.
 */
public sealed interface Reductions permits Tensor {
  private Tensor self() {
    return (Tensor) this;
  }

  private Tensor reduce(Reduce op, boolean keep, int... axes) {
    Tensor x = self();
    int[] sorted = x.shape().axes(op.label(), axes);
    Tensor kept = Op.apply(new ReduceAxes(op, Arrays.stream(sorted).boxed().toList()), x);
    return keep ? kept : drop(kept, sorted);
  }

  /** What is added up: truth values are counted. */
  private Reductions counted() {
    return self().dtype() == DType.BOOL ? self().cast(DType.I32) : this;
  }

  private static Tensor drop(Tensor kept, int... axes) {
    if (axes.length == 0) {
      return kept;
    }
    Shape shape = kept.shape();
    for (int i = axes.length - 1; i >= 0; i--) {
      shape = shape.without(axes[i]);
    }
    return kept.reshape(shape);
  }

  /**
   * {@return {@code Σ x} over axes; see {@link Reduce#SUM}} Of BOOL it is I32, how many hold.
   *
   * @param axes the axes reduced, which disappear; none means all
   */
  default Tensor sum(int... axes) {
    return counted().reduce(Reduce.SUM, false, axes);
  }

  /**
   * {@return {@code Σ x} over axes; see {@link Reduce#SUM}} Of BOOL it is I32, how many hold.
   *
   * @param axis the axis reduced
   * @param keep whether it stays, with size 1
   */
  default Tensor sum(int axis, boolean keep) {
    return sum(new int[] {axis}, keep);
  }

  /**
   * {@return {@code Σ x} over axes; see {@link Reduce#SUM}} Of BOOL it is I32, how many hold.
   *
   * @param axes the axes reduced; none means all
   * @param keep whether reduced axes stay, with size 1
   */
  default Tensor sum(int[] axes, boolean keep) {
    return counted().reduce(Reduce.SUM, keep, axes);
  }

  /**
   * Sums over broadcast axes until the shape is {@code target}: the adjoint of broadcasting.
   *
   * @param target a shape that broadcasts to this one
   * @return a tensor of that shape
   */
  default Tensor sumTo(Shape target) {
    Tensor x = self();
    if (x.shape().equals(target)) {
      return x;
    }
    if (!Shape.broadcast("sumTo", x.shape(), target).equals(x.shape())) {
      throw new TensorException("sumTo: " + target + " does not broadcast to " + x.shape());
    }
    int lead = x.rank() - target.rank();
    int[] axes =
        IntStream.range(0, x.rank())
            .filter(i -> i < lead || (target.dim(i - lead) == 1 && x.dim(i) != 1))
            .toArray();
    Tensor sum = axes.length == 0 ? x : Called.by("sumTo", "sum", () -> sum(axes, true));
    return sum.reshape(target);
  }

  /**
   * {@return {@code Σ x / n} over axes; see {@link Reduce#MEAN}}
   *
   * @param axes the axes reduced, which disappear; none means all
   */
  default Tensor mean(int... axes) {
    return reduce(Reduce.MEAN, false, axes);
  }

  /**
   * {@return {@code Σ x / n} over axes; see {@link Reduce#MEAN}}
   *
   * @param axis the axis reduced
   * @param keep whether it stays, with size 1
   */
  default Tensor mean(int axis, boolean keep) {
    return mean(new int[] {axis}, keep);
  }

  /**
   * {@return {@code Σ x / n} over axes; see {@link Reduce#MEAN}}
   *
   * @param axes the axes reduced; none means all
   * @param keep whether reduced axes stay, with size 1
   */
  default Tensor mean(int[] axes, boolean keep) {
    return reduce(Reduce.MEAN, keep, axes);
  }

  /**
   * {@return the greatest element over axes; see {@link Reduce#MAX}}
   *
   * @param axes the axes reduced, which disappear; none means all
   */
  default Tensor max(int... axes) {
    return reduce(Reduce.MAX, false, axes);
  }

  /**
   * {@return the greatest element over axes; see {@link Reduce#MAX}}
   *
   * @param axis the axis reduced
   * @param keep whether it stays, with size 1
   */
  default Tensor max(int axis, boolean keep) {
    return max(new int[] {axis}, keep);
  }

  /**
   * {@return the greatest element over axes; see {@link Reduce#MAX}}
   *
   * @param axes the axes reduced; none means all
   * @param keep whether reduced axes stay, with size 1
   */
  default Tensor max(int[] axes, boolean keep) {
    return reduce(Reduce.MAX, keep, axes);
  }

  /**
   * {@return the smallest element over axes; see {@link Reduce#MIN}}
   *
   * @param axes the axes reduced, which disappear; none means all
   */
  default Tensor min(int... axes) {
    return reduce(Reduce.MIN, false, axes);
  }

  /**
   * {@return the smallest element over axes; see {@link Reduce#MIN}}
   *
   * @param axis the axis reduced
   * @param keep whether it stays, with size 1
   */
  default Tensor min(int axis, boolean keep) {
    return min(new int[] {axis}, keep);
  }

  /**
   * {@return the smallest element over axes; see {@link Reduce#MIN}}
   *
   * @param axes the axes reduced; none means all
   * @param keep whether reduced axes stay, with size 1
   */
  default Tensor min(int[] axes, boolean keep) {
    return reduce(Reduce.MIN, keep, axes);
  }

  /**
   * {@return {@code ln Σ e^x}, overflow-safe over axes; see {@link Reduce#LOG_SUM_EXP}}
   *
   * @param axes the axes reduced, which disappear; none means all
   */
  default Tensor logSumExp(int... axes) {
    return reduce(Reduce.LOG_SUM_EXP, false, axes);
  }

  /**
   * {@return {@code ln Σ e^x}, overflow-safe over axes; see {@link Reduce#LOG_SUM_EXP}}
   *
   * @param axis the axis reduced
   * @param keep whether it stays, with size 1
   */
  default Tensor logSumExp(int axis, boolean keep) {
    return logSumExp(new int[] {axis}, keep);
  }

  /**
   * {@return {@code ln Σ e^x}, overflow-safe over axes; see {@link Reduce#LOG_SUM_EXP}}
   *
   * @param axes the axes reduced; none means all
   * @param keep whether reduced axes stay, with size 1
   */
  default Tensor logSumExp(int[] axes, boolean keep) {
    return reduce(Reduce.LOG_SUM_EXP, keep, axes);
  }

  /**
   * {@return the Euclidean norm {@code √Σ x²} over axes; see {@link Reduce#NORM}}
   *
   * @param axes the axes reduced, which disappear; none means all
   */
  default Tensor norm(int... axes) {
    return reduce(Reduce.NORM, false, axes);
  }

  /**
   * {@return the Euclidean norm {@code √Σ x²} over axes; see {@link Reduce#NORM}}
   *
   * @param axis the axis reduced
   * @param keep whether it stays, with size 1
   */
  default Tensor norm(int axis, boolean keep) {
    return norm(new int[] {axis}, keep);
  }

  /**
   * {@return the Euclidean norm {@code √Σ x²} over axes; see {@link Reduce#NORM}}
   *
   * @param axes the axes reduced; none means all
   * @param keep whether reduced axes stay, with size 1
   */
  default Tensor norm(int[] axes, boolean keep) {
    return reduce(Reduce.NORM, keep, axes);
  }

  /**
   * {@return the Euclidean norm over axes in F64; see {@link Reduce#WIDE_NORM}}
   *
   * @param axes the axes reduced, which disappear; none means all
   */
  default Tensor wideNorm(int... axes) {
    return reduce(Reduce.WIDE_NORM, false, axes);
  }

  /**
   * {@return the Euclidean norm over axes in F64; see {@link Reduce#WIDE_NORM}}
   *
   * @param axis the axis reduced
   * @param keep whether it stays, with size 1
   */
  default Tensor wideNorm(int axis, boolean keep) {
    return wideNorm(new int[] {axis}, keep);
  }

  /**
   * {@return the Euclidean norm over axes in F64; see {@link Reduce#WIDE_NORM}}
   *
   * @param axes the axes reduced; none means all
   * @param keep whether reduced axes stay, with size 1
   */
  default Tensor wideNorm(int[] axes, boolean keep) {
    return reduce(Reduce.WIDE_NORM, keep, axes);
  }

  /**
   * {@return BOOL: whether any element holds over axes; see {@link Reduce#ANY}}
   *
   * @param axes the axes reduced, which disappear; none means all
   */
  default Tensor any(int... axes) {
    return reduce(Reduce.ANY, false, axes);
  }

  /**
   * {@return BOOL: whether any element holds over axes; see {@link Reduce#ANY}}
   *
   * @param axis the axis reduced
   * @param keep whether it stays, with size 1
   */
  default Tensor any(int axis, boolean keep) {
    return any(new int[] {axis}, keep);
  }

  /**
   * {@return BOOL: whether any element holds over axes; see {@link Reduce#ANY}}
   *
   * @param axes the axes reduced; none means all
   * @param keep whether reduced axes stay, with size 1
   */
  default Tensor any(int[] axes, boolean keep) {
    return reduce(Reduce.ANY, keep, axes);
  }

  /**
   * {@return BOOL: whether all elements hold over axes; see {@link Reduce#ALL}}
   *
   * @param axes the axes reduced, which disappear; none means all
   */
  default Tensor all(int... axes) {
    return reduce(Reduce.ALL, false, axes);
  }

  /**
   * {@return BOOL: whether all elements hold over axes; see {@link Reduce#ALL}}
   *
   * @param axis the axis reduced
   * @param keep whether it stays, with size 1
   */
  default Tensor all(int axis, boolean keep) {
    return all(new int[] {axis}, keep);
  }

  /**
   * {@return BOOL: whether all elements hold over axes; see {@link Reduce#ALL}}
   *
   * @param axes the axes reduced; none means all
   * @param keep whether reduced axes stay, with size 1
   */
  default Tensor all(int[] axes, boolean keep) {
    return reduce(Reduce.ALL, keep, axes);
  }

  /**
   * {@return {@code Π x} over axes} Floating products are a tree of pairwise products, so that
   * every order of gradient is exact, zeros included. Parts of a product may leave the range of the
   * type: {@code 1e30, 1e-30, 1e30, 1e-30} give 1 in F32, in any order. Of such a product the
   * gradient is as good as powers of two let it be: the further the product is below 1e-24 in F32
   * (1e-230 in F64), the fewer digits are right, and beyond their reciprocals it may be infinite.
   *
   * @param axes the axes reduced, which disappear; none means all
   */
  default Tensor prod(int... axes) {
    return prod(axes, false);
  }

  /**
   * {@return {@code Π x} over axes}
   *
   * @param axis the axis reduced
   * @param keep whether it stays, with size 1
   */
  default Tensor prod(int axis, boolean keep) {
    return prod(new int[] {axis}, keep);
  }

  /**
   * {@return {@code Π x} over axes}
   *
   * @param axes the axes reduced; none means all
   * @param keep whether reduced axes stay, with size 1
   */
  default Tensor prod(int[] axes, boolean keep) {
    if (!self().dtype().isFloating()) {
      return reduce(Reduce.PROD, keep, axes);
    }
    int[] sorted = self().shape().axes("prod", axes);
    Tensor y =
        Op.apply(
            new Composite("prod", new Products(Arrays.stream(sorted).boxed().toList())), self());
    return keep ? y : drop(y, sorted);
  }

  /**
   * The first position of the greatest element along an axis, I32; NaN counts as the greatest.
   *
   * @param axis the axis, which disappears
   * @return the positions
   */
  default Tensor argmax(int axis) {
    return reduce(Reduce.ARG_MAX, false, axis);
  }

  /**
   * The first position of the smallest element along an axis, I32; NaN counts as the smallest.
   *
   * @param axis the axis, which disappears
   * @return the positions
   */
  default Tensor argmin(int axis) {
    return reduce(Reduce.ARG_MIN, false, axis);
  }

  /**
   * Elements, and where they stood: what is sorted, chosen by order, or the extreme so far.
   *
   * @param values the elements
   * @param indices I32, the position of each along its axis
   */
  record Sorted(Tensor values, Tensor indices) {}
}
