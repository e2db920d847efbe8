package carousel.tensor.cpu.vector;

import jdk.incubator.vector.DoubleVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.Vector;
import jdk.incubator.vector.VectorOperators;

/** Bodies on f32. */
final class F32Bodies {
  /** Bits of 10. */
  private static final int TEN = 0x41200000;

  private F32Bodies() {}

  /**
   * eˣ, to 1 ulp, subnormal results and overflow to ∞ included. eˣ = 2ⁿ·eʳ with n = round(x / ln 2) and r =
   * x − n ln 2.
   */
  static FloatVector exp(FloatVector v) {
    FloatVector low = constant(v, -160f);
    FloatVector high = constant(v, 89f);
    // Beyond these the result is 0 or infinite anyway; a NaN is not below or above anything.
    FloatVector x = v.blend(low, v.compare(VectorOperators.LT, low));
    x = x.blend(high, v.compare(VectorOperators.GT, high));
    // Adding 1.5·2²³ rounds to an integer, which is then also found in the low bits.
    FloatVector magic = constant(v, 12582912f);
    FloatVector shifted = x.fma(constant(v, 1.44269504f), magic);
    FloatVector p = exponentialLess1(reduced(x, shifted.sub(magic))).add(constant(v, 1f));
    // 2ⁿ in two halves, because n reaches from −231 to 128; only the last product may underflow.
    IntVector whole = shifted.reinterpretAsInts().sub(magic.reinterpretAsInts());
    IntVector half = whole.lanewise(VectorOperators.ASHR, 1);
    IntVector other = whole.sub(half);
    return p.mul(powerOfTwo(half)).mul(powerOfTwo(other));
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

  /** σ(x), to 2.5 ulp, and never falling. */
  static FloatVector sigmoid(FloatVector x) {
    return logistic(notBelow(x, -150f), constant(x, 1f));
  }

  /**
   * numerator / (1 + e⁻ˣ) for x ≥ −150, on both sides of 0, subnormal results included. With e⁻ˣ = 2ⁿ·(1 + m) the
   * denominator is 2ⁿ·m + (2ⁿ + 1), rounded once; what n has beyond 100 is left to the quotient, because
   * the denominator would overflow before the quotient has underflown.
   */
  private static FloatVector logistic(FloatVector x, FloatVector numerator) {
    // Above 40 the denominator is 1.
    FloatVector high = constant(x, 40f);
    FloatVector v = x.blend(high, x.compare(VectorOperators.GT, high)).neg();
    FloatVector magic = constant(v, 12582912f);
    FloatVector shifted = v.fma(constant(v, 1.44269504f), magic);
    FloatVector m = exponentialLess1(reduced(v, shifted.sub(magic)));
    IntVector n = shifted.reinterpretAsInts().sub(magic.reinterpretAsInts());
    IntVector within = n.min(100);
    FloatVector scale = powerOfTwo(within);
    FloatVector denominator = m.fma(scale, scale.add(1f));
    return numerator.div(denominator).mul(powerOfTwo(within.sub(n)));
  }

  /**
   * tanh x, to 1 ulp, odd and never falling: x + x³·P(x²) below 1 with a minimax fit of degree 6 (5e-9),
   * {@code 1 − 2/(1 + e^2|x|)} above. There 1 + 2ⁿ·(1 + m) is 2ⁿ·m + (2ⁿ + 1), rounded once, so that
   * neighbours come out in their order.
   */
  static FloatVector tanh(FloatVector x) {
    FloatVector magnitude = x.abs();
    // From 9.02 on the result is 1; by its bits, in one instruction, because a NaN takes the other
    // way.
    FloatVector v = magnitude.reinterpretAsInts().min(TEN).reinterpretAsFloats();
    // The low bits of this are n + 127, those of 2ⁿ once they are shifted to their place.
    FloatVector magic = constant(x, 12583039f);
    FloatVector shifted = v.fma(constant(x, 2.88539008f), magic);
    // All halved, so that v needs no doubling: ½r, and ½(eʳ − 1) with the fit of exponentialLess1.
    FloatVector n = shifted.sub(magic);
    FloatVector r = n.fma(constant(x, -0.5f * 0.693145752f), v);
    r = n.fma(constant(x, -0.5f * 1.42860677e-6f), r);
    FloatVector m = constant(x, 32 * 0.0013814474f).fma(r, constant(x, 16 * 0.008368781f));
    m = m.fma(r, constant(x, 8 * 0.041668393f));
    m = m.fma(r, constant(x, 4 * 0.1666652f));
    m = m.fma(r, constant(x, 2 * 0.49999994f));
    m = m.mul(r).fma(r, r);
    FloatVector scale =
        shifted.reinterpretAsInts().lanewise(VectorOperators.LSHL, 23).reinterpretAsFloats();
    FloatVector half = constant(x, 0.5f);
    FloatVector one = constant(x, 1f);
    FloatVector outer = one.sub(one.div(m.fma(scale, scale.fma(half, half))));
    FloatVector q = x.mul(x);
    FloatVector p = constant(x, -0.00035845215f).fma(q, constant(x, 0.0023013651f));
    p = p.fma(q, constant(x, -0.007946107f));
    p = p.fma(q, constant(x, 0.021486658f));
    p = p.fma(q, constant(x, -0.0538798f));
    p = p.fma(q, constant(x, 0.13332345f));
    p = p.fma(q, constant(x, -0.33333296f));
    FloatVector inner = p.mul(q).fma(magnitude, magnitude);
    return withSign(inner.blend(outer, magnitude.compare(VectorOperators.GE, one)), x);
  }

  /** The greater of two numbers, one of which is no NaN; a NaN is not below anything, and stays. */
  private static FloatVector notBelow(FloatVector x, float low) {
    return x.blend(low, x.compare(VectorOperators.LT, low));
  }

  /** r = x − n ln 2. */
  private static FloatVector reduced(FloatVector x, FloatVector n) {
    FloatVector r = n.fma(constant(x, -0.693145752f), x);
    return n.fma(constant(x, -1.42860677e-6f), r);
  }

  /** eʳ − 1 for |r| ≤ ½ ln 2, a minimax polynomial of degree 6 (3e-9). */
  private static FloatVector exponentialLess1(FloatVector r) {
    FloatVector p = constant(r, 0.0013814474f).fma(r, constant(r, 0.008368781f));
    p = p.fma(r, constant(r, 0.041668393f));
    p = p.fma(r, constant(r, 0.1666652f));
    p = p.fma(r, constant(r, 0.49999994f));
    return p.mul(r).fma(r, r);
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

  /** x·σ(x), where σ(x) may be out of range though the product is not. */
  static FloatVector silu(FloatVector x) {
    FloatVector v = notBelow(x, -150f);
    return logistic(v, v);
  }

  /** x + x·P(x²) up to 1, 1 − erfc|x| with the sign of x above. At most 1 ulp. */
  static FloatVector erf(FloatVector x) {
    FloatVector magnitude = x.abs();
    FloatVector outer = constant(x, 1f).sub(erfc(magnitude));
    FloatVector y = innerErf(magnitude).blend(outer, magnitude.compare(VectorOperators.GT, 1f));
    return withSign(y, x);
  }

  /** erf x for |x| ≤ 1: x + x·P(x²), a minimax fit (1.3e-9). */
  private static FloatVector innerErf(FloatVector x) {
    FloatVector q = x.mul(x);
    FloatVector p = constant(x, 7.85386441e-5f).fma(q, constant(x, -0.000801019466f));
    p = p.fma(q, constant(x, 0.00518832781f));
    p = p.fma(q, constant(x, -0.026853812f));
    p = p.fma(q, constant(x, 0.112835852f));
    p = p.fma(q, constant(x, -0.376126258f));
    p = p.fma(q, constant(x, 0.12837917f));
    return p.fma(x, x);
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
