package carousel.tensor;

import carousel.tensor.op.Binary;
import carousel.tensor.op.Op;
import carousel.tensor.op.Ternary;
import carousel.tensor.op.Unary;

/**
 * The elementary functions of a tensor's elements: a line for each row of {@link Unary}, {@link Binary} and {@link
 * Ternary}, which define them; {@link Activations} and {@link Comparing} have the others.
 *
 * <p>Operands broadcast: aligned at the last axis, sizes must be equal or 1. Both have one element
 * type; a Java number takes the type of the tensor, and is refused where that cannot hold it, as I32 a fraction.
 * Every method returns a new tensor, of the shape that the operands
 * broadcast to, and may throw {@link TensorException} if types or shapes do not fit.
 */
public sealed interface Elementwise permits Tensor {
  private Tensor self() {
    return (Tensor) this;
  }

  /** {@return {@code −x}; see {@link Unary#NEG}} */
  default Tensor neg() {
    return Op.apply(Unary.NEG, self());
  }

  /** {@return {@code |x|}; see {@link Unary#ABS}} */
  default Tensor abs() {
    return Op.apply(Unary.ABS, self());
  }

  /** {@return {@code −1, 0 or 1}; see {@link Unary#SIGN}} */
  default Tensor sign() {
    return Op.apply(Unary.SIGN, self());
  }

  /** {@return {@code x²}; see {@link Unary#SQUARE}} */
  default Tensor square() {
    return Op.apply(Unary.SQUARE, self());
  }

  /** {@return {@code √x}; see {@link Unary#SQRT}} */
  default Tensor sqrt() {
    return Op.apply(Unary.SQRT, self());
  }

  /** {@return {@code 1/√x}; see {@link Unary#RSQRT}} */
  default Tensor rsqrt() {
    return Op.apply(Unary.RSQRT, self());
  }

  /** {@return {@code 1/x}; see {@link Unary#RECIPROCAL}} */
  default Tensor reciprocal() {
    return Op.apply(Unary.RECIPROCAL, self());
  }

  /** {@return {@code e^x}; see {@link Unary#EXP}} */
  default Tensor exp() {
    return Op.apply(Unary.EXP, self());
  }

  /** {@return {@code e^x − 1}, accurate near 0; see {@link Unary#EXPM1}} */
  default Tensor expm1() {
    return Op.apply(Unary.EXPM1, self());
  }

  /** {@return {@code ln x}; see {@link Unary#LOG}} */
  default Tensor log() {
    return Op.apply(Unary.LOG, self());
  }

  /** {@return {@code ln(1 + x)}, accurate near 0; see {@link Unary#LOG1P}} */
  default Tensor log1p() {
    return Op.apply(Unary.LOG1P, self());
  }

  /** {@return {@code sin x}; see {@link Unary#SIN}} */
  default Tensor sin() {
    return Op.apply(Unary.SIN, self());
  }

  /** {@return {@code cos x}; see {@link Unary#COS}} */
  default Tensor cos() {
    return Op.apply(Unary.COS, self());
  }

  /** {@return {@code tan x}; see {@link Unary#TAN}} */
  default Tensor tan() {
    return Op.apply(Unary.TAN, self());
  }

  /** {@return {@code arcsin x}; see {@link Unary#ASIN}} */
  default Tensor asin() {
    return Op.apply(Unary.ASIN, self());
  }

  /** {@return {@code arccos x}; see {@link Unary#ACOS}} */
  default Tensor acos() {
    return Op.apply(Unary.ACOS, self());
  }

  /** {@return {@code arctan x}; see {@link Unary#ATAN}} */
  default Tensor atan() {
    return Op.apply(Unary.ATAN, self());
  }

  /** {@return {@code sinh x}; see {@link Unary#SINH}} */
  default Tensor sinh() {
    return Op.apply(Unary.SINH, self());
  }

  /** {@return {@code cosh x}; see {@link Unary#COSH}} */
  default Tensor cosh() {
    return Op.apply(Unary.COSH, self());
  }

  /** {@return {@code tanh x}; see {@link Unary#TANH}} */
  default Tensor tanh() {
    return Op.apply(Unary.TANH, self());
  }

  /** {@return the error function; see {@link Unary#ERF}} */
  default Tensor erf() {
    return Op.apply(Unary.ERF, self());
  }

  /** {@return 1 above 0, else 0; see {@link Unary#HEAVISIDE}} */
  default Tensor heaviside() {
    return Op.apply(Unary.HEAVISIDE, self());
  }

  /** {@return {@code ⌊x⌋}; see {@link Unary#FLOOR}} */
  default Tensor floor() {
    return Op.apply(Unary.FLOOR, self());
  }

  /** {@return {@code ⌈x⌉}; see {@link Unary#CEIL}} */
  default Tensor ceil() {
    return Op.apply(Unary.CEIL, self());
  }

  /** {@return the nearest whole number, halves to even; see {@link Unary#ROUND}} */
  default Tensor round() {
    return Op.apply(Unary.ROUND, self());
  }

  /**
   * {@return {@code a + b}, where a is this; see {@link Binary#ADD}}
   *
   * @param b the other operand
   */
  default Tensor add(Tensor b) {
    return Op.apply(Binary.ADD, self(), b);
  }

  /**
   * {@return {@code a + b}, where a is this; see {@link Binary#ADD}}
   *
   * @param b the other operand, for every element
   */
  default Tensor add(double b) {
    return Op.apply(Binary.ADD, self(), Numbers.beside(Binary.ADD, self(), b));
  }

  /**
   * {@return {@code a − b}, where a is this; see {@link Binary#SUB}}
   *
   * @param b the other operand
   */
  default Tensor sub(Tensor b) {
    return Op.apply(Binary.SUB, self(), b);
  }

