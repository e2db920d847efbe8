package carousel.tensor;

import carousel.tensor.op.Composite;
import java.util.function.UnaryOperator;

/**
 * Activations of three rows and more, as composites: a backend that makes kernels of pointwise bodies runs each
 * in one pass, with its gradient in another, and a tape holds their input alone.
 */
final class ActivationBodies {
  static final Composite LOG_SIGMOID = of("logSigmoid", x -> x.neg().softplus().neg());

  static final Composite MISH = of("mish", x -> turning(x, z -> z.mul(z.softplus().tanh())));

  static final Composite GELU_TANH =
      of(
          "geluTanh",
          x ->
              turning(
                  x,
                  z -> {
                    Tensor inner =
                        z.square().mul(0.044715).add(1).mul(z).mul(2 * Math.sqrt(2 / Math.PI));
                    return z.mul(inner.sigmoid());
                  }));

  static final Composite HARD_SIGMOID = of("hardSigmoid", x -> x.add(3).relu6().div(6));

  static final Composite HARD_SWISH =
      of(
          "hardSwish",
          x -> {
            // The curve is computed of what lies within: infinities give 0 and themselves.
            Tensor inner = x.hardTanh(-3, 3);
            Tensor curve = inner.mul(inner.add(3)).div(6);
            return Tensor.where(x.ge(3), x, Tensor.where(x.le(-3), x.scalarLike(0), curve));
          });

  /** Beyond it, curves that turn from 0 to x have turned, in any type. */
  private static final double FAR = 1000;

  private ActivationBodies() {}

  /** A curve from 0 to x, computed of what lies within: ∞ · 0 is no number, and neither are slopes there. */
  private static Tensor turning(Tensor x, UnaryOperator<Tensor> curve) {
    return Tensor.where(x.gt(FAR), x, curve.apply(x.clamp(-FAR, FAR)));
  }

  private static Composite of(String label, UnaryOperator<Tensor> body) {
    return Composite.fixed(label, in -> new Tensor[] {body.apply(in[0])});
  }
}
