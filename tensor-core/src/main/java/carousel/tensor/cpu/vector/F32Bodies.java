package carousel.tensor.cpu.vector;

import jdk.incubator.vector.DoubleVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.Vector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;

/** Bodies on f32. */
final class F32Bodies {
  private F32Bodies() {}

  /** eˣ, to 1 ulp, subnormal results and overflow to ∞ included. */
  static FloatVector exp(FloatVector x) {
    return expTimes(x, constant(x, 1f));
  }

  /**
   * factor · eˣ, where the product may be in range though eˣ is not. eˣ = 2ⁿ·eʳ with n = round(x / ln
   * 2), r = x − n ln 2 and a minimax polynomial of degree 6 for eʳ (3e-9).
   */
  private static FloatVector expTimes(FloatVector v, FloatVector factor) {
    FloatVector low = constant(v, -160f);
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
    // 2ⁿ in two halves, because n reaches from −231 to 128; only the last product may underflow.
    IntVector whole = shifted.reinterpretAsInts().sub(magic.reinterpretAsInts());
    IntVector half = whole.lanewise(VectorOperators.ASHR, 1);
    IntVector other = whole.sub(half);
    return p.mul(powerOfTwo(half)).mul(factor).mul(powerOfTwo(other));
  }

  /** eˣ − 1 = 2ⁿ·(eʳ − 1) + (2ⁿ − 1), to 2 ulp, with a minimax polynomial (2.4e-10) for eʳ − 1. */
  static FloatVector expm1(FloatVector v) {
    FloatVector low = constant(v, -20f);
    FloatVector high = constant(v, 89f);
    FloatVector x = v.blend(low, v.compare(VectorOperators.LT, low));
    x = x.blend(high, v.compare(VectorOperators.GT, high));
    FloatVector magic = constant(v, 12582912f);
    FloatVector shifted = x.fma(constant(v, 1.44269504f), magic);
    FloatVector n = shifted.sub(magic);
    FloatVector r = n.fma(constant(v, -0.693145752f), x);
    r = n.fma(constant(v, -1.42860677e-6f), r);
    FloatVector p = constant(v, 0.00019843862f).fma(r, constant(v, 0.0013940744f));
    p = p.fma(r, constant(v, 0.008333392f));
    p = p.fma(r, constant(v, 0.04166636f));
    p = p.fma(r, constant(v, 0.16666666f));
    p = p.fma(r, constant(v, 0.5f));
    p = p.mul(r).fma(r, r);
    // Half of it, because 2ⁿ may be out of range where the difference is not.
    IntVector whole = shifted.sub(1f).reinterpretAsInts().sub(magic.reinterpretAsInts());
    FloatVector half = powerOfTwo(whole);
    FloatVector y = p.fma(half, half.sub(0.5f)).mul(2f);
    // The sum would lose the sign of −0, and half of a subnormal number a bit.
    return y.blend(v, v.abs().compare(VectorOperators.LT, 0x1p-30f));
  }

  /** max(x, 0) + ln(1 + e^−|x|), to 3 ulp. */
  static FloatVector softplus(FloatVector x) {
    return x.max(0f).add(F32Logarithms.log1p(exp(x.abs().neg())));
  }

  static FloatVector elu(FloatVector x, FloatVector alpha) {
    return alpha.mul(expm1(x)).blend(x, x.compare(VectorOperators.GT, 0f));
  }

  /** 2ⁿ as f32 for −126 ≤ n ≤ 127. */
  static FloatVector powerOfTwo(IntVector n) {
    return n.add(127).lanewise(VectorOperators.LSHL, 23).reinterpretAsFloats();
  }

