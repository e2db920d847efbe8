package carousel.tensor;

import carousel.tensor.op.Binary;
import carousel.tensor.op.Composite;
import carousel.tensor.op.Domain;
import carousel.tensor.op.Op;
import carousel.tensor.op.Softmax;
import carousel.tensor.op.Unary;
import java.util.List;

/**
 * Activations; {@link Elementwise#tanh} is with the hyperbolic functions.
 *
 * <p>All are differentiable to every order; where one has a kink, its gradient there is stated.
 */
public sealed interface Activations permits Tensor {
  private Tensor self() {
    return (Tensor) this;
  }

  private Tensor floating(String op) {
    Domain.FLOATING.require(op, self());
    return self();
  }

  private Tensor numeric(String op) {
    Domain.NUMERIC.require(op, self());
    return self();
  }

  private Tensor composed(Composite body) {
    return Op.apply(body, floating(body.label()));
  }

  /** {@return the logistic function {@code σ(x) = 1/(1 + e^−x)}; see {@link Unary#SIGMOID}} */
  default Tensor sigmoid() {
    return Op.apply(Unary.SIGMOID, self());
  }

  /** {@return {@code max(x, 0)}; see {@link Unary#RELU}} */
  default Tensor relu() {
    return Op.apply(Unary.RELU, self());
  }

  /** {@return {@code x / (1 + |x|)}; see {@link Unary#SOFTSIGN}} */
  default Tensor softsign() {
    return Op.apply(Unary.SOFTSIGN, self());
  }

  /** {@return {@code ln(1 + e^x)}; see {@link Unary#SOFTPLUS}} */
  default Tensor softplus() {
    return Op.apply(Unary.SOFTPLUS, self());
  }

  /** {@return {@code x σ(x)}; see {@link Unary#SILU}} */
  default Tensor silu() {
    return Op.apply(Unary.SILU, self());
  }

  /** {@return {@code x Φ(x)}; see {@link Unary#GELU}} */
  default Tensor gelu() {
    return Op.apply(Unary.GELU, self());
  }

  /**
   * {@return {@code a} above 0, {@code slope · a} below, where a is this; see {@link
   * Binary#LEAKY_RELU}}
   *
   * @param slope the other operand
   */
  default Tensor leakyRelu(Tensor slope) {
    return Op.apply(Binary.LEAKY_RELU, self(), slope);
  }

  /**
   * {@return {@code a} above 0, {@code slope · a} below, where a is this; see {@link
   * Binary#LEAKY_RELU}}
   *
   * @param slope the other operand, for every element
   */
  default Tensor leakyRelu(double slope) {
    return Op.apply(Binary.LEAKY_RELU, self(), Numbers.beside(Binary.LEAKY_RELU, self(), slope));
  }

  /**
   * {@return {@code a} above 0, {@code alpha (e^a − 1)} below, where a is this; see {@link Binary#ELU}}
   *
   * @param alpha the other operand
   */
  default Tensor elu(Tensor alpha) {
    return Op.apply(Binary.ELU, self(), alpha);
  }

  /**
   * {@return {@code a} above 0, {@code alpha (e^a − 1)} below, where a is this; see {@link Binary#ELU}}
   *
   * @param alpha the other operand, for every element
   */
  default Tensor elu(double alpha) {
    return Op.apply(Binary.ELU, self(), Numbers.beside(Binary.ELU, self(), alpha));
  }

  /**
   * {@code ln σ(x) = −softplus(−x)}, without overflow for any x.
   *
   * @return a tensor of this shape
   */
  default Tensor logSigmoid() {
    return composed(ActivationBodies.LOG_SIGMOID);
  }

  /**
   * {@code x · tanh(softplus(x))} (Misra 2019).
   *
   * @return a tensor of this shape
   */
  default Tensor mish() {
    return composed(ActivationBodies.MISH);
  }

  /**
   * {@code ½x (1 + tanh(√(2/π) (x + 0.044715 x³)))}, the approximation of {@link #gelu} that
   * GPT-2 and BERT were trained with; computed as {@code x · σ(2·..)}, which loses nothing below 0.
   *
   * @return a tensor of this shape
   */
  default Tensor geluTanh() {
    return composed(ActivationBodies.GELU_TANH);
  }

  /**
   * {@code λ · elu(x, α)} with the constants that keep mean 0 and variance 1 (Klambauer et al. 2017).
   *
   * @return a tensor of this shape
   */
  default Tensor selu() {
    return floating("selu")
        .elu(1.6732632423543772848170429916717)
        .mul(1.0507009873554804934193349852946);
  }

  /**
   * {@code x} above 0, {@code α (e^(x/α) − 1)} below (Barron 2017).
   *
   * @param alpha α, above 0
   * @return a tensor of this shape
   */
  default Tensor celu(double alpha) {
    if (!(alpha > 0)) {
      throw new TensorException("celu: alpha must be above 0, got " + alpha);
    }
    Tensor x = floating("celu");
    // Cut, so that the branch that is not taken stays finite; a clamp passes the gradient at its
    // end.
    Tensor below = x.clamp(Double.NEGATIVE_INFINITY, 0).div(alpha).expm1().mul(alpha);
    return Tensor.where(x.gt(0), x, below);
  }

