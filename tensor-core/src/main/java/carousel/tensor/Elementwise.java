package carousel.tensor;

import carousel.tensor.op.Binary;
import carousel.tensor.op.Op;
import carousel.tensor.op.Ternary;
import carousel.tensor.op.Unary;

/**
 * The elementwise ops of a tensor: one line per row of {@link Unary}, {@link Binary} and {@link
 * Ternary}, which define them.
 *
 * <p>Operands broadcast: aligned at the last axis, sizes must be equal or 1. Both have one element
 * type; a Java number takes the type of the tensor, and is refused where that cannot hold it, as I32 a fraction;
 * but a comparison of I32 with any number gives what is true. Every method returns a new tensor and may throw
 * {@link TensorException} if types or shapes do not fit.
 */
public sealed interface Elementwise permits Tensor {
  private Tensor self() {
    return (Tensor) this;
  }

  /**
   * Returns {@code −x}; see {@link Unary#NEG}.
   *
   * @return a tensor of this shape
   */
  default Tensor neg() {
    return Op.apply(Unary.NEG, self());
  }

  /**
   * Returns {@code |x|}; see {@link Unary#ABS}.
   *
   * @return a tensor of this shape
   */
  default Tensor abs() {
    return Op.apply(Unary.ABS, self());
  }

  /**
   * Returns {@code −1, 0 or 1}; see {@link Unary#SIGN}.
   *
   * @return a tensor of this shape
   */
  default Tensor sign() {
    return Op.apply(Unary.SIGN, self());
  }

  /**
   * Returns {@code x²}; see {@link Unary#SQUARE}.
   *
   * @return a tensor of this shape
   */
  default Tensor square() {
    return Op.apply(Unary.SQUARE, self());
  }

  /**
   * Returns {@code √x}; see {@link Unary#SQRT}.
   *
   * @return a tensor of this shape
   */
  default Tensor sqrt() {
    return Op.apply(Unary.SQRT, self());
  }

  /**
   * Returns {@code 1/√x}; see {@link Unary#RSQRT}.
   *
   * @return a tensor of this shape
   */
  default Tensor rsqrt() {
    return Op.apply(Unary.RSQRT, self());
  }

  /**
   * Returns {@code 1/x}; see {@link Unary#RECIPROCAL}.
   *
   * @return a tensor of this shape
   */
  default Tensor reciprocal() {
    return Op.apply(Unary.RECIPROCAL, self());
  }

  /**
   * Returns {@code e^x}; see {@link Unary#EXP}.
   *
   * @return a tensor of this shape
   */
  default Tensor exp() {
    return Op.apply(Unary.EXP, self());
  }

  /**
   * Returns {@code e^x − 1}, accurate near 0; see {@link Unary#EXPM1}.
   *
   * @return a tensor of this shape
   */
  default Tensor expm1() {
    return Op.apply(Unary.EXPM1, self());
  }

  /**
   * Returns {@code ln x}; see {@link Unary#LOG}.
   *
   * @return a tensor of this shape
   */
  default Tensor log() {
    return Op.apply(Unary.LOG, self());
  }

  /**
   * Returns {@code ln(1 + x)}, accurate near 0; see {@link Unary#LOG1P}.
   *
   * @return a tensor of this shape
   */
  default Tensor log1p() {
    return Op.apply(Unary.LOG1P, self());
  }

  /**
   * Returns {@code sin x}; see {@link Unary#SIN}.
   *
   * @return a tensor of this shape
   */
  default Tensor sin() {
    return Op.apply(Unary.SIN, self());
  }

  /**
   * Returns {@code cos x}; see {@link Unary#COS}.
   *
   * @return a tensor of this shape
   */
  default Tensor cos() {
    return Op.apply(Unary.COS, self());
  }

  /**
   * Returns {@code tan x}; see {@link Unary#TAN}.
   *
   * @return a tensor of this shape
   */
  default Tensor tan() {
    return Op.apply(Unary.TAN, self());
  }

