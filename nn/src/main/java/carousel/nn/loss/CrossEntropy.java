package carousel.nn.loss;

import static carousel.tensor.Tensor.LAST;
import static carousel.tensor.op.LayerComposites.NO_TARGET;
import static carousel.tensor.op.LayerComposites.classes;
import static carousel.tensor.op.LayerComposites.counted;
import static carousel.tensor.op.LayerComposites.nll;

import carousel.nn.check.Operands;
import carousel.nn.check.Tokens;
import carousel.tensor.DType;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import carousel.tensor.TensorException;
import carousel.tensor.op.LayerComposites;
import carousel.tensor.op.Op;
import org.jspecify.annotations.Nullable;

/**
 * {@code −ln softmax(x)[target]} in nats; {@code logits x [..,V], targets [..] → [..]}, reduced.
 *
 * <p>With smoothing ε the target distribution is {@code 1 − ε} on the target plus {@code ε / V} on
 * every class (Szegedy et al. 2016). With class weights w the term of class c counts {@code w_c}
 * times. A target that is ignored costs 0 and does not count in the mean, which divides by the number
 * of the other targets, or by the sum of their weights; the mean over no target at all is NaN, as 0/0
 * is.
 *
 * @param reduction what becomes of the losses
 * @param ignored the target that stands for nothing, a class or not
 * @param smoothing ε in [0, 1]
 * @param weights {@code w [V]}, or null for 1
 */
