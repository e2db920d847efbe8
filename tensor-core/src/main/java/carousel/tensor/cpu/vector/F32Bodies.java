package carousel.tensor.cpu.vector;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.Vector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;

/** Bodies on f32. */
final class F32Bodies {
  private F32Bodies() {}

  /**
   * eˣ = 2ⁿ·eʳ with n = round(x / ln 2), r = x − n ln 2 and a minimax polynomial of degree 6 for eʳ.
   * At most 1.2e-7 relative error, subnormal results and overflow to ∞ included.
   */
  static FloatVector exp(FloatVector v) {
    FloatVector low = constant(v, -104f);
    FloatVector high = constant(v, 89f);
    // Beyond these the result is 0 or infinite anyway; a NaN is not below or above anything.
    FloatVector x = v.blend(low, v.compare(VectorOperators.LT, low));
    x = x.blend(high, v.compare(VectorOperators.GT, high));
    // Adding 1.5·2²³ rounds to an integer, which is then also found in the low bits.
    FloatVector magic = constant(v, 12582912f);
    FloatVector shifted = x.fma(constant(v, 1.44269504f), magic);
    FloatVector n = shifted.sub(magic);
    FloatVector r = n.fma(constant(v, -0.693145752f), x);
    r = n.fma(constant(v, -1.42860677e-6f), r);
    FloatVector p = constant(v, 0.0013814474f).fma(r, constant(v, 0.008368781f));
    p = p.fma(r, constant(v, 0.041668393f));
    p = p.fma(r, constant(v, 0.1666652f));
    p = p.fma(r, constant(v, 0.49999994f));
    p = p.mul(r).fma(r, r).add(constant(v, 1f));
    // 2ⁿ in two halves, because n reaches from −150 to 128.
    IntVector whole = shifted.reinterpretAsInts().sub(magic.reinterpretAsInts());
    IntVector half = whole.lanewise(VectorOperators.ASHR, 1);
    IntVector other = whole.sub(half);
    return p.mul(powerOfTwo(half)).mul(powerOfTwo(other));
  }

  /** 2ⁿ as f32 for −126 ≤ n ≤ 127. */
  private static FloatVector powerOfTwo(IntVector n) {
    return n.add(127).lanewise(VectorOperators.LSHL, 23).reinterpretAsFloats();
  }

  /** σ(x) = 1 / (1 + e⁻ˣ). */
  static FloatVector sigmoid(FloatVector x) {
    FloatVector one = constant(x, 1f);
    return one.div(exp(x.neg()).add(one));
  }

  /**
   * tanh x = x·P(x²)/Q(x²), a minimax fit of degree 5/4 on |x| ≤ 9 (1.3e-9 before rounding), and ±1
   * beyond, where f32 has no other value, and where rounding would carry the quotient past ±1. At
   * most 3e-7 relative error.
   */
  static FloatVector tanh(FloatVector x) {
    FloatVector q = x.mul(x);
    FloatVector p = constant(x, -1.22460311201e-11f).fma(q, constant(x, 3.06422940375e-8f));
    p = p.fma(q, constant(x, 2.80312371705e-5f));
    p = p.fma(q, constant(x, 0.00386950517912f));
    p = p.fma(q, constant(x, 0.13680854463f));
    p = p.fma(q, constant(x, 0.99999999875f));
    FloatVector d = constant(x, 1.28902914909e-6f).fma(q, constant(x, 0.000394070778259f));
    d = d.fma(q, constant(x, 0.0272501471522f));
    d = d.fma(q, constant(x, 0.470141865642f));
    d = d.fma(q, constant(x, 1f));
    FloatVector inner = x.mul(p).div(d);
    VectorMask<Float> saturated =
        x.abs().compare(VectorOperators.GE, 9f).or(inner.abs().compare(VectorOperators.GE, 1f));
    return inner.blend(withSign(constant(x, 1f), x), saturated);
  }

  static FloatVector rsqrt(FloatVector x) {
    return constant(x, 1f).div(x.lanewise(VectorOperators.SQRT));
  }