  /**
   * Returns {@code arcsin x}; see {@link Unary#ASIN}.
   *
   * @return a tensor of this shape
   */
  default Tensor asin() {
    return Op.apply(Unary.ASIN, self());
  }

  /**
   * Returns {@code arccos x}; see {@link Unary#ACOS}.
   *
   * @return a tensor of this shape
   */
  default Tensor acos() {
    return Op.apply(Unary.ACOS, self());
  }

  /**
   * Returns {@code arctan x}; see {@link Unary#ATAN}.
   *
   * @return a tensor of this shape
   */
  default Tensor atan() {
    return Op.apply(Unary.ATAN, self());
  }

  /**
   * Returns {@code sinh x}; see {@link Unary#SINH}.
   *
   * @return a tensor of this shape
   */
  default Tensor sinh() {
    return Op.apply(Unary.SINH, self());
  }

  /**
   * Returns {@code cosh x}; see {@link Unary#COSH}.
   *
   * @return a tensor of this shape
   */
  default Tensor cosh() {
    return Op.apply(Unary.COSH, self());
  }

  /**
   * Returns {@code tanh x}; see {@link Unary#TANH}.
   *
   * @return a tensor of this shape
   */
  default Tensor tanh() {
    return Op.apply(Unary.TANH, self());
  }

  /**
   * Returns the logistic function {@code σ(x) = 1/(1 + e^−x)}; see {@link Unary#SIGMOID}.
   *
   * @return a tensor of this shape
   */
  default Tensor sigmoid() {
    return Op.apply(Unary.SIGMOID, self());
  }

  /**
   * Returns {@code max(x, 0)}; see {@link Unary#RELU}.
   *
   * @return a tensor of this shape
   */
  default Tensor relu() {
    return Op.apply(Unary.RELU, self());
  }

  /**
   * Returns {@code x / (1 + |x|)}; see {@link Unary#SOFTSIGN}.
   *
   * @return a tensor of this shape
   */
  default Tensor softsign() {
    return Op.apply(Unary.SOFTSIGN, self());
  }

  /**
   * Returns {@code ln(1 + e^x)}; see {@link Unary#SOFTPLUS}.
   *
   * @return a tensor of this shape
   */
  default Tensor softplus() {
    return Op.apply(Unary.SOFTPLUS, self());
  }

  /**
   * Returns {@code x σ(x)}; see {@link Unary#SILU}.
   *
   * @return a tensor of this shape
   */
  default Tensor silu() {
    return Op.apply(Unary.SILU, self());
  }

  /**
   * Returns {@code x Φ(x)}; see {@link Unary#GELU}.
   *
   * @return a tensor of this shape
   */
  default Tensor gelu() {
    return Op.apply(Unary.GELU, self());
  }

  /**
   * Returns the error function; see {@link Unary#ERF}.
   *
   * @return a tensor of this shape
   */
  default Tensor erf() {
    return Op.apply(Unary.ERF, self());
  }

  /**
   * Returns 1 above 0, else 0; see {@link Unary#STEP}.
   *
   * @return a tensor of this shape
   */
  default Tensor step() {
    return Op.apply(Unary.STEP, self());
  }

  /**
   * Returns {@code ⌊x⌋}; see {@link Unary#FLOOR}.
   *
   * @return a tensor of this shape
   */
  default Tensor floor() {
    return Op.apply(Unary.FLOOR, self());
  }

  /**
   * Returns {@code ⌈x⌉}; see {@link Unary#CEIL}.
   *
   * @return a tensor of this shape
   */
  default Tensor ceil() {
    return Op.apply(Unary.CEIL, self());
  }

  /**
   * Returns the nearest whole number, halves to even; see {@link Unary#ROUND}.
   *
   * @return a tensor of this shape
   */
  default Tensor round() {
    return Op.apply(Unary.ROUND, self());
  }

