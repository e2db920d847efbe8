package carousel.tensor;

import carousel.tensor.op.Binary;
import carousel.tensor.op.Domain;
import carousel.tensor.op.Op;

/**
 * Arithmetic that is made of the rows of {@link Elementwise}.
 *
 * <p>Operands broadcast and have one element type, as there.
 */
public sealed interface Arithmetic permits Tensor {
  private Tensor self() {
    return (Tensor) this;
  }

  /** Refuses operands that the ops inside would, in the name of the method that was called. */
  private static void require(String op, Domain domain, Tensor... operands) {
    domain.require(op, operands);
    Shape shape = operands[0].shape();
    for (Tensor operand : operands) {
      shape = Shape.broadcast(op, shape, operand.shape());
    }
  }

  /**
   * The whole part, towards 0; constant almost everywhere.
   *
   * @return a tensor of this shape
   */
  default Tensor trunc() {
    Tensor x = self();
    require("trunc", Domain.FLOATING, x);
    return Tensor.where(x.lt(0), x.ceil(), x.floor());
  }

  /**
   * What {@link #trunc} leaves, {@code x − trunc(x)}, with the sign of x.
   *
   * @return a tensor of this shape
   */
  default Tensor frac() {
    require("frac", Domain.FLOATING, self());
    return self().sub(trunc());
  }

  /**
   * The remainder of a division that rounds down, with the sign of b: Python's {@code %}. {@link
   * Elementwise#fmod} has that with the sign of this, Java's.
   *
   * @param b the divisor; by 0 NaN, of I32 0
   * @return a tensor of the common shape
   */
  default Tensor remainder(Tensor b) {
    require("remainder", Domain.NUMERIC, self(), b);
    Tensor rest = self().fmod(b);
    return Tensor.where(opposite(rest, b), rest.add(b), rest);
  }

  /** Where a division that rounds down ends one below one that rounds towards 0. */
  private static Tensor opposite(Tensor rest, Tensor b) {
    return rest.lt(0).xor(b.lt(0)).and(rest.ne(0));
  }

  /**
   * The remainder of a division that rounds down, with the sign of b: Python's {@code %}.
   *
   * @param b the divisor
   * @return a tensor of this shape
   */
  default Tensor remainder(double b) {
    return remainder(Numbers.beside("remainder", self(), b));
  }

  /**
   * {@code ⌊a / b⌋}, Python's {@code //}: {@code b · floorDivide(b) + remainder(b)} is this, also where the
   * quotient is not exact. That holds for every quotient whose whole numbers the type has, up to 2²⁴ in F32 and
   * 2⁵³ in F64; a larger one is a nearest number of the type. Of I32 the least by −1 wraps, as in Java. Constant
   * almost everywhere.
   *
   * @param b the divisor; by 0 what a division gives, of I32 an extreme value or 0
   * @return a tensor of the common shape
   */
  default Tensor floorDivide(Tensor b) {
    require("floorDivide", Domain.NUMERIC, self(), b);
    Tensor a = self().detach();
    Tensor c = b.detach();
    if (!a.dtype().isFloating()) {
      // A quotient of two whole numbers of 32 bits is never rounded across one in 64.
      Tensor whole = Op.apply(Binary.DIV, a.cast(DType.F64), c.cast(DType.F64)).floor();
      // The one quotient beyond: a cast would end at the greatest, of which b · q + r is not a.
      Tensor y = whole.cast(a.dtype());
      return Tensor.where(whole.eq(0x1p31), y.scalarLike(Integer.MIN_VALUE), y);
    }
    // A quotient is rounded to a whole number at most, never past one. Which way, the sign of what
    // is
    // left tells, which a fused product does not round away. Of a quotient of 0, where b may be ∞,
    // a is left.
    Tensor whole = a.div(c).floor();
    Tensor rest = Tensor.where(whole.eq(0), a, whole.neg().fma(c, a));
    return Tensor.where(opposite(rest, c), whole.sub(1), whole);
  }

  /**
   * {@code ⌊a / b⌋}, Python's {@code //}.
   *
   * @param b the divisor
   * @return a tensor of this shape
   */
  default Tensor floorDivide(double b) {
    return floorDivide(Numbers.beside("floorDivide", self(), b));
  }

  /**
   * With other numbers in the place of NaN, ∞ and −∞; where one was replaced, the gradient is 0.
   *
   * @param nan for NaN
   * @param positive for ∞
   * @param negative for −∞
   * @return a tensor of this shape
   */
  default Tensor nanToNum(double nan, double positive, double negative) {
    Tensor x = self();
    require("nanToNum", Domain.NUMERIC, x);
    Tensor above = Numbers.beside("nanToNum", x, positive);
    Tensor below = Numbers.beside("nanToNum", x, negative);
    Tensor y = Tensor.where(x.isNan(), Numbers.beside("nanToNum", x, nan), x);
    return Tensor.where(x.isInf(), Tensor.where(x.gt(0), above, below), y);
  }

  /**
   * With 0 in the place of NaN, and the greatest and least finite numbers in that of ±∞.
   *
   * @return a tensor of this shape
   */
  default Tensor nanToNum() {
    double most = self().dtype() == DType.F32 ? Float.MAX_VALUE : Double.MAX_VALUE;
    return self().dtype().isFloating() ? nanToNum(0, most, -most) : self();
  }

  /**
   * {@code (1 − w) · a + w · b}: exactly a at w = 0, exactly b at w = 1.
   *
   * @param b where w = 1
   * @param weight w
   * @return a tensor of the common shape
   */
  default Tensor lerp(Tensor b, Tensor weight) {
    require("lerp", Domain.FLOATING, self(), b, weight);
    return self().mul(weight.neg().add(1)).add(b.mul(weight));
  }

  /**
   * {@code (1 − w) · a + w · b}.
   *
   * @param b where w = 1
   * @param weight w, for every element
   * @return a tensor of the common shape
   */
  default Tensor lerp(Tensor b, double weight) {
    require("lerp", Domain.FLOATING, self(), b);
    return self().mul(1 - weight).add(b.mul(weight));
  }

  /**
   * {@code ln(e^a + e^b)}, without overflow; for many terms {@link Reductions#logSumExp}.
   *
   * @param b the other operand
   * @return a tensor of the common shape
   */
  default Tensor logAddExp(Tensor b) {
    Tensor a = self();
    require("logAddExp", Domain.FLOATING, a, b);
    // From the greater on: both shares of the gradient, σ of the difference and the rest to 1, are
    // then
    // exact, at a tie as well, and to every order.
    Tensor first = a.ge(b);
    Tensor apart = Tensor.where(first, b.sub(a), a.sub(b));
    Tensor same = a.eq(b).and(a.isInf());
    Tensor below = Tensor.where(same, apart.scalarLike(0), apart);
    Tensor more = Tensor.where(same, apart.scalarLike(0), below.softplus());
    return Tensor.where(first, a, b).add(more);
  }

  /**
   * {@code x · ln y}, and 0 where x is 0, whatever y is but NaN: {@code p.xlogy(p).sum().neg()} is an entropy.
   *
   * @param y of which the logarithm is taken
   * @return a tensor of the common shape
   */
  default Tensor xlogy(Tensor y) {
    Tensor x = self();
    require("xlogy", Domain.FLOATING, x, y);
    Tensor proper = y.gt(0).and(y.isFinite()).or(y.isNan());
    Tensor none = x.eq(0).and(proper.not());
    Tensor safe = Tensor.where(none, y.scalarLike(1), y);
    return x.mul(safe.log());
  }
}