  static FloatVector reciprocal(FloatVector x) {
    return constant(x, 1f).div(x);
  }

  static FloatVector silu(FloatVector x) {
    return x.mul(sigmoid(x));
  }

  /**
   * x·P(x²) below 1 (4e-8), 1 − erfc|x| with the sign of x above. At most 2e-7 relative error.
   */
  static FloatVector erf(FloatVector x) {
    FloatVector magnitude = x.abs();
    FloatVector q = x.mul(x);
    FloatVector p = constant(x, -0.000563142321f).fma(q, constant(x, 0.00491755173f));
    p = p.fma(q, constant(x, -0.0267113116f));
    p = p.fma(q, constant(x, 0.112801801f));
    p = p.fma(q, constant(x, -0.376123262f));
    p = p.fma(q, constant(x, 1.12837912f));
    FloatVector outer = withSign(constant(x, 1f).sub(erfc(magnitude)), x);
    return x.mul(p).blend(outer, magnitude.compare(VectorOperators.GT, 1f));
  }

  /** x·Φ(x), where Φ(x) = ½ erfc(−x/√2): no cancellation on either side. */
  static FloatVector gelu(FloatVector x) {
    FloatVector half = erfc(x.abs().mul(0.70710678f)).mul(0.5f);
    FloatVector above = constant(x, 1f).sub(half);
    return x.mul(above.blend(half, x.compare(VectorOperators.LT, 0f)));
  }

  /**
   * erfc z = t·e^(−z²)·Q(t) with t = 1/(1 + z/2), for z ≥ 0: a minimax fit of degree 9 on z ≤ 10.5
   * (2e-8), below which f32 underflows.
   */
  private static FloatVector erfc(FloatVector z) {
    FloatVector t = constant(z, 1f).div(z.fma(constant(z, 0.5f), constant(z, 1f)));
    FloatVector p = constant(z, 0.0108136963f).fma(t, constant(z, -0.115459576f));
    p = p.fma(t, constant(z, 0.411103492f));
    p = p.fma(t, constant(z, -0.647015534f));
    p = p.fma(t, constant(z, 0.402858197f));
    p = p.fma(t, constant(z, -0.0888671572f));
    p = p.fma(t, constant(z, 0.222442799f));
    p = p.fma(t, constant(z, 0.239269132f));
    p = p.fma(t, constant(z, 0.28278712f));
    p = p.fma(t, constant(z, 0.282067809f));
    return p.mul(t).mul(exp(z.mul(z).neg()));
  }

  /** Halves to even: adding and subtracting 2²³ leaves no fraction. */
  static FloatVector round(FloatVector x) {
    FloatVector magnitude = x.abs();
    FloatVector magic = constant(x, 8388608f);
    FloatVector whole = withSign(magnitude.add(magic).sub(magic), x);
    return x.blend(whole, magnitude.compare(VectorOperators.LT, magic));
  }

  static FloatVector floor(FloatVector x) {
    FloatVector r = round(x);
    return withSign(r.blend(r.sub(1f), r.compare(VectorOperators.GT, x)).abs(), x);
  }

  static FloatVector ceil(FloatVector x) {
    FloatVector r = round(x);
    return withSign(r.blend(r.add(1f), r.compare(VectorOperators.LT, x)).abs(), x);
  }

  /** To I32 as Java casts: towards zero, saturating, NaN to 0. */
  static Vector<Integer> toI32(FloatVector x) {
    return x.convert(VectorOperators.F2I, 0);
  }

  /** {@code magnitude}, which must be positive or NaN, with the sign of {@code x}. */
  private static FloatVector withSign(FloatVector magnitude, FloatVector x) {
    return x.reinterpretAsInts()
        .lanewise(VectorOperators.AND, 0x80000000)
        .lanewise(VectorOperators.OR, magnitude.reinterpretAsInts())
        .reinterpretAsFloats();
  }

  private static FloatVector constant(FloatVector like, float value) {
    return FloatVector.broadcast(like.species(), value);
  }
}