  /**
   * Returns logical not, of BOOL; see {@link Unary#NOT}.
   *
   * @return a tensor of this shape
   */
  default Tensor not() {
    return Op.apply(Unary.NOT, self());
  }

  /**
   * Returns BOOL: whether x is NaN; see {@link Unary#IS_NAN}.
   *
   * @return a tensor of this shape
   */
  default Tensor isNan() {
    return Op.apply(Unary.IS_NAN, self());
  }

  /**
   * Returns BOOL: whether x is neither NaN nor infinite; see {@link Unary#IS_FINITE}.
   *
   * @return a tensor of this shape
   */
  default Tensor isFinite() {
    return Op.apply(Unary.IS_FINITE, self());
  }

  /**
   * Returns {@code a + b}, where a is this; see {@link Binary#ADD}.
   *
   * @param b the other operand
   * @return a tensor of the common shape
   */
  default Tensor add(Tensor b) {
    return Op.apply(Binary.ADD, self(), b);
  }

  /**
   * Returns {@code a + b}, where a is this; see {@link Binary#ADD}.
   *
   * @param b the other operand, for every element
   * @return a tensor of this shape
   */
  default Tensor add(double b) {
    return Op.apply(Binary.ADD, self(), Numbers.beside(Binary.ADD, self(), b));
  }

  /**
   * Returns {@code a − b}, where a is this; see {@link Binary#SUB}.
   *
   * @param b the other operand
   * @return a tensor of the common shape
   */
  default Tensor sub(Tensor b) {
    return Op.apply(Binary.SUB, self(), b);
  }

  /**
   * Returns {@code a − b}, where a is this; see {@link Binary#SUB}.
   *
   * @param b the other operand, for every element
   * @return a tensor of this shape
   */
  default Tensor sub(double b) {
    return Op.apply(Binary.SUB, self(), Numbers.beside(Binary.SUB, self(), b));
  }

  /**
   * Returns {@code a · b}, where a is this; see {@link Binary#MUL}.
   *
   * @param b the other operand
   * @return a tensor of the common shape
   */
  default Tensor mul(Tensor b) {
    return Op.apply(Binary.MUL, self(), b);
  }

  /**
   * Returns {@code a · b}, where a is this; see {@link Binary#MUL}.
   *
   * @param b the other operand, for every element
   * @return a tensor of this shape
   */
  default Tensor mul(double b) {
    return Op.apply(Binary.MUL, self(), Numbers.beside(Binary.MUL, self(), b));
  }

  /**
   * Returns {@code a / b}, where a is this; see {@link Binary#DIV}.
   *
   * @param b the other operand
   * @return a tensor of the common shape
   */
  default Tensor div(Tensor b) {
    return Op.apply(Binary.DIV, self(), b);
  }

  /**
   * Returns {@code a / b}, where a is this; see {@link Binary#DIV}.
   *
   * @param b the other operand, for every element
   * @return a tensor of this shape
   */
  default Tensor div(double b) {
    return Op.apply(Binary.DIV, self(), Numbers.beside(Binary.DIV, self(), b));
  }

  /**
   * Returns what a division towards 0 leaves, {@code a % b}, where a is this; see {@link Binary#FMOD}.
   *
   * @param b the other operand
   * @return a tensor of the common shape
   */
  default Tensor fmod(Tensor b) {
    return Op.apply(Binary.FMOD, self(), b);
  }

  /**
   * Returns what a division towards 0 leaves, {@code a % b}, where a is this; see {@link Binary#FMOD}.
   *
   * @param b the other operand, for every element
   * @return a tensor of this shape
   */
  default Tensor fmod(double b) {
    return Op.apply(Binary.FMOD, self(), Numbers.beside(Binary.FMOD, self(), b));
  }

  /**
   * Returns the angle of the point (b, a), where a is this; see {@link Binary#ATAN2}.
   *
   * @param b the other operand
   * @return a tensor of the common shape
   */
  default Tensor atan2(Tensor b) {
    return Op.apply(Binary.ATAN2, self(), b);
  }

