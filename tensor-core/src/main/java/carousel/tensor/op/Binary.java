package carousel.tensor.op;

import static carousel.tensor.op.Domain.ANY;
import static carousel.tensor.op.Domain.FLOATING;
import static carousel.tensor.op.Domain.LOGICAL;
import static carousel.tensor.op.Domain.NUMERIC;
import static carousel.tensor.op.Vjp.Rule.from;
import static carousel.tensor.op.Vjp.Rule.linear;
import static carousel.tensor.op.Vjp.Rule.reading;
import static carousel.tensor.op.Vjp.none;
import static carousel.tensor.op.Vjp.of;

import carousel.tensor.DType;
import carousel.tensor.Engine;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import java.util.List;
import java.util.function.DoubleBinaryOperator;

/**
 * Elementwise functions of two tensors, broadcast to one shape: {@code y_i = f(a_i, b_i)}.
 *
 * <p>A scalar parameter, such as the slope of {@link #LEAKY_RELU}, is a second operand of rank 0; so
 * it can be learned, too.
 */
public enum Binary implements ElementwiseOp {
  /** {@code a + b}. */
  ADD(NUMERIC, Double::sum, of(linear(g -> g), linear(g -> g))),
  /** {@code a − b}. */
  SUB(NUMERIC, (a, b) -> a - b, of(linear(g -> g), linear(g -> g.neg()))),
  /** {@code a · b}. */
  MUL(NUMERIC, (a, b) -> a * b, of(reading(1, (g, b) -> g.mul(b)), reading(0, (g, a) -> g.mul(a)))),
  /** {@code a / b}. */
  DIV(
      FLOATING,
      (a, b) -> a / b,
      of(
          reading(1, (g, b) -> g.div(b)),
          // Not a/b²: the square overflows where the quotients do not.
          reading(0, 1, (g, a, b) -> g.mul(a.div(b).div(b)).neg()))),
  /** What a division towards 0 leaves, exactly, with the sign of a: Java's {@code a % b}. By 0 NaN, of I32 0. */
  FMOD(
      NUMERIC,
      (a, b) -> a % b,
      of(linear(g -> g), reading(0, 1, (g, a, b) -> g.mul(Scalars.quotient(a, b)).neg()))),
  /** The angle of the point (b, a), in [−π, π]: {@code arctan(a/b)} where b is above 0. */
  ATAN2(
      FLOATING,
      Math::atan2,
      of(
          reading(0, 1, (g, a, b) -> Scalars.angle(g, b, a, b)),
          reading(0, 1, (g, a, b) -> Scalars.angle(g, a, a, b).neg()))),
  /** {@code a^b}; 1 for {@code 1^b}, {@code a^0} and {@code (−1)^±∞}, NaN or not, as IEEE 754 has it. */
  POW(
      FLOATING,
      Scalars::pow,
      of(
          reading(0, 1, Scalars::powBase),
          from(List.of(0, 1), true, c -> Scalars.powExponent(c.g(), c.in(0), c.in(1), c.out(0))))),
  /** The greater; NaN if either is. Half the gradient to each at a tie. */
  MAX(
      NUMERIC,
      Math::max,
      of(
          reading(0, 1, (g, a, b) -> Scalars.toWinner(g, a.gt(b), a.eq(b))),
          reading(0, 1, (g, a, b) -> Scalars.toWinner(g, b.gt(a), a.eq(b))))),
  /** The smaller; NaN if either is. Half the gradient to each at a tie. */
  MIN(
      NUMERIC,
      Math::min,
      of(
          reading(0, 1, (g, a, b) -> Scalars.toWinner(g, a.lt(b), a.eq(b))),
          reading(0, 1, (g, a, b) -> Scalars.toWinner(g, b.lt(a), a.eq(b))))),
  /** {@code x} above 0, {@code slope · x} below. */
  LEAKY_RELU(
      FLOATING,
      (x, slope) -> x > 0 ? x : slope * x,
      of(
          reading(0, 1, (g, x, slope) -> Tensor.where(x.gt(0), g, g.mul(slope))),
          reading(0, (g, x) -> Tensor.where(x.gt(0), g.zerosLike(), g.mul(x))))),
  /** {@code x} above 0, {@code α (e^x − 1)} below (Clevert 2016). */
  ELU(
      FLOATING,
      (x, alpha) -> x > 0 ? x : alpha * Math.expm1(x),
      of(
          reading(
              0,
              1,
              (g, x, alpha) -> Tensor.where(x.gt(0), g, g.mul(alpha).mul(Scalars.below(x).exp()))),
          reading(
              0, (g, x) -> Tensor.where(x.gt(0), g.zerosLike(), g.mul(Scalars.below(x).expm1()))))),
  /** {@code a = b}; gives BOOL. */
  EQ(ANY, (a, b) -> a == b ? 1 : 0, none()),
  /** {@code a ≠ b}; gives BOOL. */
  NE(ANY, (a, b) -> a != b ? 1 : 0, none()),
  /** {@code a < b}; gives BOOL. */
  LT(NUMERIC, (a, b) -> a < b ? 1 : 0, none()),
  /** {@code a ≤ b}; gives BOOL. */
  LE(NUMERIC, (a, b) -> a <= b ? 1 : 0, none()),
  /** {@code a > b}; gives BOOL. */
  GT(NUMERIC, (a, b) -> a > b ? 1 : 0, none()),
  /** {@code a ≥ b}; gives BOOL. */
  GE(NUMERIC, (a, b) -> a >= b ? 1 : 0, none()),
  /** Logical and. */
  AND(LOGICAL, (a, b) -> a != 0 && b != 0 ? 1 : 0, none()),
  /** Logical or. */
  OR(LOGICAL, (a, b) -> a != 0 || b != 0 ? 1 : 0, none()),
  /** Logical exclusive or. */
  XOR(LOGICAL, (a, b) -> (a != 0) != (b != 0) ? 1 : 0, none());

