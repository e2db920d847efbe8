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

  /** σ(x) = 1/(1 + e⁻ˣ) above 0, eˣ/(1 + eˣ) below: neither overflows nor loses small values. */
  static DoubleVector sigmoid(DoubleVector x) {
    DoubleVector one = constant(x, 1);
    DoubleVector e = exp(x.abs().neg());
    return one.blend(e, x.compare(VectorOperators.LT, 0)).div(e.add(one));
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

  /**
   * x·Φ(x) to 4e-9, which serves f32: Φ(x) = ½ erfc(−x/√2) with the fit of {@link F32Bodies}' erfc, so
   * that nothing cancels on either side.
   */
  static DoubleVector roughGelu(DoubleVector x) {
    DoubleVector z = x.abs().mul(0.70710678118654752);
    DoubleVector t = constant(z, 1).div(z.fma(constant(z, 0.5), constant(z, 1)));
    DoubleVector p = constant(z, 0.0363176031).fma(t, constant(z, -0.194296202));
    p = p.fma(t, constant(z, 0.38989451));
    p = p.fma(t, constant(z, -0.302266641));
    p = p.fma(t, constant(z, -0.00990268114));
    p = p.fma(t, constant(z, 0.0278016802));
    p = p.fma(t, constant(z, 0.0580890301));
    p = p.fma(t, constant(z, 0.184700823));
    p = p.fma(t, constant(z, 0.245335875));
    p = p.fma(t, constant(z, 0.28223682));
    p = p.fma(t, constant(z, 0.282089187));
    DoubleVector half = p.mul(t).mul(exp(z.mul(z).neg())).mul(0.5);
    DoubleVector above = constant(x, 1).sub(half);
    return x.mul(above.blend(half, x.compare(VectorOperators.LT, 0)));
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
