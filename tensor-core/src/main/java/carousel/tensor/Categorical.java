package carousel.tensor;

import carousel.tensor.op.Distribution;

/** Classes by their log probabilities, the greatest of which win beside Gumbel's noise. */
final class Categorical {
  private Categorical() {}

  static Tensor one(String op, Philox rng, Tensor logits) {
    requireClasses(op, logits);
    Tensor scores = scores(op, rng, logits, logits.shape());
    return sound(op, logits, scores.max(Tensor.LAST), scores.argmax(Tensor.LAST), 1);
  }

  static Tensor many(Philox rng, Tensor logits, int count) {
    requireClasses("categorical", logits);
    requireCount("categorical", logits, count);
    Shape each = logits.shape().insert(-2, count);
    Tensor scores = scores("categorical", rng, logits.unsqueeze(-2), each);
    return sound("categorical", logits, scores.max(Tensor.LAST), scores.argmax(Tensor.LAST), 1);
  }

  static Tensor distinct(Philox rng, Tensor logits, int count) {
    requireClasses("distinct", logits);
    requireCount("distinct", logits, count);
    if (count > logits.dim(Tensor.LAST)) {
      throw new TensorException(
          "distinct: " + count + " different classes were wanted of logits " + logits.shape());
    }
    Tensor scores = scores("distinct", rng, logits, logits.shape());
    var first = scores.topK(count, Tensor.LAST);
    return sound("distinct", logits, first.values(), first.indices(), count);
  }

  private static void requireClasses(String op, Tensor logits) {
    if (logits.rank() == 0
        || (logits.dim(Tensor.LAST) == 0 && logits.shape().with(-1, 1).size() > 0)) {
      throw new TensorException(op + ": wants logits [.., V] of classes, got " + logits.shape());
    }
  }

  private static void requireCount(String op, Tensor logits, int count) {
    if (count < 0) {
      throw new TensorException(
          op + ": the number of draws must be 0 or more, got " + count + " for " + logits.shape());
    }
  }

  /** Log probabilities with noise: not finite only where a row is not sound, or a class impossible. */
  static Tensor scores(String op, Philox rng, Tensor logits, Shape shape) {
    // Near 0 sums are finer than beside a logit of a million.
    Tensor x = logits.cast(DType.F64);
    Tensor relative = x.sub(x.max(Tensor.LAST, true));
    Tensor u = rng.drawn(op, logits.device(), Distribution.UNIFORM, DType.F64, shape);
    // −ln(1 − u), not −ln u: a rare class wins by a small one, and near 0 numbers are dense. 0
    // itself would win
    // against everything, impossible or not.
    Tensor waiting = u.maximum(0x1p-54).neg().log1p().neg();
    return relative.sub(waiting.log());
  }

  /** What was drawn, if scores that won are finite. */
  private static Tensor sound(String op, Tensor logits, Tensor won, Tensor drawn, int count) {
    Tensor finite = won.isFinite();
    if (logits.device().backend().isAsynchronous()) {
      return Tensor.where(finite, drawn, drawn.scalarLike(-1));
    }
    if (finite.all().item() == 0) {
      Tensor greatest = logits.cast(DType.F64).max(Tensor.LAST);
      throw new TensorException(
          op
              + ": logits "
              + logits.shape()
              + (greatest.isNan().any().item() != 0
                  ? " have a row with NaN"
                  : greatest.eq(Double.POSITIVE_INFINITY).any().item() != 0
                      ? " have a row with +∞; log probabilities are finite or −∞"
                      : " have a row in which fewer than "
                          + count
                          + " are possible: all others are −∞"));
    }
    return drawn;
  }
}
