package carousel.tensor;

import carousel.tensor.op.Domain;
import carousel.tensor.op.MatMul;
import carousel.tensor.op.Op;
import java.util.Locale;

/** Products of matrices and vectors, and distances; {@link Tensor#einsum} has the other sums of products. */
public sealed interface Contracting permits Tensor {
  private Tensor self() {
    return (Tensor) this;
  }

  /**
   * The matrix product {@code this [..,m,k] · b [..,k,n] → [..,m,n]}; see {@link MatMul}. A matrix b
   * is shared by all rows of this, whatever its rank. A vector {@code [k]} is a row on the left, a column
   * on the right, and its axis disappears: {@code [..,m,k] · [k] → [..,m]}. On the CPU an element is off by
   * some 1,100 roundings of {@code Σ|a b|} at most, however large k is.
   *
   * @param b the right operand
   * @return the products
   * @throws TensorException if the inner sizes or the batch axes do not fit
   */
  default Tensor matmul(Tensor b) {
    Tensor a = self();
    if (a.rank() > 0 && b.rank() > 0 && Math.min(a.rank(), b.rank()) == 1) {
      return withVector(a, b);
    }
    if (a.rank() > 2 && b.rank() == 2 && a.dim(Tensor.LAST) == b.dim(0) && a.size() > 0) {
      // One product over all rows, and in the gradient one sum, instead of a batch of products.
      Tensor rows = a.reshape(-1, b.dim(0));
      return Op.apply(MatMul.ROW, rows, b).reshape(a.shape().with(Tensor.LAST, b.dim(1)));
    }
    return Op.apply(MatMul.ROW, a, b);
  }

  /** A product in which one is a vector, or both are. */
  private static Tensor withVector(Tensor a, Tensor b) {
    int columns = a.dim(Tensor.LAST);
    int rows = b.dim(b.rank() == 1 ? 0 : -2);
    if (columns != rows) {
      throw new TensorException(
          String.format(
              Locale.ROOT,
              "matmul: inner dims differ: %s × %s (%d and %d); transpose one, or check the layer's"
                  + " sizes",
              a.shape(),
              b.shape(),
              columns,
              rows));
    }
    return b.rank() == 1
        ? a.matmul(b.unsqueeze(1)).squeeze(Tensor.LAST)
        : a.unsqueeze(0).matmul(b).squeeze(-2);
  }

  /**
   * The inner product {@code Σ a_i b_i} of two vectors.
   *
   * @param b as long as this
   * @return a scalar
   * @throws TensorException if they are no vectors of one size
   */
  default Tensor dot(Tensor b) {
    Tensor a = self();
    if (a.rank() != 1 || !a.shape().equals(b.shape())) {
      throw new TensorException(
          "dot: wants two vectors of one size, got "
              + a.shape()
              + " and "
              + b.shape()
              + "; use matmul, or mul and sum");
    }
    Domain.NUMERIC.require("dot", a, b);
    return Called.by("dot", "sum", () -> a.mul(b).sum());
  }

  /**
   * All products of two vectors: {@code a [m], b [n] → [m,n]}.
   *
   * @param b the other vector
   * @return {@code a_i b_j}
   * @throws TensorException if they are no vectors
   */
  default Tensor outer(Tensor b) {
    Tensor a = self();
    if (a.rank() != 1 || b.rank() != 1) {
      throw new TensorException(
          "outer: wants two vectors, got "
              + a.shape()
              + " and "
              + b.shape()
              + "; use unsqueeze and mul, or einsum");
    }
    Domain.NUMERIC.require("outer", a, b);
    return a.unsqueeze(1).mul(b);
  }

