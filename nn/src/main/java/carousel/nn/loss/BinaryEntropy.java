package carousel.nn.loss;

import carousel.nn.check.Operands;
import carousel.tensor.Tensor;
import carousel.tensor.op.Composite;
import carousel.tensor.op.Op;
import java.util.function.UnaryOperator;

/** The cross-entropy of two outcomes, one number each; {@link Loss} says what of. */
final class BinaryEntropy {
  /**
   * {@code (x, y, p) → p·y·softplus(−x) + (1 − y)·softplus(x)}, where 0 times an infinite softplus is 0.
   */
  private static final Composite BCE =
      Composite.fixed(
          "bce_with_logits",
          in -> {
            Tensor x = in[0];
            Tensor positive = in[2].mul(in[1]);
            Tensor negative = in[1].neg().add(1);
            Tensor sure =
                x.eq(Double.POSITIVE_INFINITY)
                    .and(negative.eq(0))
                    .or(x.eq(Double.NEGATIVE_INFINITY).and(positive.eq(0)));
            // A number there: what is not chosen is differentiated, too, and must be finite.
            Tensor safe = Tensor.where(sure, x.scalarLike(0), x);
            Tensor loss = positive.mul(safe.neg().softplus()).add(negative.mul(safe.softplus()));
            return new Tensor[] {Tensor.where(sure, x.scalarLike(0), loss)};
          });

  private BinaryEntropy() {}

  static Tensor ofLogits(Tensor logits, Tensor targets, Tensor positiveWeight) {
    Loss.sameShape("bceWithLogits", logits, targets);
    Operands.sameType(
        "bceWithLogits", "the positive weight", positiveWeight, "the prediction", logits);
    return Op.apply(BCE, logits, targets, positiveWeight);
  }

  static Tensor of(Tensor probabilities, Tensor targets) {
    Loss.sameShape("binary", probabilities, targets);
    Tensor opposite = probabilities.neg();
    Tensor positive = cut(probabilities, probabilities.lt(Math.exp(-100)), Tensor::log);
    // ln(1 − p) is cut at 1 alone: the next lower number is far from e⁻¹⁰⁰ less than it.
    Tensor negative = cut(opposite, opposite.le(-1), Tensor::log1p);
    return targets.mul(positive).add(targets.neg().add(1).mul(negative)).neg();
  }

  /**
   * A logarithm, −100 where it is cut: not the logarithm of a least number, which in F32 is none of e⁻¹⁰⁰
   * and has a slope that is infinite. What is cut is computed of 1, so that its branch is finite, too.
   */
  private static Tensor cut(Tensor x, Tensor cut, UnaryOperator<Tensor> log) {
    Tensor kept = Tensor.where(cut, x.scalarLike(1), x);
    return Tensor.where(cut, x.scalarLike(-100), log.apply(kept));
  }
}
