package carousel.nn.loss;

import static carousel.tensor.Tensor.LAST;

import carousel.nn.check.Operands;
import carousel.tensor.DType;
import carousel.tensor.Tensor;
import carousel.tensor.TensorException;
import carousel.tensor.op.Composite;
import carousel.tensor.op.Op;
import java.util.function.UnaryOperator;

/**
 * Losses, in nats where they are entropies. Two tensors that are compared have one shape: a loss never
 * broadcasts. Reduced by their mean where no {@link Reduction} is given, except {@link #halfSquared}.
 * Sequences without alignment: {@link carousel.nn.recurrent.Ctc}.
 */
public final class Loss {
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
    sameShape("bceWithLogits", logits, targets);
    Operands.sameType(
        "bceWithLogits", "the positive weight", positiveWeight, "the prediction", logits);
    return reduction.of(Op.apply(BCE, logits, targets, positiveWeight));
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
    sameShape("binary", probabilities, targets);
    Tensor opposite = probabilities.neg();
    Tensor positive = cut(probabilities, probabilities.lt(Math.exp(-100)), Tensor::log);
    // ln(1 − p) is cut at 1 alone: the next lower number is far from e⁻¹⁰⁰ less than it.
    Tensor negative = cut(opposite, opposite.le(-1), Tensor::log1p);
    return reduction.of(targets.mul(positive).add(targets.neg().add(1).mul(negative)).neg());
  }

  /**
   * A logarithm, −100 where it is cut: not the logarithm of a least number, which in F32 is none of e⁻¹⁰⁰
   * and has a slope that is infinite. What is cut is computed of 1, so that its branch is finite, too.
   */
  private static Tensor cut(Tensor x, Tensor cut, UnaryOperator<Tensor> log) {
    Tensor kept = Tensor.where(cut, x.scalarLike(1), x);
    return Tensor.where(cut, x.scalarLike(-100), log.apply(kept));
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
    distributions("kl", logQ, p);
    Tensor none = p.eq(0);
    Tensor logP = Tensor.where(none, p.scalarLike(1), p).log();
    return reduction.of(counted(none, p, logP, logQ).sum(LAST));
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
    distributions("klOfLogs", logQ, logP);
    Tensor none = logP.eq(Double.NEGATIVE_INFINITY);
    Tensor safe = Tensor.where(none, logP.scalarLike(0), logP);
    return reduction.of(counted(none, logP.exp(), safe, logQ).sum(LAST));
  }

  /** {@code p (ln p − ln q)}, 0 where p is: there, ln q may be infinite. */
  private static Tensor counted(Tensor none, Tensor p, Tensor logP, Tensor logQ) {
    Tensor ratio = logP.sub(Tensor.where(none, logQ.scalarLike(0), logQ));
    return Tensor.where(none, p.scalarLike(0), p.mul(ratio));
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
    distributions("klGaussian", mean, logVariance);
    // Not σ² − 1: near σ = 1 it would be rounded.
    Tensor spread = logVariance.expm1().sub(logVariance);
    return reduction.of(mean.square().add(spread).sum(LAST).mul(0.5));
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
    distributions("klGaussian", mean, logVariance);
    sameShape("klGaussian", mean, otherMean);
    sameShape("klGaussian", mean, otherLogVariance);
    Tensor ratio = logVariance.sub(otherLogVariance);
    // (μ − ν)/τ in two steps, since 1/τ² alone leaves the range long before. Where the means are
    // equal the steps stay finite: 0 times them is 0.
    Tensor apart = mean.sub(otherMean);
    Tensor step = otherLogVariance.mul(-0.25);
    double most =
        Math.floor(Math.log(mean.dtype() == DType.F32 ? Float.MAX_VALUE : Double.MAX_VALUE));
    Tensor root = Tensor.where(apart.eq(0), step.minimum(most), step).exp();
    Tensor scaled = apart.mul(root).mul(root);
    return reduction.of(ratio.expm1().sub(ratio).add(scaled.square()).sum(LAST).mul(0.5));
  }

  private static void distributions(String op, Tensor x, Tensor y) {
    sameShape(op, x, y);
    if (x.rank() == 0) {
      throw new TensorException(op + ": a distribution needs an axis, got a scalar");
    }
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