  /**
   * {@code min(max(x, low), high)}; the gradient is 0 at both ends, where {@link Elementwise#clamp} passes
   * it.
   *
   * @param low the least value
   * @param high the greatest value
   * @return a tensor of this shape
   */
  default Tensor hardTanh(double low, double high) {
    return cut("hardTanh", low, high);
  }

  private Tensor cut(String op, double low, double high) {
    if (!(low < high)) {
      throw new TensorException(
          op + ": the least value must be below the greatest, got " + low + " and " + high);
    }
    Tensor x = numeric(op);
    Tensor least = Numbers.least(op, x, low);
    Tensor cut = x.detach().clamp(least, Numbers.greatest(op, x, high));
    return Tensor.where(x.gt(low).and(x.lt(high)), x, cut);
  }

  /**
   * {@code min(max(x, −1), 1)}; the gradient is 0 at both ends.
   *
   * @return a tensor of this shape
   */
  default Tensor hardTanh() {
    return hardTanh(-1, 1);
  }

  /**
   * {@code min(max(x, 0), 6)}; the gradient is 0 at both ends.
   *
   * @return a tensor of this shape
   */
  default Tensor relu6() {
    return cut("relu6", 0, 6);
  }

  /**
   * {@code min(max(x + 3, 0), 6) / 6}; the gradient is 0 at both ends.
   *
   * @return a tensor of this shape
   */
  default Tensor hardSigmoid() {
    return composed(ActivationBodies.HARD_SIGMOID);
  }

  /**
   * {@code x · hardSigmoid(x)} (Howard et al. 2019): 0 up to −3, x from 3 on; at both ends the gradient is
   * that of the side without a curve.
   *
   * @return a tensor of this shape
   */
  default Tensor hardSwish() {
    return composed(ActivationBodies.HARD_SWISH);
  }

  /**
   * {@code x} above a threshold, else a value; the gradient at the threshold is 0.
   *
   * @param threshold from where on
   * @param value what all others become
   * @return a tensor of this shape
   */
  default Tensor threshold(double threshold, double value) {
    Tensor x = numeric("threshold");
    // Asked this way around, NaN stays.
    return Tensor.where(x.le(threshold), Numbers.beside("threshold", x, value), x);
  }

  /**
   * {@code x − λ} above λ, {@code x + λ} below −λ, 0 between; the gradient at ±λ is 0.
   *
   * @param lambda λ ≥ 0
   * @return a tensor of this shape
   */
  default Tensor softShrink(double lambda) {
    requireWidth("softShrink", lambda);
    Tensor x = numeric("softShrink");
    Tensor least = Numbers.least("softShrink", x, -lambda);
    return x.sub(x.clamp(least, Numbers.greatest("softShrink", x, lambda)));
  }

  /**
   * {@code x} beyond ±λ, 0 between; the gradient at ±λ is 0.
   *
   * @param lambda λ ≥ 0
   * @return a tensor of this shape
   */
  default Tensor hardShrink(double lambda) {
    requireWidth("hardShrink", lambda);
    Tensor x = numeric("hardShrink");
    return Tensor.where(x.abs().le(lambda), x.scalarLike(0), x);
  }

  /**
   * {@code x − tanh(x)}, to a rounding of x.
   *
   * @return a tensor of this shape
   */
  default Tensor tanhShrink() {
    return floating("tanhShrink").sub(self().tanh());
  }

  /**
   * The gated linear unit {@code a ⊙ σ(b)} of the halves a and b of an axis (Dauphin et al. 2017).
   *
   * @param axis the axis, of an even size
   * @return a tensor of half the size
   * @throws TensorException if the size is odd
   */
  default Tensor glu(int axis) {
    Tensor x = floating("glu");
    int n = x.dim(x.shape().axis("glu", axis));
    if (n % 2 != 0) {
      throw new TensorException(
          "glu: axis " + axis + " of " + x.shape() + " has " + n + " elements, which is odd");
    }
    List<Tensor> halves = x.split(List.of(n / 2, n / 2), axis);
    return halves.getFirst().mul(halves.getLast().sigmoid());
  }

  /**
   * {@code softmax(−x)} along an axis.
   *
   * @param axis the axis that sums to 1
   * @return a tensor of this shape
   */
  default Tensor softmin(int axis) {
    return floating("softmin").neg().softmax(self().shape().axis("softmin", axis));
  }

  private static void requireWidth(String op, double lambda) {
    if (!(lambda >= 0)) {
      throw new TensorException(op + ": lambda must be 0 or more, got " + lambda);
    }
  }

  /**
   * {@code e^x / Σ e^x} along an axis; see {@link Softmax}.
   *
   * @param axis the axis that sums to 1
   * @return a tensor of this shape
   */
  default Tensor softmax(int axis) {
    return Op.apply(new Softmax(self().shape().axis("softmax", axis), false), self());
  }

  /**
   * {@code ln softmax(x)} along an axis; see {@link Softmax}.
   *
   * @param axis the axis
   * @return a tensor of this shape
   */
  default Tensor logSoftmax(int axis) {
    return Op.apply(new Softmax(self().shape().axis("logSoftmax", axis), true), self());
  }
}