  /** σ(x) = 1/(1 + e⁻ˣ) above 0, eˣ/(1 + eˣ) below: neither overflows nor loses small values. */
  static FloatVector sigmoid(FloatVector x) {
    FloatVector one = constant(x, 1f);
    FloatVector e = exp(x.abs().neg());
    return one.blend(e, x.compare(VectorOperators.LT, 0f)).div(e.add(one));
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

  /** x/(1 + |x|), and ±1 at ±∞, where the quotient is none. */
  static FloatVector softsign(FloatVector x) {
    FloatVector one = constant(x, 1f);
    FloatVector magnitude = x.abs();
    return x.div(magnitude.add(one))
        .blend(withSign(one, x), magnitude.compare(VectorOperators.EQ, Float.POSITIVE_INFINITY));
  }

  static FloatVector rsqrt(FloatVector x) {
    return constant(x, 1f).div(x.lanewise(VectorOperators.SQRT));
  }

  static FloatVector reciprocal(FloatVector x) {
    return constant(x, 1f).div(x);
  }

  /**
   * x·σ(x); below 0 x is multiplied in before eˣ underflows. The difference is 0, or NaN at −∞, where
   * the definition is −∞·0.
   */
  static FloatVector silu(FloatVector x) {
    FloatVector down = x.abs().neg();
    FloatVector below = expTimes(down, x.max(-200f).add(x.sub(x)));
    FloatVector denominator = exp(down).add(constant(x, 1f));
    return x.blend(below, x.compare(VectorOperators.LT, 0f)).div(denominator);
  }

  /** x·P(x²) up to 1, 1 − erfc|x| with the sign of x above. At most 3 ulp. */
  static FloatVector erf(FloatVector x) {
    FloatVector magnitude = x.abs();
    FloatVector outer = withSign(constant(x, 1f).sub(erfc(magnitude)), x);
    return innerErf(x).blend(outer, magnitude.compare(VectorOperators.GT, 1f));
  }

  /** erf x for |x| ≤ 1: x·P(x²), a minimax fit (1.3e-9). */
  private static FloatVector innerErf(FloatVector x) {
    FloatVector q = x.mul(x);
    FloatVector p = constant(x, 7.85386441e-5f).fma(q, constant(x, -0.000801019466f));
    p = p.fma(q, constant(x, 0.00518832781f));
    p = p.fma(q, constant(x, -0.026853812f));
    p = p.fma(q, constant(x, 0.112835852f));
    p = p.fma(q, constant(x, -0.376126258f));
    p = p.fma(q, constant(x, 1.12837917f));
    return x.mul(p);
  }

  /** x·Φ(x), in double precision: in single, the exponent x²/2 loses too much where Φ is small. */
  static FloatVector gelu(FloatVector x) {
    return joined(F64Bodies.roughGelu(low(x)), F64Bodies.roughGelu(high(x)));
  }

  /** sin x up to {@link F64Angles#LIMIT}, in double precision, where r keeps its bits near n·½π. */
  static FloatVector sinWithin(FloatVector x) {
    return joined(F64Angles.roughSin(low(x)), F64Angles.roughSin(high(x)));
  }

  /** cos x up to {@link F64Angles#LIMIT}. */
  static FloatVector cosWithin(FloatVector x) {
    return joined(F64Angles.roughCos(low(x)), F64Angles.roughCos(high(x)));
  }

  /** tan x up to {@link F64Angles#LIMIT}. */
  static FloatVector tanWithin(FloatVector x) {
    return joined(F64Angles.roughTan(low(x)), F64Angles.roughTan(high(x)));
  }

  /** The first half of the lanes in double precision. */
  static DoubleVector low(FloatVector x) {
    return (DoubleVector) x.convert(VectorOperators.F2D, 0);
  }

  /** The second half of the lanes in double precision. */
  static DoubleVector high(FloatVector x) {
    return (DoubleVector) x.convert(VectorOperators.F2D, 1);
  }

  /** Two halves of the lanes, rounded. Each comes with zeros in the place of the other. */
  static FloatVector joined(DoubleVector low, DoubleVector high) {
    IntVector first = low.convert(VectorOperators.D2F, 0).reinterpretAsInts();
    IntVector second = high.convert(VectorOperators.D2F, -1).reinterpretAsInts();
    // Not their sum, in which −0 + 0 is 0.
    return first.or(second).reinterpretAsFloats();
  }

  /**
   * erfc z = t·Q(t)·e^(−z²) with t = 1/(1 + z/2), for z ≥ 0: a minimax fit of degree 10 on z ≤ 10.5
   * (4e-9), beyond which f32 underflows.
   */
  private static FloatVector erfc(FloatVector z) {
    FloatVector t = constant(z, 1f).div(z.fma(constant(z, 0.5f), constant(z, 1f)));
    FloatVector p = constant(z, 0.0363176031f).fma(t, constant(z, -0.194296202f));
    p = p.fma(t, constant(z, 0.38989451f));
    p = p.fma(t, constant(z, -0.302266641f));
    p = p.fma(t, constant(z, -0.00990268114f));
    p = p.fma(t, constant(z, 0.0278016802f));
    p = p.fma(t, constant(z, 0.0580890301f));
    p = p.fma(t, constant(z, 0.184700823f));
    p = p.fma(t, constant(z, 0.245335875f));
    p = p.fma(t, constant(z, 0.28223682f));
    p = p.fma(t, constant(z, 0.282089187f));
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
  static FloatVector withSign(FloatVector magnitude, FloatVector x) {
    return x.reinterpretAsInts()
        .lanewise(VectorOperators.AND, 0x80000000)
        .lanewise(VectorOperators.OR, magnitude.reinterpretAsInts())
        .reinterpretAsFloats();
  }

  static FloatVector constant(FloatVector like, float value) {
    return FloatVector.broadcast(like.species(), value);
  }
}