  /**
   * Returns the angle of the point (b, a), where a is this; see {@link Binary#ATAN2}.
   *
   * @param b the other operand, for every element
   * @return a tensor of this shape
   */
  default Tensor atan2(double b) {
    return Op.apply(Binary.ATAN2, self(), Numbers.beside(Binary.ATAN2, self(), b));
  }

  /**
   * Returns {@code a^b}, where a is this; see {@link Binary#POW}.
   *
   * @param b the other operand
   * @return a tensor of the common shape
   */
  default Tensor pow(Tensor b) {
    return Op.apply(Binary.POW, self(), b);
  }

  /**
   * Returns {@code a^b}, where a is this; see {@link Binary#POW}.
   *
   * @param b the other operand, for every element
   * @return a tensor of this shape
   */
  default Tensor pow(double b) {
    return Op.apply(Binary.POW, self(), Numbers.beside(Binary.POW, self(), b));
  }

  /**
   * Returns the greater of a and b; NaN if either is, where a is this; see {@link Binary#MAX}.
   *
   * @param b the other operand
   * @return a tensor of the common shape
   */
  default Tensor maximum(Tensor b) {
    return Op.apply(Binary.MAX, self(), b);
  }

  /**
   * Returns the greater of a and b; NaN if either is, where a is this; see {@link Binary#MAX}.
   *
   * @param b the other operand, for every element
   * @return a tensor of this shape
   */
  default Tensor maximum(double b) {
    return Op.apply(Binary.MAX, self(), Numbers.least(Binary.MAX.method(), self(), b));
  }

  /**
   * Returns the smaller of a and b; NaN if either is, where a is this; see {@link Binary#MIN}.
   *
   * @param b the other operand
   * @return a tensor of the common shape
   */
  default Tensor minimum(Tensor b) {
    return Op.apply(Binary.MIN, self(), b);
  }

  /**
   * Returns the smaller of a and b; NaN if either is, where a is this; see {@link Binary#MIN}.
   *
   * @param b the other operand, for every element
   * @return a tensor of this shape
   */
  default Tensor minimum(double b) {
    return Op.apply(Binary.MIN, self(), Numbers.greatest(Binary.MIN.method(), self(), b));
  }

  /**
   * Returns {@code a} above 0, {@code b · a} below, where a is this; see {@link Binary#LEAKY_RELU}.
   *
   * @param b the other operand
   * @return a tensor of the common shape
   */
  default Tensor leakyRelu(Tensor b) {
    return Op.apply(Binary.LEAKY_RELU, self(), b);
  }

  /**
   * Returns {@code a} above 0, {@code b · a} below, where a is this; see {@link Binary#LEAKY_RELU}.
   *
   * @param b the other operand, for every element
   * @return a tensor of this shape
   */
  default Tensor leakyRelu(double b) {
    return Op.apply(Binary.LEAKY_RELU, self(), Numbers.beside(Binary.LEAKY_RELU, self(), b));
  }

  /**
   * Returns {@code a} above 0, {@code b (e^a − 1)} below, where a is this; see {@link Binary#ELU}.
   *
   * @param b the other operand
   * @return a tensor of the common shape
   */
  default Tensor elu(Tensor b) {
    return Op.apply(Binary.ELU, self(), b);
  }

  /**
   * Returns {@code a} above 0, {@code b (e^a − 1)} below, where a is this; see {@link Binary#ELU}.
   *
   * @param b the other operand, for every element
   * @return a tensor of this shape
   */
  default Tensor elu(double b) {
    return Op.apply(Binary.ELU, self(), Numbers.beside(Binary.ELU, self(), b));
  }

  /**
   * Returns BOOL: {@code a = b}, where a is this; see {@link Binary#EQ}.
   *
   * @param b the other operand
   * @return a tensor of the common shape
   */
  default Tensor eq(Tensor b) {
    return Op.apply(Binary.EQ, self(), b);
  }

