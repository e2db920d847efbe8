package carousel.tensor;

import carousel.tensor.op.Binary;
import carousel.tensor.op.Domain;
import carousel.tensor.op.Op;
import carousel.tensor.op.Unary;

/**
 * What is true of each element, BOOL: comparisons, kinds of numbers, and the logic of truth values.
 *
 * <p>Operands broadcast and have one element type, as in {@link Elementwise}; but a comparison of I32 with any
 * number gives what is true. No gradient flows.
 */
public sealed interface Comparing permits Tensor {
  private Tensor self() {
    return (Tensor) this;
  }

  /**
   * {@return BOOL: {@code a = b}, where a is this; see {@link Binary#EQ}}
   *
   * @param b the other operand
   */
  default Tensor eq(Tensor b) {
    return Op.apply(Binary.EQ, self(), b);
  }

  /**
   * {@return BOOL: {@code a = b}, where a is this; see {@link Binary#EQ}}
   *
   * @param b the other operand, for every element
   */
  default Tensor eq(double b) {
    return Numbers.compared(Binary.EQ, self(), b);
  }

  /**
   * {@return BOOL: {@code a ≠ b}, where a is this; see {@link Binary#NE}}
   *
   * @param b the other operand
   */
  default Tensor ne(Tensor b) {
    return Op.apply(Binary.NE, self(), b);
  }

  /**
   * {@return BOOL: {@code a ≠ b}, where a is this; see {@link Binary#NE}}
   *
   * @param b the other operand, for every element
   */
  default Tensor ne(double b) {
    return Numbers.compared(Binary.NE, self(), b);
  }

  /**
   * {@return BOOL: {@code a < b}, where a is this; see {@link Binary#LT}}
   *
   * @param b the other operand
   */
  default Tensor lt(Tensor b) {
    return Op.apply(Binary.LT, self(), b);
  }

  /**
   * {@return BOOL: {@code a < b}, where a is this; see {@link Binary#LT}}
   *
   * @param b the other operand, for every element
   */
  default Tensor lt(double b) {
    return Numbers.compared(Binary.LT, self(), b);
  }

  /**
   * {@return BOOL: {@code a ≤ b}, where a is this; see {@link Binary#LE}}
   *
   * @param b the other operand
   */
  default Tensor le(Tensor b) {
    return Op.apply(Binary.LE, self(), b);
  }

  /**
   * {@return BOOL: {@code a ≤ b}, where a is this; see {@link Binary#LE}}
   *
   * @param b the other operand, for every element
   */
  default Tensor le(double b) {
    return Numbers.compared(Binary.LE, self(), b);
  }

  /**
   * {@return BOOL: {@code a > b}, where a is this; see {@link Binary#GT}}
   *
   * @param b the other operand
   */
  default Tensor gt(Tensor b) {
    return Op.apply(Binary.GT, self(), b);
  }

  /**
   * {@return BOOL: {@code a > b}, where a is this; see {@link Binary#GT}}
   *
   * @param b the other operand, for every element
   */
  default Tensor gt(double b) {
    return Numbers.compared(Binary.GT, self(), b);
  }

  /**
   * {@return BOOL: {@code a ≥ b}, where a is this; see {@link Binary#GE}}
   *
   * @param b the other operand
   */
  default Tensor ge(Tensor b) {
    return Op.apply(Binary.GE, self(), b);
  }

  /**
   * {@return BOOL: {@code a ≥ b}, where a is this; see {@link Binary#GE}}
   *
   * @param b the other operand, for every element
   */
  default Tensor ge(double b) {
    return Numbers.compared(Binary.GE, self(), b);
  }

  /**
   * {@return logical and, of BOOL, where a is this; see {@link Binary#AND}}
   *
   * @param b the other operand
   */
  default Tensor and(Tensor b) {
    return Op.apply(Binary.AND, self(), b);
  }

  /**
   * {@return logical or, of BOOL, where a is this; see {@link Binary#OR}}
   *
   * @param b the other operand
   */
  default Tensor or(Tensor b) {
    return Op.apply(Binary.OR, self(), b);
  }

  /**
   * {@return logical exclusive or, of BOOL, where a is this; see {@link Binary#XOR}}
   *
   * @param b the other operand
   */
  default Tensor xor(Tensor b) {
    return Op.apply(Binary.XOR, self(), b);
  }

  /** {@return logical not, of BOOL; see {@link Unary#NOT}} */
  default Tensor not() {
    return Op.apply(Unary.NOT, self());
  }

  /** {@return BOOL: whether x is NaN; see {@link Unary#IS_NAN}} */
  default Tensor isNan() {
    return Op.apply(Unary.IS_NAN, self());
  }

  /** {@return BOOL: whether x is neither NaN nor infinite; see {@link Unary#IS_FINITE}} */
  default Tensor isFinite() {
    return Op.apply(Unary.IS_FINITE, self());
  }

  /**
   * BOOL: whether x is ∞ or −∞.
   *
   * @return a tensor of this shape
   */
  default Tensor isInf() {
    return self().isFinite().or(self().isNan()).not();
  }

  /**
   * BOOL: {@code |a − b| ≤ absolute + relative · |b|}, or equal; NaN is close to nothing.
   *
   * @param b the other operand
   * @param relative the part of |b|
   * @param absolute what is allowed beside it
   * @return a tensor of the common shape
   */
  default Tensor isClose(Tensor b, double relative, double absolute) {
    Domain.NUMERIC.require("isClose", self(), b);
    Shape.broadcast("isClose", self().shape(), b.shape());
    if (self().dtype() == DType.I32) {
      // Whose difference may not fit, nor a part of it.
      return self().cast(DType.F64).isClose(b.cast(DType.F64), relative, absolute);
    }
    Tensor a = self();
    Tensor apart = a.sub(b).abs();
    // An infinite bound would be close to everything.
    Tensor near = apart.le(b.abs().mul(relative).add(absolute)).and(apart.isFinite());
    return near.or(a.eq(b));
  }
}
