package carousel.nn;

import carousel.tensor.Tensor;
import carousel.tensor.TensorException;

/**
 * Losses, in nats where they are entropies. Two tensors that are compared have one shape: a loss never
 * broadcasts. Reduced by their mean where no {@link Reduction} is given, except {@link #halfSquared}.
 */
public final class Loss {
  /** Below this, a probability counts as this: its logarithm is −100 instead of −∞. */
  private static final double LEAST_PROBABILITY = Math.exp(-100);

  private Loss() {}

  /**
   * The mean cross-entropy {@code −ln softmax(x)[target]} in nats; {@code logits x [..,V], targets
   * [..] → []}. {@link CrossEntropy} has the other forms.
   *
   * @param logits {@code [..,V]}
   * @param targets I32 {@code [..]}, each in [0, V), or −100 to be ignored
   * @return a scalar
   * @throws TensorException if the shapes do not fit or a target is out of range
   */
  public static Tensor crossEntropy(Tensor logits, Tensor targets) {
    return CrossEntropy.of().apply(logits, targets);
  }

  /**
   * The cross-entropy {@code −ln softmax(x)[target]} in nats.
   *
   * @param logits {@code [..,V]}
   * @param targets I32 {@code [..]}, each in [0, V), or −100 to be ignored
   * @param reduction what becomes of the losses
   * @return a scalar, or {@code [..]} with reduction NONE
   * @throws TensorException if the shapes do not fit or a target is out of range
   */
  public static Tensor crossEntropy(Tensor logits, Tensor targets, Reduction reduction) {
    return CrossEntropy.of().withReduction(reduction).apply(logits, targets);
  }

  /**
   * The mean negative log likelihood {@code −x[target]}; {@code x [..,V], targets [..] → []}.
   *
   * @param logProbabilities {@code [..,V]}
   * @param targets I32 {@code [..]}, each in [0, V), or −100 to be ignored
   * @return a scalar
   * @throws TensorException if the shapes do not fit or a target is out of range
   */
  public static Tensor nll(Tensor logProbabilities, Tensor targets) {
    return CrossEntropy.of().ofLogProbabilities(logProbabilities, targets);
  }

  /**
   * The mean squared error, {@code d²} of {@code d = x − y}.
   *
   * @param x {@code [..]}
   * @param y {@code [..]}
   * @return a scalar
   */
  public static Tensor mse(Tensor x, Tensor y) {
    return mse(x, y, Reduction.MEAN);
  }

  /**
   * The squared error, {@code d²} of {@code d = x − y}.
   *
   * @param x {@code [..]}
   * @param y {@code [..]}
   * @param reduction what becomes of the losses
   * @return a scalar, or {@code [..]} with reduction NONE
   */
  public static Tensor mse(Tensor x, Tensor y, Reduction reduction) {
    return reduction.of(difference("mse", x, y).square());
  }

  /**
   * {@code ½‖y − d‖² = ½ Σ (y − d)²}, the squared error of the early literature, whose gradient is
   * {@code y − d}.
   *
   * @param y what came out, {@code [..]}
   * @param d what was desired, {@code [..]}
   * @return a scalar
   */
  public static Tensor halfSquared(Tensor y, Tensor d) {
    return difference("halfSquared", y, d).square().sum().mul(0.5);
  }

  /**
   * The absolute error, {@code |x − y|}.
   *
   * @param x {@code [..]}
   * @param y {@code [..]}
   * @param reduction what becomes of the losses
   * @return a scalar, or {@code [..]} with reduction NONE
   */
  public static Tensor l1(Tensor x, Tensor y, Reduction reduction) {
    return reduction.of(difference("l1", x, y).abs());
  }

  /**
   * {@code c ⊙ (d − c/2)} of {@code d = x − y}, {@code c = clamp(d, −δ, δ)}: {@code d²/2} up to δ,
   * {@code δ(|d| − δ/2)} beyond (Huber 1964).
   *
   * @param x {@code [..]}
   * @param y {@code [..]}
   * @param delta where the parabola ends, above 0
   * @param reduction what becomes of the losses
   * @return a scalar, or {@code [..]} with reduction NONE
   */
  public static Tensor huber(Tensor x, Tensor y, double delta, Reduction reduction) {
    return reduction.of(huber("huber", x, y, delta));
  }