  /**
   * Returns BOOL: {@code a = b}, where a is this; see {@link Binary#EQ}.
   *
   * @param b the other operand, for every element
   * @return a tensor of this shape
   */
  default Tensor eq(double b) {
    return Numbers.compared(Binary.EQ, self(), b);
  }

  /**
   * Returns BOOL: {@code a ≠ b}, where a is this; see {@link Binary#NE}.
   *
   * @param b the other operand
   * @return a tensor of the common shape
   */
  default Tensor ne(Tensor b) {
    return Op.apply(Binary.NE, self(), b);
  }

  /**
   * Returns BOOL: {@code a ≠ b}, where a is this; see {@link Binary#NE}.
   *
   * @param b the other operand, for every element
   * @return a tensor of this shape
   */
  default Tensor ne(double b) {
    return Numbers.compared(Binary.NE, self(), b);
  }

  /**
   * Returns BOOL: {@code a < b}, where a is this; see {@link Binary#LT}.
   *
   * @param b the other operand
   * @return a tensor of the common shape
   */
  default Tensor lt(Tensor b) {
    return Op.apply(Binary.LT, self(), b);
  }

  /**
   * Returns BOOL: {@code a < b}, where a is this; see {@link Binary#LT}.
   *
   * @param b the other operand, for every element
   * @return a tensor of this shape
   */
  default Tensor lt(double b) {
    return Numbers.compared(Binary.LT, self(), b);
  }

  /**
   * Returns BOOL: {@code a ≤ b}, where a is this; see {@link Binary#LE}.
   *
   * @param b the other operand
   * @return a tensor of the common shape
   */
  default Tensor le(Tensor b) {
    return Op.apply(Binary.LE, self(), b);
  }

  /**
   * Returns BOOL: {@code a ≤ b}, where a is this; see {@link Binary#LE}.
   *
   * @param b the other operand, for every element
   * @return a tensor of this shape
   */
  default Tensor le(double b) {
    return Numbers.compared(Binary.LE, self(), b);
  }

  /**
   * Returns BOOL: {@code a > b}, where a is this; see {@link Binary#GT}.
   *
   * @param b the other operand
   * @return a tensor of the common shape
   */
  default Tensor gt(Tensor b) {
    return Op.apply(Binary.GT, self(), b);
  }

  /**
   * Returns BOOL: {@code a > b}, where a is this; see {@link Binary#GT}.
   *
   * @param b the other operand, for every element
   * @return a tensor of this shape
   */
  default Tensor gt(double b) {
    return Numbers.compared(Binary.GT, self(), b);
  }

  /**
   * Returns BOOL: {@code a ≥ b}, where a is this; see {@link Binary#GE}.
   *
   * @param b the other operand
   * @return a tensor of the common shape
   */
  default Tensor ge(Tensor b) {
    return Op.apply(Binary.GE, self(), b);
  }

  /**
   * Returns BOOL: {@code a ≥ b}, where a is this; see {@link Binary#GE}.
   *
   * @param b the other operand, for every element
   * @return a tensor of this shape
   */
  default Tensor ge(double b) {
    return Numbers.compared(Binary.GE, self(), b);
  }

  /**
   * Returns logical and, of BOOL, where a is this; see {@link Binary#AND}.
   *
   * @param b the other operand
   * @return a tensor of the common shape
   */
  default Tensor and(Tensor b) {
    return Op.apply(Binary.AND, self(), b);
  }

  /**
   * Returns logical or, of BOOL, where a is this; see {@link Binary#OR}.
   *
   * @param b the other operand
   * @return a tensor of the common shape
   */
  default Tensor or(Tensor b) {
    return Op.apply(Binary.OR, self(), b);
  }

  /**
   * Returns logical exclusive or, of BOOL, where a is this; see {@link Binary#XOR}.
   *
   * @param b the other operand
   * @return a tensor of the common shape
   */
  default Tensor xor(Tensor b) {
    return Op.apply(Binary.XOR, self(), b);
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