  /**
   * {@return {@code a − b}, where a is this; see {@link Binary#SUB}}
   *
   * @param b the other operand, for every element
   */
  default Tensor sub(double b) {
    return Op.apply(Binary.SUB, self(), Numbers.beside(Binary.SUB, self(), b));
  }

  /**
   * {@return {@code a · b}, where a is this; see {@link Binary#MUL}}
   *
   * @param b the other operand
   */
  default Tensor mul(Tensor b) {
    return Op.apply(Binary.MUL, self(), b);
  }

  /**
   * {@return {@code a · b}, where a is this; see {@link Binary#MUL}}
   *
   * @param b the other operand, for every element
   */
  default Tensor mul(double b) {
    return Op.apply(Binary.MUL, self(), Numbers.beside(Binary.MUL, self(), b));
  }

  /**
   * {@return {@code a / b}, where a is this; see {@link Binary#DIV}}
   *
   * @param b the other operand
   */
  default Tensor div(Tensor b) {
    return Op.apply(Binary.DIV, self(), b);
  }

  /**
   * {@return {@code a / b}, where a is this; see {@link Binary#DIV}}
   *
   * @param b the other operand, for every element
   */
  default Tensor div(double b) {
    return Op.apply(Binary.DIV, self(), Numbers.beside(Binary.DIV, self(), b));
  }

  /**
   * {@return what a division towards 0 leaves, {@code a % b}, where a is this; see {@link
   * Binary#FMOD}}
   *
   * @param b the other operand
   */
  default Tensor fmod(Tensor b) {
    return Op.apply(Binary.FMOD, self(), b);
  }

  /**
   * {@return what a division towards 0 leaves, {@code a % b}, where a is this; see {@link
   * Binary#FMOD}}
   *
   * @param b the other operand, for every element
   */
  default Tensor fmod(double b) {
    return Op.apply(Binary.FMOD, self(), Numbers.beside(Binary.FMOD, self(), b));
  }

  /**
   * {@return the angle of the point (b, a), where a is this; see {@link Binary#ATAN2}}
   *
   * @param b the other operand
   */
  default Tensor atan2(Tensor b) {
    return Op.apply(Binary.ATAN2, self(), b);
  }

  /**
   * {@return the angle of the point (b, a), where a is this; see {@link Binary#ATAN2}}
   *
   * @param b the other operand, for every element
   */
  default Tensor atan2(double b) {
    return Op.apply(Binary.ATAN2, self(), Numbers.beside(Binary.ATAN2, self(), b));
  }

  /**
   * {@return {@code a^exponent}, where a is this; see {@link Binary#POW}}
   *
   * @param exponent the other operand
   */
  default Tensor pow(Tensor exponent) {
    return Op.apply(Binary.POW, self(), exponent);
  }

  /**
   * {@return {@code a^exponent}, where a is this; see {@link Binary#POW}}
   *
   * @param exponent the other operand, for every element
   */
  default Tensor pow(double exponent) {
    return Op.apply(Binary.POW, self(), Numbers.beside(Binary.POW, self(), exponent));
  }

  /**
   * {@return the greater of a and b; NaN if either is, where a is this; see {@link Binary#MAX}}
   *
   * @param b the other operand
   */
  default Tensor maximum(Tensor b) {
    return Op.apply(Binary.MAX, self(), b);
  }

  /**
   * {@return the greater of a and b; NaN if either is, where a is this; see {@link Binary#MAX}}
   *
   * @param b the other operand, for every element
   */
  default Tensor maximum(double b) {
    return Op.apply(Binary.MAX, self(), Numbers.least(Binary.MAX.method(), self(), b));
  }

  /**
   * {@return the smaller of a and b; NaN if either is, where a is this; see {@link Binary#MIN}}
   *
   * @param b the other operand
   */
  default Tensor minimum(Tensor b) {
    return Op.apply(Binary.MIN, self(), b);
  }

  /**
   * {@return the smaller of a and b; NaN if either is, where a is this; see {@link Binary#MIN}}
   *
   * @param b the other operand, for every element
   */
  default Tensor minimum(double b) {
    return Op.apply(Binary.MIN, self(), Numbers.greatest(Binary.MIN.method(), self(), b));
  }

  /**
   * Limits to an interval: {@code min(max(x, low), high)}; see {@link Ternary#CLAMP}.
   *
   * @param low the least value
   * @param high the greatest value
   * @return a tensor of this shape
   */
  default Tensor clamp(double low, double high) {
    Tensor least = Numbers.least(Ternary.CLAMP.label(), self(), low);
    return Op.apply(
        Ternary.CLAMP, self(), least, Numbers.greatest(Ternary.CLAMP.label(), self(), high));
  }

  /**
   * Limits to an interval: {@code min(max(x, low), high)}; see {@link Ternary#CLAMP}.
   *
   * @param low the least values
   * @param high the greatest values
   * @return a tensor of the common shape
   */
  default Tensor clamp(Tensor low, Tensor high) {
    return Op.apply(Ternary.CLAMP, self(), low, high);
  }

  /**
   * {@code this · b + c}, rounded once; see {@link Ternary#FMA}.
   *
   * @param b the factor
   * @param c the summand
   * @return a tensor of the common shape
   */
  default Tensor fma(Tensor b, Tensor c) {
    return Op.apply(Ternary.FMA, self(), b, c);
  }

  /**
   * {@code this · b + c}, rounded once; see {@link Ternary#FMA}.
   *
   * @param b the factor, for every element
   * @param c the summand
   * @return a tensor of the common shape
   */
  default Tensor fma(double b, Tensor c) {
    return Op.apply(Ternary.FMA, self(), Numbers.beside(Ternary.FMA, self(), b), c);
  }
}