  /**
   * The Huber loss over its δ, here called β: {@code d²/(2β)} up to β, {@code |d| − β/2} beyond
   * (Girshick 2015).
   *
   * @param x {@code [..]}
   * @param y {@code [..]}
   * @param beta where the parabola ends, above 0
   * @param reduction what becomes of the losses
   * @return a scalar, or {@code [..]} with reduction NONE
   */
  public static Tensor smoothL1(Tensor x, Tensor y, double beta, Reduction reduction) {
    return reduction.of(huber("smoothL1", x, y, beta).div(beta));
  }

  /**
   * The mean binary cross-entropy of logits; see {@link #bceWithLogits(Tensor, Tensor, Tensor,
   * Reduction)}.
   *
   * @param logits {@code [..]}
   * @param targets {@code [..]} of the same type, each in [0, 1]
   * @return a scalar
   */
  public static Tensor bceWithLogits(Tensor logits, Tensor targets) {
    return bceWithLogits(logits, targets, Reduction.MEAN);
  }

  /**
   * The binary cross-entropy of logits; see {@link #bceWithLogits(Tensor, Tensor, Tensor,
   * Reduction)}.
   *
   * @param logits {@code [..]}
   * @param targets {@code [..]} of the same type, each in [0, 1]
   * @param reduction what becomes of the losses
   * @return a scalar, or {@code [..]} with reduction NONE
   */
  public static Tensor bceWithLogits(Tensor logits, Tensor targets, Reduction reduction) {
    return bceWithLogits(logits, targets, logits.scalarLike(1), reduction);
  }

  /**
   * The binary cross-entropy of logits in nats, {@code p·y·softplus(−x) + (1 − y)·softplus(x)}:
   * {@code −(p·y·ln σ(x) + (1 − y)·ln(1 − σ(x)))}, without overflow or cancellation for any x.
   *
   * @param logits {@code x [..]}
   * @param targets {@code y [..]} of the same type, each in [0, 1]
   * @param positiveWeight {@code p}, what a positive counts; broadcast to the shape
   * @param reduction what becomes of the losses
   * @return a scalar, or {@code [..]} with reduction NONE
   */
  public static Tensor bceWithLogits(
      Tensor logits, Tensor targets, Tensor positiveWeight, Reduction reduction) {
    sameShape("bceWithLogits", logits, targets);
    Operands.sameType(
        "bceWithLogits", "the positive weight", positiveWeight, "the prediction", logits);
    Tensor positive = positiveWeight.mul(targets).mul(logits.neg().softplus());
    Tensor negative = targets.neg().add(1).mul(logits.softplus());
    return reduction.of(positive.add(negative));
  }

  /**
   * The binary cross-entropy of probabilities in nats, {@code −(y ln p + (1 − y) ln(1 − p))}, where
   * no logarithm is less than −100 and none that is cut there has a gradient. For a network's output
   * take {@link #bceWithLogits(Tensor, Tensor)}, which needs no cut.
   *
   * @param probabilities {@code p [..]}, each in [0, 1]
   * @param targets {@code y [..]} of the same type, each in [0, 1]
   * @param reduction what becomes of the losses
   * @return a scalar, or {@code [..]} with reduction NONE
   */
  public static Tensor binary(Tensor probabilities, Tensor targets, Reduction reduction) {
    sameShape("binary", probabilities, targets);
    Tensor positive = targets.mul(probabilities.maximum(LEAST_PROBABILITY).log());
    Tensor opposite = probabilities.neg().add(1).maximum(LEAST_PROBABILITY).log();
    return reduction.of(positive.add(targets.neg().add(1).mul(opposite)).neg());
  }

  private static Tensor huber(String op, Tensor x, Tensor y, double delta) {
    if (!(delta > 0 && Double.isFinite(delta))) {
      throw new TensorException(
          op + ": the width of the parabola must be above 0 and finite, got " + delta);
    }
    Tensor d = difference(op, x, y);
    Tensor c = d.clamp(-delta, delta);
    return c.mul(d.sub(c.mul(0.5)));
  }

  private static Tensor difference(String op, Tensor x, Tensor y) {
    sameShape(op, x, y);
    return x.sub(y);
  }

  private static void sameShape(String op, Tensor x, Tensor y) {
    if (!x.shape().equals(y.shape())) {
      throw new TensorException(
          op
              + ": shapes differ: "
              + x.shape()
              + " and "
              + y.shape()
              + "; a loss does not broadcast, use expand or reshape");
    }
    if (!x.dtype().isFloating()) {
      throw new TensorException(
          op + ": takes F32 or F64, got " + x.dtype() + " " + x.shape() + "; convert it with cast");
    }
    Operands.sameType(op, "the target", y, "the prediction", x);
  }
}
