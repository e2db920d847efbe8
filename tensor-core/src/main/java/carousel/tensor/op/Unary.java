package carousel.tensor.op;

import static carousel.tensor.op.Domain.ANY;
import static carousel.tensor.op.Domain.FLOATING;
import static carousel.tensor.op.Domain.LOGICAL;
import static carousel.tensor.op.Domain.NUMERIC;
import static carousel.tensor.op.Vjp.fromInput;
import static carousel.tensor.op.Vjp.fromOutput;
import static carousel.tensor.op.Vjp.linear;
import static carousel.tensor.op.Vjp.none;

import carousel.tensor.DType;
import carousel.tensor.Engine;
import carousel.tensor.Tensor;
import java.util.function.DoubleUnaryOperator;

/**
 * Elementwise functions of one tensor: {@code y_i = f(x_i)}.
 *
 * <p>Each row states its domain, its scalar definition, which <em>is</em> the reference, and its
 * vjp. Special values are those of IEEE 754 and of PyTorch: NaN in, NaN out, unless noted.
 */
public enum Unary implements ElementwiseOp {
  /** {@code −x}. */
  NEG(NUMERIC, x -> -x, linear(g -> g.neg())),
  /** {@code |x|}; the gradient at 0 is 0. */
  ABS(NUMERIC, Math::abs, fromInput((g, x) -> g.mul(x.sign()))),
  /** {@code −1, 0 or 1}; constant almost everywhere. */
  SIGN(NUMERIC, Math::signum, none()),
  /** {@code x²}. */
  SQUARE(NUMERIC, x -> x * x, fromInput((g, x) -> g.mul(x.mul(2)))),
  /** {@code √x}; NaN below 0. */
  SQRT(FLOATING, Math::sqrt, fromOutput((g, y) -> g.div(y.mul(2)))),
  /** {@code 1/√x}. */
  RSQRT(FLOATING, x -> 1 / Math.sqrt(x), fromOutput((g, y) -> g.mul(y.mul(y.square()).mul(-0.5)))),
  /** {@code 1/x}. */
  RECIPROCAL(FLOATING, x -> 1 / x, fromOutput((g, y) -> g.mul(y.square()).neg())),
  /** {@code e^x}. */
  EXP(FLOATING, Math::exp, fromOutput((g, y) -> g.mul(y))),
  /** {@code e^x − 1}, accurate near 0; its slope is not y + 1, which far below 0 is rounded to 0. */
  EXPM1(FLOATING, Math::expm1, fromInput((g, x) -> g.mul(x.exp()))),
  /** {@code ln x}; −∞ at 0, NaN below. */
  LOG(FLOATING, Math::log, fromInput((g, x) -> g.div(x))),
  /** {@code ln(1 + x)}, accurate near 0. */
  LOG1P(FLOATING, Math::log1p, fromInput((g, x) -> g.div(x.add(1)))),
  /** {@code sin x}. */
  SIN(FLOATING, Math::sin, fromInput((g, x) -> g.mul(x.cos()))),
  /** {@code cos x}. */
  COS(FLOATING, Math::cos, fromInput((g, x) -> g.mul(x.sin()).neg())),
  /** {@code tan x}. */
  TAN(FLOATING, Math::tan, fromOutput((g, y) -> g.mul(y.square().add(1)))),
  /** {@code arcsin x}, in [−π/2, π/2]; NaN beyond ±1. */
  ASIN(FLOATING, Math::asin, fromInput((g, x) -> g.mul(Scalars.besideSquare(x)))),
  /** {@code arccos x}, in [0, π]; NaN beyond ±1. */
  ACOS(FLOATING, Math::acos, fromInput((g, x) -> g.mul(Scalars.besideSquare(x)).neg())),
  /** {@code arctan x}, in [−π/2, π/2]. */
  ATAN(FLOATING, Math::atan, fromInput((g, x) -> g.div(x.square().add(1)))),
  /** {@code sinh x}. */
  SINH(FLOATING, Math::sinh, fromInput((g, x) -> g.mul(x.cosh()))),
  /** {@code cosh x}. */
  COSH(FLOATING, Math::cosh, fromInput((g, x) -> g.mul(x.sinh()))),
  /** {@code tanh x}; {@code tanh' = 1 − y²}. */
  TANH(FLOATING, Math::tanh, fromOutput((g, y) -> g.mul(y.square().neg().add(1)))),
  /** The logistic function {@code σ(x) = 1/(1 + e^−x)}; {@code σ' = y(1 − y) ≤ ¼}. */
  SIGMOID(FLOATING, Scalars::sigmoid, fromOutput((g, y) -> g.mul(y.mul(y.neg().add(1))))),
  /** {@code max(x, 0)}; the gradient at 0 is 0. */
  RELU(
      NUMERIC,
      x -> x > 0 || Double.isNaN(x) ? x : 0,
      fromOutput((g, y) -> Tensor.where(y.gt(0), g, y.zerosLike()))),
  /** {@code x / (1 + |x|)}; ±1 at ±∞. */
  SOFTSIGN(
      FLOATING,
      Scalars::softsign,
      fromInput((g, x) -> g.mul(x.abs().add(1).reciprocal().square()))),
  /** {@code ln(1 + e^x)}, overflow-safe. */
  SOFTPLUS(FLOATING, Scalars::softplus, fromInput((g, x) -> g.mul(x.sigmoid()))),
  /** {@code x σ(x)}, also called swish. */
  SILU(FLOATING, Scalars::silu, fromInput(Scalars::siluVjp)),
  /** {@code x Φ(x)} with Φ the normal distribution function (the exact, erf form). */
  GELU(FLOATING, Scalars::gelu, fromInput(Scalars::geluVjp)),
  /** The error function {@code 2/√π ∫₀ˣ e^−t² dt}. */
  ERF(
      FLOATING,
      Scalars::erf,
      fromInput((g, x) -> g.mul(x.square().neg().exp().mul(2 / Math.sqrt(Math.PI))))),
  /** The Heaviside step: 1 above 0, else 0 (NaN stays NaN); constant almost everywhere. */
  HEAVISIDE(NUMERIC, x -> x > 0 ? 1 : Double.isNaN(x) ? x : 0, none()),
  /** {@code ⌊x⌋}; constant almost everywhere. */
  FLOOR(FLOATING, Math::floor, none()),
  /** {@code ⌈x⌉}; constant almost everywhere. */
  CEIL(FLOATING, Math::ceil, none()),
  /** The nearest whole number, halves to even; constant almost everywhere. */
  ROUND(FLOATING, Math::rint, none()),
  /** Logical not. */
  NOT(LOGICAL, x -> x == 0 ? 1 : 0, none()),
  /** Whether x is NaN; gives BOOL. */
  IS_NAN(ANY, x -> Double.isNaN(x) ? 1 : 0, none()),
  /** Whether x is neither NaN nor infinite; gives BOOL. */
  IS_FINITE(ANY, x -> Double.isFinite(x) ? 1 : 0, none());