  /**
   * The norm {@code (Σ |x|^p)^(1/p)} over axes, overflow-safe; of ∞ the greatest magnitude, of −∞ the
   * smallest, of 0 how many are not 0. Where all are 0, and by each that is 0, the gradient is 0; for p = 2
   * it is {@link Reductions#norm}.
   *
   * @param p above 0, or 0, ∞, −∞
   * @param axes the axes reduced; none means all
   * @param keep whether reduced axes stay, with size 1
   * @return the norms
   */
  default Tensor pNorm(double p, int[] axes, boolean keep) {
    Tensor x = self();
    Domain.FLOATING.require("pNorm", x);
    int[] all = x.shape().axes("pNorm", axes);
    if (p == 2) {
      return x.norm(axes, keep);
    }
    if (!(p >= 0) && p != Double.NEGATIVE_INFINITY) {
      throw new TensorException("pNorm: p must be 0 or more, or -infinity, got " + p);
    }
    Tensor size = x.abs();
    if (p == 1) {
      return size.sum(axes, keep);
    }
    if (p == 0) {
      return x.ne(0).cast(x.dtype()).sum(axes, keep);
    }
    if (Double.isInfinite(p)) {
      return p > 0 ? size.max(axes, keep) : size.min(axes, keep);
    }
    if (x.size() == 0 || all.length == 0) {
      return all.length == 0 ? size : size.sum(axes, keep);
    }
    // Of shares of the greatest, which neither overflow nor vanish; it is a constant that cancels.
    Tensor greatest = size.detach().max(all, true);
    Tensor scale =
        Tensor.where(greatest.gt(0).and(greatest.isFinite()), greatest, greatest.onesLike());
    Tensor zero = size.eq(0);
    Tensor share = Tensor.where(zero, size.onesLike(), size.div(scale)).pow(p);
    Tensor sum = Tensor.where(zero, share.zerosLike(), share).sum(all, true);
    Tensor none = sum.eq(0);
    Tensor root = Tensor.where(none, sum.onesLike(), sum).pow(1 / p).mul(scale);
    Tensor y = Tensor.where(none, root.zerosLike(), root);
    return keep ? y : y.sum(all);
  }

  /**
   * {@link #pNorm(double, int[], boolean)} over axes that disappear.
   *
   * @param p above 0, or 0, ∞, −∞
   * @param axes the axes reduced; none means all
   * @return the norms
   */
  default Tensor pNorm(double p, int... axes) {
    return pNorm(p, axes, false);
  }

  /**
   * {@code x / max(‖x‖, 10⁻¹²)} along an axis: of length 1 unless it is 0.
   *
   * @param axis the axis
   * @return a tensor of this shape
   */
  default Tensor normalize(int axis) {
    Tensor x = self();
    Domain.FLOATING.require("normalize", x);
    return x.div(x.norm(x.shape().axis("normalize", axis), true).maximum(1e-12));
  }

  /**
   * The cosine of the angle between vectors along an axis, which disappears; lengths below 10⁻⁸ count as
   * that.
   *
   * @param b the other vectors; they broadcast with these
   * @param axis the axis, of the common shape
   * @return the cosines
   */
  default Tensor cosineSimilarity(Tensor b, int axis) {
    Domain.FLOATING.require("cosineSimilarity", self(), b);
    var shape = Shape.broadcast("cosineSimilarity", self().shape(), b.shape());
    int k = shape.axis("cosineSimilarity", axis);
    Tensor x = self().expand(shape);
    Tensor y = b.expand(shape);
    Tensor left = x.div(x.norm(k, true).maximum(1e-8));
    return left.mul(y.div(y.norm(k, true).maximum(1e-8))).sum(k);
  }

  /**
   * All Euclidean distances {@code [..,m,d], [..,n,d] → [..,m,n]}, by differences: exact also where vectors
   * are near each other, and with gradient 0 where they are equal. Takes memory for m·n·d numbers.
   *
   * @param b the other vectors
   * @return the distances
   */
  default Tensor distances(Tensor b) {
    Tensor a = self();
    if (a.rank() < 2 || b.rank() < 2 || a.dim(-1) != b.dim(-1)) {
      throw new TensorException(
          "distances: wants [..,m,d] and [..,n,d], got " + a.shape() + " and " + b.shape());
    }
    Domain.FLOATING.require("distances", a, b);
    Shape.broadcast(
        "distances", a.shape().without(-1).without(-1), b.shape().without(-1).without(-1));
    return a.unsqueeze(-2).sub(b.unsqueeze(-3)).norm(Tensor.LAST);
  }
}
