package carousel.tensor.op;

import static carousel.tensor.op.Vjp.Rule.linear;
import static carousel.tensor.op.Vjp.Rule.none;
import static carousel.tensor.op.Vjp.Rule.reading;
import static carousel.tensor.op.Vjp.of;

import carousel.tensor.DType;
import carousel.tensor.Engine;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import carousel.tensor.TensorException;
import java.util.List;

/** Elementwise functions of three tensors, broadcast to one shape: {@code y_i = f(a_i, b_i, c_i)}. */
public enum Ternary implements ElementwiseOp {
  /** {@code b} where the BOOL mask {@code a} holds, else {@code c}. */
  WHERE(
      Domain.ANY,
      (a, b, c) -> a != 0 ? b : c,
      of(
          none(),
          reading(0, (g, mask) -> Tensor.where(mask, g, g.zerosLike())),
          reading(0, (g, mask) -> Tensor.where(mask, g.zerosLike(), g)))),
  /**
   * {@code min(max(x, low), high)}; the gradient flows to x on the closed interval, and where that is a point
   * or none to high, which is what comes out whatever x is.
   */
  CLAMP(
      Domain.NUMERIC,
      (x, low, high) -> Math.min(Math.max(x, low), high),
      of(
          new Vjp.Rule(
              List.of(0, 1, 2),
              false,
              c ->
                  Tensor.where(
                      c.in(0).ge(c.in(1)).and(c.in(0).le(c.in(2))).and(c.in(1).lt(c.in(2))),
                      c.g(),
                      c.g().zerosLike())),
          new Vjp.Rule(
              List.of(0, 1, 2),
              false,
              c ->
                  Tensor.where(
                      c.in(0).lt(c.in(1)).and(c.in(1).lt(c.in(2))), c.g(), c.g().zerosLike())),
          new Vjp.Rule(
              List.of(0, 1, 2),
              false,
              c ->
                  Tensor.where(
                      c.in(0).gt(c.in(2)).or(c.in(1).ge(c.in(2))), c.g(), c.g().zerosLike())))),
  /** {@code a · b + c}, rounded once. */
  FMA(
      Domain.FLOATING,
      Math::fma,
      of(reading(1, (g, b) -> g.mul(b)), reading(0, (g, a) -> g.mul(a)), linear(g -> g)));

  /** A function of three numbers. */
  @FunctionalInterface
  interface Scalar {
    double apply(double a, double b, double c);
  }

  private final Facts facts;
  private final Scalar scalar;

  Ternary(Domain domain, Scalar scalar, Vjp vjp) {
    this.facts = Facts.of(this, domain, vjp);
    this.scalar = scalar;
  }

  /**
   * The definition.
   *
   * @param a first element
   * @param b second
   * @param c third
   * @return f(a, b, c)
   */
  public double scalar(double a, double b, double c) {
    return scalar.apply(a, b, c);
  }

  /**
   * The definition on F32, rounded once: rounding {@link #FMA} to double first would round it twice.
   *
   * @param a first element
   * @param b second
   * @param c third
   * @return f(a, b, c)
   */
  public float scalar(float a, float b, float c) {
    return this == FMA ? Math.fma(a, b, c) : (float) scalar.apply(a, b, c);
  }

  @Override
  public Facts facts() {
    return facts;
  }

  @Override
  public Tensor[] evaluate(Tensor... inputs) {
    Tensor a = inputs[0];
    Tensor b = inputs[1];
    Tensor c = inputs[2];
    if (this != WHERE) {
      Checks.sameType(label(), a, b);
    } else if (a.dtype() != DType.BOOL) {
      throw new TensorException(
          "where: the mask must be BOOL, got " + Checks.describe(a) + "; compare it, e.g. ne(0)");
    }
    domain().require(label(), b);
    Checks.sameType(label(), b, c);
    Checks.sameDevice(label(), a, b);
    Checks.sameDevice(label(), a, c);
    var shape = Shape.broadcast(label(), Shape.broadcast(label(), a.shape(), b.shape()), c.shape());
    Tensor y = Engine.empty(label(), a.device(), b.dtype(), shape);
    a.device()
        .backend()
        .ternary(
            this,
            Engine.expanded(a, shape),
            Engine.expanded(b, shape),
            Engine.expanded(c, shape),
            y);
    return new Tensor[] {y};
  }
}
