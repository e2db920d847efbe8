package carousel.tensor.cpu.vector;

import jdk.incubator.vector.Vector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;

/**
 * Bodies that read the same for every lane type. NaN propagates through {@code max} and {@code min}.
 *
 * <p>They use only what IEEE 754 defines to the last bit. The Vector API's own elementary functions
 * (EXP, LOG, TANH …) are one algorithm interpreted and another compiled: their results would depend
 * on when the compiler gets to a loop.
 */
final class AnyBodies {
  private AnyBodies() {}

  static <E> Vector<E> neg(Vector<E> x) {
    return x.lanewise(VectorOperators.NEG);
  }

  static <E> Vector<E> abs(Vector<E> x) {
    return x.lanewise(VectorOperators.ABS);
  }

  static <E> Vector<E> square(Vector<E> x) {
    return x.lanewise(VectorOperators.MUL, x);
  }

  static <E> Vector<E> add(Vector<E> x, Vector<E> y) {
    return x.lanewise(VectorOperators.ADD, y);
  }

  static <E> Vector<E> sub(Vector<E> x, Vector<E> y) {
    return x.lanewise(VectorOperators.SUB, y);
  }

  static <E> Vector<E> mul(Vector<E> x, Vector<E> y) {
    return x.lanewise(VectorOperators.MUL, y);
  }

  static <E> Vector<E> div(Vector<E> x, Vector<E> y) {
    return x.lanewise(VectorOperators.DIV, y);
  }

  static <E> Vector<E> sqrt(Vector<E> x) {
    return x.lanewise(VectorOperators.SQRT);
  }

  static <E> Vector<E> fma(Vector<E> x, Vector<E> y, Vector<E> z) {
    return x.lanewise(VectorOperators.FMA, y, z);
  }

  static <E> Vector<E> clamp(Vector<E> x, Vector<E> low, Vector<E> high) {
    return x.lanewise(VectorOperators.MAX, low).lanewise(VectorOperators.MIN, high);
  }

  /** {@code max(x, 0)}, where NaN stays NaN and −0 becomes 0. */
  static <E> Vector<E> relu(Vector<E> x) {
    Vector<E> zero = x.broadcast(0);
    return x.blend(zero, x.compare(VectorOperators.LE, zero));
  }

  static <E> Vector<E> heaviside(Vector<E> x) {
    Vector<E> zero = x.broadcast(0);
    return x.blend(x.broadcast(1), x.compare(VectorOperators.GT, zero))
        .blend(zero, x.compare(VectorOperators.LE, zero));
  }

  /** −1, 0 or 1; zeros keep their sign, NaN stays NaN. */
  static <E> Vector<E> sign(Vector<E> x) {
    Vector<E> zero = x.broadcast(0);
    return x.blend(x.broadcast(1), x.compare(VectorOperators.GT, zero))
        .blend(x.broadcast(-1), x.compare(VectorOperators.LT, zero));
  }

  static <E> Vector<E> leakyRelu(Vector<E> x, Vector<E> slope) {
    return x.lanewise(VectorOperators.MUL, slope)
        .blend(x, x.compare(VectorOperators.GT, x.broadcast(0)));
  }

  static <E> Vector<E> max(Vector<E> x, Vector<E> y) {
    return x.lanewise(VectorOperators.MAX, y);
  }

  static <E> Vector<E> min(Vector<E> x, Vector<E> y) {
    return x.lanewise(VectorOperators.MIN, y);
  }

  static <E> Vector<E> and(Vector<E> x, Vector<E> y) {
    return x.lanewise(VectorOperators.AND, y);
  }

  static <E> Vector<E> or(Vector<E> x, Vector<E> y) {
    return x.lanewise(VectorOperators.OR, y);
  }

  static <E> Vector<E> xor(Vector<E> x, Vector<E> y) {
    return x.lanewise(VectorOperators.XOR, y);
  }

  /** Of bytes that are 0 or 1. */
  static <E> Vector<E> not(Vector<E> x) {
    return x.lanewise(VectorOperators.XOR, x.broadcast(1));
  }

  static <E> VectorMask<E> isNan(Vector<E> x, Vector<E> same) {
    return x.compare(VectorOperators.NE, x);
  }

  /** Whether {@code x − x} is 0: an infinity or NaN gives NaN. */
  static <E> VectorMask<E> isFinite(Vector<E> x, Vector<E> same) {
    return x.lanewise(VectorOperators.SUB, x).compare(VectorOperators.EQ, x.broadcast(0));
  }

  static <E> VectorMask<E> eq(Vector<E> x, Vector<E> y) {
    return x.compare(VectorOperators.EQ, y);
  }

  static <E> VectorMask<E> ne(Vector<E> x, Vector<E> y) {
    return x.compare(VectorOperators.NE, y);
  }

  static <E> VectorMask<E> lt(Vector<E> x, Vector<E> y) {
    return x.compare(VectorOperators.LT, y);
  }

  static <E> VectorMask<E> le(Vector<E> x, Vector<E> y) {
    return x.compare(VectorOperators.LE, y);
  }

  static <E> VectorMask<E> gt(Vector<E> x, Vector<E> y) {
    return x.compare(VectorOperators.GT, y);
  }

  static <E> VectorMask<E> ge(Vector<E> x, Vector<E> y) {
    return x.compare(VectorOperators.GE, y);
  }

  /** {@code a + x²}: the fold of a Euclidean norm. */
  static <E> Vector<E> addSquare(Vector<E> a, Vector<E> x) {
    return x.lanewise(VectorOperators.FMA, x, a);
  }
}