  private final Facts facts;
  private final DoubleBinaryOperator scalar;

  Binary(Domain domain, DoubleBinaryOperator scalar, Vjp vjp) {
    this.facts = Facts.of(this, domain, vjp);
    this.scalar = scalar;
  }

  /**
   * The definition. I32 operands are exact in double except products, which wrap: {@link
   * #scalar(int, int)} defines those.
   *
   * @param a one element
   * @param b the other
   * @return f(a, b)
   */
  public double scalar(double a, double b) {
    return scalar.applyAsDouble(a, b);
  }

  /**
   * The definition on whole numbers: as Java's int arithmetic, wrapping.
   *
   * @param a one element
   * @param b the other
   * @return f(a, b)
   */
  public int scalar(int a, int b) {
    return switch (this) {
      case ADD -> a + b;
      case SUB -> a - b;
      case MUL -> a * b;
      default -> (int) scalar.applyAsDouble(a, b);
    };
  }

  /**
   * Tells whether this row compares.
   *
   * @return whether the result is BOOL whatever the operands are
   */
  public boolean isComparison() {
    return ordinal() >= EQ.ordinal() && ordinal() <= GE.ordinal();
  }

  /**
   * The type of the result.
   *
   * @param operand the type of the operands
   * @return BOOL for comparisons, else the operands' type
   */
  public DType result(DType operand) {
    return isComparison() ? DType.BOOL : operand;
  }

  @Override
  public Facts facts() {
    return facts;
  }

  /**
   * Returns the method of a tensor that applies this row, which errors name.
   *
   * @return {@code maximum} and {@code minimum}, since {@code max} and {@code min} are reductions; else the label
   */
  public String method() {
    return switch (this) {
      case MAX -> "maximum";
      case MIN -> "minimum";
      default -> label();
    };
  }

  @Override
  public Tensor[] evaluate(Tensor... inputs) {
    Tensor a = inputs[0];
    Tensor b = inputs[1];
    domain().require(method(), a, b);
    var shape = Shape.broadcast(method(), a.shape(), b.shape());
    Tensor y = Engine.empty(label(), a.device(), result(a.dtype()), shape);
    a.device().backend().binary(this, Engine.expanded(a, shape), Engine.expanded(b, shape), y);
    return new Tensor[] {y};
  }
}
