package carousel.nn.loss;

import carousel.nn.check.Operands;
import carousel.tensor.Tensor;
import carousel.tensor.TensorException;

/**
 * Losses, in nats where they are entropies. Two tensors that are compared have one shape: a loss never
 * broadcasts. Reduced by their mean where no {@link Reduction} is given, except {@link #halfSquared}.
 * Sequences without alignment: {@link carousel.nn.recurrent.Ctc}.
 */
public final class Loss {
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
   * The negative log likelihood {@code −x[target]}; {@code x [..,V], targets [..]}.
   *
   * @param logProbabilities {@code [..,V]}
   * @param targets I32 {@code [..]}, each in [0, V), or −100 to be ignored
   * @param reduction what becomes of the losses
   * @return a scalar, or {@code [..]} with reduction NONE
   * @throws TensorException if the shapes do not fit or a target is out of range
   */
  public static Tensor nll(Tensor logProbabilities, Tensor targets, Reduction reduction) {
    return CrossEntropy.of().withReduction(reduction).ofLogProbabilities(logProbabilities, targets);
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
   * The mean absolute error, {@code |x − y|}.
   *
   * @param x {@code [..]}
   * @param y {@code [..]}
   * @return a scalar
   */
  public static Tensor l1(Tensor x, Tensor y) {
    return l1(x, y, Reduction.MEAN);
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
   * The mean Huber loss with δ = 1, as in PyTorch; see {@link #huber(Tensor, Tensor, double, Reduction)}.
   *
   * @param x {@code [..]}
   * @param y {@code [..]}
   * @return a scalar
   */
  public static Tensor huber(Tensor x, Tensor y) {
    return huber(x, y, 1);
  }

  /**
   * The mean Huber loss; see {@link #huber(Tensor, Tensor, double, Reduction)}.
   *
   * @param x {@code [..]}
   * @param y {@code [..]}
   * @param delta where the parabola ends, above 0
   * @return a scalar
   */
  public static Tensor huber(Tensor x, Tensor y, double delta) {
    return huber(x, y, delta, Reduction.MEAN);
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
   * The mean smooth L1 loss with β = 1, as in PyTorch; see {@link #smoothL1(Tensor, Tensor, double, Reduction)}.
   *
   * @param x {@code [..]}
   * @param y {@code [..]}
   * @return a scalar
   */
  public static Tensor smoothL1(Tensor x, Tensor y) {
    return smoothL1(x, y, 1);
  }

  /**
   * The mean smooth L1 loss; see {@link #smoothL1(Tensor, Tensor, double, Reduction)}.
   *
   * @param x {@code [..]}
   * @param y {@code [..]}
   * @param beta where the parabola ends, above 0
   * @return a scalar
   */
  public static Tensor smoothL1(Tensor x, Tensor y, double beta) {
    return smoothL1(x, y, beta, Reduction.MEAN);
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
   * The mean binary cross-entropy of logits with a weight of positives; see {@link #bceWithLogits(Tensor, Tensor,
   * Tensor, Reduction)}.
   *
   * @param logits {@code [..]}
   * @param targets {@code [..]} of the same type, each in [0, 1]
   * @param positiveWeight what a positive counts; broadcast to the shape
   * @return a scalar
   */
  public static Tensor bceWithLogits(Tensor logits, Tensor targets, Tensor positiveWeight) {
    return bceWithLogits(logits, targets, positiveWeight, Reduction.MEAN);
  }

  /**
   * The binary cross-entropy of logits in nats, {@code p·y·softplus(−x) + (1 − y)·softplus(x)}:
   * {@code −(p·y·ln σ(x) + (1 − y)·ln(1 − σ(x)))}, without overflow or cancellation for any x,
   * infinite ones included: a sure logit costs 0 where it is right, ∞ where it is wrong.
   *
   * @param logits {@code x [..]}
   * @param targets {@code y [..]} of the same type, each in [0, 1]
   * @param positiveWeight {@code p}, what a positive counts; broadcast to the shape
   * @param reduction what becomes of the losses
   * @return a scalar, or {@code [..]} with reduction NONE
   */
  public static Tensor bceWithLogits(
      Tensor logits, Tensor targets, Tensor positiveWeight, Reduction reduction) {
    return reduction.of(BinaryEntropy.ofLogits(logits, targets, positiveWeight));
  }

  /**
   * The mean binary cross-entropy of probabilities; see {@link #binary(Tensor, Tensor, Reduction)}.
   *
   * @param probabilities {@code p [..]}, each in [0, 1]
   * @param targets {@code y [..]} of the same type, each in [0, 1]
   * @return a scalar
   */
  public static Tensor binary(Tensor probabilities, Tensor targets) {
    return binary(probabilities, targets, Reduction.MEAN);
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
    return reduction.of(BinaryEntropy.of(probabilities, targets));
  }

  /**
   * The mean divergence of distributions from probabilities; see {@link #kl(Tensor, Tensor, Reduction)}.
   *
   * @param logQ the model's log probabilities, {@code [..,V]}
   * @param p the wanted probabilities, {@code [..,V]}
   * @return a scalar
   */
  public static Tensor kl(Tensor logQ, Tensor p) {
    return kl(logQ, p, Reduction.MEAN);
  }

  /**
   * The Kullback-Leibler divergence {@code Σ p (ln p − ln q)} in nats over the last axis, where {@code 0 ln 0 =
   * 0}, whatever q is; {@code ln q, p [..,V] → [..]}. The mean is that of distributions: PyTorch's {@code
   * kl_div} calls it {@code batchmean}, and the sum {@code sum}.
   *
   * @param logQ the model's log probabilities, {@code [..,V]}, e.g. from {@code logSoftmax}
   * @param p the wanted probabilities, {@code [..,V]}; their gradient at 0 is that of 0
   * @param reduction what becomes of the divergences
   * @return a scalar, or {@code [..]} with reduction NONE
   */
  public static Tensor kl(Tensor logQ, Tensor p, Reduction reduction) {
    return reduction.of(Divergences.kl(logQ, p));
  }

  /**
   * The mean divergence from probabilities that are given by their logarithms; see {@link #klOfLogs(Tensor, Tensor,
   * Reduction)}.
   *
   * @param logQ the model's log probabilities, {@code [..,V]}
   * @param logP the logarithms of the wanted probabilities, {@code [..,V]}
   * @return a scalar
   */
  public static Tensor klOfLogs(Tensor logQ, Tensor logP) {
    return klOfLogs(logQ, logP, Reduction.MEAN);
  }

  /**
   * As {@link #kl(Tensor, Tensor, Reduction)}, of wanted probabilities that are given by their logarithms:
   * exact also where they are small, and 0 where they are −∞ (PyTorch's {@code log_target}).
   *
   * @param logQ the model's log probabilities, {@code [..,V]}
   * @param logP the logarithms of the wanted probabilities, {@code [..,V]}
   * @param reduction what becomes of the divergences
   * @return a scalar, or {@code [..]} with reduction NONE
   */
  public static Tensor klOfLogs(Tensor logQ, Tensor logP, Reduction reduction) {
    return reduction.of(Divergences.klOfLogs(logQ, logP));
  }

  /**
   * The mean divergence of diagonal Gaussians from the standard one; see {@link #klGaussian(Tensor, Tensor, Reduction)}.
   *
   * @param mean {@code μ [..,D]}
   * @param logVariance {@code ln σ² [..,D]}
   * @return a scalar
   */
  public static Tensor klGaussian(Tensor mean, Tensor logVariance) {
    return klGaussian(mean, logVariance, Reduction.MEAN);
  }

  /**
   * The divergence of a diagonal Gaussian from the standard one, {@code ½ Σ (μ² + σ² − 1 − ln σ²)} in nats
   * over the last axis: the regulariser of a variational autoencoder (Kingma and Welling 2014).
   *
   * @param mean {@code μ [..,D]}
   * @param logVariance {@code ln σ² [..,D]}
   * @param reduction what becomes of the divergences
   * @return a scalar, or {@code [..]} with reduction NONE
   */
  public static Tensor klGaussian(Tensor mean, Tensor logVariance, Reduction reduction) {
    return reduction.of(Divergences.gaussian(mean, logVariance));
  }

  /**
   * The mean divergence of diagonal Gaussians from others; see {@link #klGaussian(Tensor, Tensor, Tensor, Tensor,
   * Reduction)}.
   *
   * @param mean {@code μ [..,D]}
   * @param logVariance {@code ln σ² [..,D]}
   * @param otherMean {@code ν [..,D]}
   * @param otherLogVariance {@code ln τ² [..,D]}
   * @return a scalar
   */
  public static Tensor klGaussian(
      Tensor mean, Tensor logVariance, Tensor otherMean, Tensor otherLogVariance) {
    return klGaussian(mean, logVariance, otherMean, otherLogVariance, Reduction.MEAN);
  }

  /**
   * The divergence of a diagonal Gaussian from another, {@code ½ Σ (σ²/τ² − 1 − ln(σ²/τ²) + (μ − ν)²/τ²)} in
   * nats over the last axis.
   *
   * @param mean {@code μ [..,D]}
   * @param logVariance {@code ln σ² [..,D]}
   * @param otherMean {@code ν [..,D]}
   * @param otherLogVariance {@code ln τ² [..,D]}
   * @param reduction what becomes of the divergences
   * @return a scalar, or {@code [..]} with reduction NONE
   */
  public static Tensor klGaussian(
      Tensor mean,
      Tensor logVariance,
      Tensor otherMean,
      Tensor otherLogVariance,
      Reduction reduction) {
    return reduction.of(Divergences.gaussian(mean, logVariance, otherMean, otherLogVariance));
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

  static void sameShape(String op, Tensor x, Tensor y) {
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