public record CrossEntropy(
    Reduction reduction, int ignored, double smoothing, @Nullable Tensor weights) {

  /** The target ignored unless set otherwise, PyTorch's. */
  public static final int IGNORED = -100;

  /** Checks the smoothing. */
  public CrossEntropy {
    if (!(smoothing >= 0 && smoothing <= 1)) {
      throw new TensorException("crossEntropy: smoothing must be in [0, 1], got " + smoothing);
    }
  }

  /**
   * The mean, without smoothing or weights, ignoring −100.
   *
   * @return the loss
   */
  public static CrossEntropy of() {
    return new CrossEntropy(Reduction.MEAN, IGNORED, 0, null);
  }

  /**
   * This loss with another reduction.
   *
   * @param other what becomes of the losses
   * @return the loss
   */
  public CrossEntropy withReduction(Reduction other) {
    return new CrossEntropy(other, ignored, smoothing, weights);
  }

  /**
   * This loss with another target that stands for nothing.
   *
   * @param target a class such as the padding token, or any number that is none
   * @return the loss
   */
  public CrossEntropy withIgnored(int target) {
    return new CrossEntropy(reduction, target, smoothing, weights);
  }

  /**
   * This loss with smoothed targets.
   *
   * @param epsilon how much of the target's probability goes to all classes, in [0, 1]
   * @return the loss
   */
  public CrossEntropy withSmoothing(double epsilon) {
    return new CrossEntropy(reduction, ignored, epsilon, weights);
  }

  /**
   * This loss with class weights.
   *
   * @param perClass {@code [V]}, of the logits' type
   * @return the loss
   */
  public CrossEntropy withWeights(Tensor perClass) {
    return new CrossEntropy(reduction, ignored, smoothing, perClass);
  }

  /**
   * The loss of logits.
   *
   * @param logits {@code [..,V]}
   * @param targets I32 {@code [..]}, each in [0, V) or the ignored one
   * @return a scalar, or {@code [..]} with reduction NONE
   * @throws TensorException if the shapes do not fit or a target is out of range
   */
  public Tensor apply(Tensor logits, Tensor targets) {
    check("crossEntropy", logits, targets);
    Tensor rows = rows(logits);
    Tensor at = marked(targets);
    if (smoothing == 0 && weights == null) {
      return reduce(Op.apply(LayerComposites.CROSS_ENTROPY, rows, at), at, targets.shape());
    }
    return general(counted(rows, at).logSoftmax(LAST), at, targets.shape());
  }

  /**
   * The loss of log probabilities, {@code −x[target]}: the negative log likelihood.
   *
   * @param logProbabilities {@code [..,V]}, e.g. from {@code logSoftmax}
   * @param targets I32 {@code [..]}, each in [0, V) or the ignored one
   * @return a scalar, or {@code [..]} with reduction NONE
   * @throws TensorException if the shapes do not fit or a target is out of range
   */
  public Tensor ofLogProbabilities(Tensor logProbabilities, Tensor targets) {
    check("nll", logProbabilities, targets);
    Tensor at = marked(targets);
    return general(counted(rows(logProbabilities), at), at, targets.shape());
  }

  private Tensor general(Tensor logP, Tensor at, Shape shape) {
    Tensor loss = nll(logP, at);
    if (weights != null) {
      loss = weighted(loss, weightOf(weights, at));
    }
    if (smoothing > 0) {
      Tensor all = (weights == null ? logP : weighted(logP, weights)).mean(LAST).neg();
      Tensor spread = Tensor.where(at.ne(NO_TARGET), all, all.scalarLike(0)).mul(smoothing);
      // With smoothing 1 the target does not count, also where it costs ∞.
      loss = smoothing == 1 ? spread : loss.mul(1 - smoothing).add(spread);
    }
    return reduce(loss, at, shape);
  }

  /** {@code x · w}, and 0 for what has no weight, infinite or not. */
  private static Tensor weighted(Tensor x, Tensor w) {
    Tensor none = w.eq(0).and(x.isFinite().not());
    return Tensor.where(none, x.scalarLike(0), x).mul(w);
  }

  private Tensor reduce(Tensor losses, Tensor at, Shape shape) {
    return switch (reduction) {
      case NONE -> losses.reshape(shape);
      case SUM -> losses.sum();
      case MEAN ->
          weights == null
              ? losses.sum().div(count(at, losses.dtype()))
              : losses.sum().div(weightOf(weights, at).sum());
    };
  }

  /** How many targets are classes; in F64, in which every such number is exact. */
  private static Tensor count(Tensor at, DType type) {
    return at.ne(NO_TARGET).cast(DType.F64).sum().cast(type);
  }

  private static Tensor weightOf(Tensor weights, Tensor targets) {
    Tensor values = weights.gather(classes(targets), 0);
    return Tensor.where(targets.ne(NO_TARGET), values, values.scalarLike(0));
  }

  private static Tensor rows(Tensor x) {
    int classes = x.dim(LAST);
    return x.reshape(Operands.rows("crossEntropy", x, x.size() / classes), classes);
  }

  /** Targets in one axis, with {@link LayerComposites#NO_TARGET} for those ignored. */
  private Tensor marked(Tensor targets) {
    Tensor flat = targets.reshape(Operands.rows("crossEntropy", targets, targets.size()));
    return ignored == NO_TARGET
        ? flat
        : Tensor.where(flat.eq(ignored), flat.scalarLike(NO_TARGET), flat);
  }

  private void check(String op, Tensor x, Tensor targets) {
    if (x.rank() == 0 || !x.shape().without(LAST).equals(targets.shape()) || x.dim(LAST) == 0) {
      throw new TensorException(
          op
              + ": "
              + x.shape()
              + " wants targets of the shape before its last axis, the classes, of which there"
              + " must be at least one; got targets "
              + targets.shape());
    }
    int classes = x.dim(LAST);
    if (weights != null && !weights.shape().equals(Shape.of(classes))) {
      throw new TensorException(
          op + ": weights must have shape [" + classes + "], got " + weights.shape());
    }
    if (!x.dtype().isFloating()) {
      throw new TensorException(
          op + ": takes F32 or F64, got " + x.dtype() + " " + x.shape() + "; convert it with cast");
    }
    if (weights != null) {
      Operands.sameType(op, "the class weights", weights, "the prediction", x);
    }
    Tokens.check(op, "target", targets, classes, ignored);
  }
}
