package carousel.nn.layer;

import static carousel.tensor.Tensor.LAST;

import carousel.tensor.DType;
import carousel.tensor.Tensor;
import carousel.tensor.TensorException;

/** Attention of queries to keys (Vaswani et al. 2017). */
public final class Attention {
  private Attention() {}

  /**
   * {@code softmax(q kᵀ / √d) v}; {@code q [..,m,d], k [..,n,d], v [..,n,e] → [..,m,e]}. The axes in front,
   * batch and heads, broadcast.
   *
   * @param queries q
   * @param keys k
   * @param values v
   * @return for each query a mean of the values
   * @throws TensorException if the shapes do not fit
   */
  public static Tensor scaledDotProduct(Tensor queries, Tensor keys, Tensor values) {
    return scores(queries, keys, values).softmax(LAST).matmul(values);
  }

  /**
   * {@code softmax(q kᵀ / √d) v} over those keys that a mask allows; a query that may look at none gives 0.
   *
   * <pre>{@code
   * Tensor causal = Tensor.ones(DType.BOOL, T, T).tril(0);
   * Tensor y = Attention.scaledDotProduct(q, k, v, causal);
   * }</pre>
   *
   * @param queries q {@code [..,m,d]}
   * @param keys k {@code [..,n,d]}
   * @param values v {@code [..,n,e]}
   * @param mask BOOL, whether a query may look at a key; it broadcasts with {@code [..,m,n]}
   * @return for each query a mean of the values, {@code [..,m,e]}
   * @throws TensorException if the shapes do not fit, or the mask is not BOOL
   */
  public static Tensor scaledDotProduct(Tensor queries, Tensor keys, Tensor values, Tensor mask) {
    if (mask.dtype() != DType.BOOL) {
      throw new TensorException(
          "scaledDotProduct: the mask must be BOOL, got "
              + mask.dtype()
              + " "
              + mask.shape()
              + "; compare it, e.g. ne(0)");
    }
    Tensor scores = scores(queries, keys, values);
    Tensor some = mask.any(LAST, true);
    // A query without keys is given all of them first, so that no gradient is NaN.
    Tensor hidden = mask.not().and(some);
    Tensor weights = scores.maskedFill(hidden, Double.NEGATIVE_INFINITY).softmax(LAST);
    return Tensor.where(some, weights, weights.scalarLike(0)).matmul(values);
  }

  private static Tensor scores(Tensor queries, Tensor keys, Tensor values) {
    if (queries.rank() < 2
        || keys.rank() < 2
        || values.rank() < 2
        || queries.dim(LAST) != keys.dim(LAST)
        || keys.dim(-2) != values.dim(-2)) {
      throw new TensorException(
          "scaledDotProduct: wants queries [..,m,d], keys [..,n,d] and values [..,n,e], got "
              + queries.shape()
              + ", "
              + keys.shape()
              + " and "
              + values.shape());
    }
    // Queries are scaled rather than scores: there are fewer of them.
    Tensor scaled = queries.mul(1 / Math.sqrt(queries.dim(LAST)));
    return scaled.matmul(keys.transpose(-2, -1));
  }
}
