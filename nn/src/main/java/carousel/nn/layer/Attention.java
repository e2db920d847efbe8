package carousel.nn.layer;

import static carousel.tensor.Tensor.LAST;

import carousel.tensor.DType;
import carousel.tensor.Shape;
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
   * <p>A mask has all axes that the scores {@code q kᵀ [..,m,n]} have, 1 where it is the same along one. With fewer
   * it would be a guess what they are: {@code [N,n]}, of N rows that end at different keys, has the shape of {@code [m,n]}
   * where there happen to be N queries. With q {@code [N,m,d]} and k {@code [N,n,d]}:
   *
   * <pre>{@code
   * Tensor causal = Tensor.ones(DType.BOOL, T, T).tril(0).unsqueeze(0); // [1,m,n], for all rows
   * Tensor padding = Tensor.arange(T).unsqueeze(0).lt(lengths.unsqueeze(1)).unsqueeze(1); // [N,1,n], for all queries
   * Tensor y = Attention.scaledDotProduct(q, k, v, causal.and(padding)); // [N,m,n]
   * }</pre>
   *
   * <p>{@link carousel.nn.data.PaddedBatch#mask} is {@code [n,N]}: as padding {@code mask().transpose(0, 1).unsqueeze(1)}. With heads,
   * q {@code [N,A,m,d]}, there is one axis more, {@code [N,1,1,n]}.
   *
   * @param queries q {@code [..,m,d]}
   * @param keys k {@code [..,n,d]}
   * @param values v {@code [..,n,e]}
   * @param mask BOOL, whether a query may look at a key, {@code [..,m,n]}, each axis as that of the scores or 1; those in
   *     front may be larger where that of the scores is 1
   * @return for each query a mean of the values, {@code [..,m,e]}
   * @throws TensorException if the shapes do not fit, or the mask is not BOOL or has fewer or more axes than the scores
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
    checkMask(mask.shape(), scores.shape());
    Tensor some = mask.any(LAST, true);
    // A query without keys is given all of them first, so that no gradient is NaN.
    Tensor hidden = mask.not().and(some);
    Tensor weights = scores.maskedFill(hidden, Double.NEGATIVE_INFINITY).softmax(LAST);
    return Tensor.where(some, weights, weights.scalarLike(0)).matmul(values);
  }

  private static void checkMask(Shape mask, Shape scores) {
    boolean fits = mask.rank() == scores.rank();
    for (int axis = 0; fits && axis < scores.rank(); axis++) {
      fits =
          mask.dim(axis) == scores.dim(axis)
              || mask.dim(axis) == 1
              || (scores.dim(axis) == 1 && axis < scores.rank() - 2);
    }
    if (!fits) {
      throw new TensorException(
          "scaledDotProduct: the mask is "
              + mask
              + ", the scores of queries and keys are "
              + scores
              + " [..,m,n]; give it as many axes, each of that size or 1: unsqueeze(0) makes [m,n] one for all rows,"
              + " [1,m,n], and unsqueeze(1) makes [N,n], where rows end, one for all queries, [N,1,n]");
    }
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