  private final Facts facts;
  private final DoubleUnaryOperator scalar;

  Unary(Domain domain, DoubleUnaryOperator scalar, Vjp vjp) {
    this.facts = Facts.of(this, domain, vjp);
    this.scalar = scalar;
  }

  /**
   * The definition. Of I32 elements {@link #scalar(int)} is.
   *
   * @param x one element
   * @return f(x)
   */
  public double scalar(double x) {
    return scalar.applyAsDouble(x);
  }

  /**
   * The definition on whole numbers: as Java's int arithmetic, wrapping.
   *
   * @param x one element
   * @return f(x)
   */
  public int scalar(int x) {
    return switch (this) {
      case NEG -> -x;
      case ABS -> Math.abs(x);
      case SQUARE -> x * x;
      default -> (int) scalar.applyAsDouble(x);
    };
  }

  /**
   * The type of the result.
   *
   * @param input the type of the input
   * @return BOOL for the tests, else the input's type
   */
  public DType result(DType input) {
    return this == IS_NAN || this == IS_FINITE ? DType.BOOL : input;
  }

  @Override
  public Facts facts() {
    return facts;
  }

  @Override
  public Tensor[] evaluate(Tensor... inputs) {
    Tensor x = inputs[0];
    domain().require(label(), x);
    Tensor y = Engine.empty(label(), x.device(), result(x.dtype()), x.shape());
    x.device().backend().unary(this, x, y);
    return new Tensor[] {y};
  }
}
