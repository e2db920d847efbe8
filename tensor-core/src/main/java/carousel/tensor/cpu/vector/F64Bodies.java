package carousel.tensor.cpu.vector;

import jdk.incubator.vector.DoubleVector;
import jdk.incubator.vector.VectorOperators;

/** Bodies on f64; elementary functions are the JDK's own, accurate to one unit in the last place. */
final class F64Bodies {
  private F64Bodies() {}

  static DoubleVector exp(DoubleVector x) {
    return x.lanewise(VectorOperators.EXP);
  }

  static DoubleVector tanh(DoubleVector x) {
    return x.lanewise(VectorOperators.TANH);
  }

  /** σ(x) = 1 / (1 + e⁻ˣ). */
  static DoubleVector sigmoid(DoubleVector x) {
    DoubleVector one = constant(x, 1);
    return one.div(exp(x.neg()).add(one));
  }

  static DoubleVector silu(DoubleVector x) {
    return x.mul(sigmoid(x));
  }

  static DoubleVector rsqrt(DoubleVector x) {
    return constant(x, 1).div(x.lanewise(VectorOperators.SQRT));
  }

  static DoubleVector reciprocal(DoubleVector x) {
    return constant(x, 1).div(x);
  }

  /** Halves to even: adding and subtracting 2⁵² leaves no fraction. */
  static DoubleVector round(DoubleVector x) {
    DoubleVector magnitude = x.abs();
    DoubleVector magic = constant(x, 0x1p52);
    DoubleVector whole = withSign(magnitude.add(magic).sub(magic), x);
    return x.blend(whole, magnitude.compare(VectorOperators.LT, magic));
  }

  static DoubleVector floor(DoubleVector x) {
    DoubleVector r = round(x);
    return withSign(r.blend(r.sub(1), r.compare(VectorOperators.GT, x)).abs(), x);
  }

  static DoubleVector ceil(DoubleVector x) {
    DoubleVector r = round(x);
    return withSign(r.blend(r.add(1), r.compare(VectorOperators.LT, x)).abs(), x);
  }

  /** {@code magnitude}, which must be positive or NaN, with the sign of {@code x}. */
  private static DoubleVector withSign(DoubleVector magnitude, DoubleVector x) {
    return x.reinterpretAsLongs()
        .lanewise(VectorOperators.AND, Long.MIN_VALUE)
        .lanewise(VectorOperators.OR, magnitude.reinterpretAsLongs())
        .reinterpretAsDoubles();
  }

  private static DoubleVector constant(DoubleVector like, double value) {
    return DoubleVector.broadcast(like.species(), value);
  }
}
