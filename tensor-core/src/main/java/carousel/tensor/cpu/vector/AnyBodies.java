package carousel.tensor.cpu.vector;

import jdk.incubator.vector.Vector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;

/** Bodies that read the same for every lane type. NaN propagates through {@code max} and {@code min}. */
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
}
