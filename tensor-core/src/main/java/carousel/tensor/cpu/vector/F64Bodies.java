package carousel.tensor.cpu.vector;

import jdk.incubator.vector.DoubleVector;
import jdk.incubator.vector.LongVector;
import jdk.incubator.vector.VectorOperators;

/** Bodies on f64. */
final class F64Bodies {
  /** 1.5·2⁵². */
  private static final double MAGIC = 0x1.8p52;

  private F64Bodies() {}

  /**
   * eˣ, to 1 ulp, subnormal results and overflow to ∞ included. eˣ = 2ⁿ·eʳ with n = round(x / ln 2), r =
   * x − n ln 2 and the Taylor polynomial of degree 13 for eʳ (4e-18 at |r| = ½ ln 2).
   */
  static DoubleVector exp(DoubleVector v) {
    DoubleVector x = clamped(v);
    DoubleVector shifted = shifted(x);
    return raised(exponential(reduced(x, shifted)), shifted);
  }

  /** e^(x + low) where low is small beside x. */
  static DoubleVector expOfSum(DoubleVector v, DoubleVector low) {
    DoubleVector x = clamped(v);
    DoubleVector shifted = shifted(x);
    // Where x is out of range, or NaN, low has no meaning.
    DoubleVector more = constant(v, 0).blend(low, v.abs().compare(VectorOperators.LT, 800.0));
    return raised(exponential(reduced(x, shifted).add(more)), shifted);
  }

  /** eˣ − 1 = 2ⁿ·(eʳ − 1) + (2ⁿ − 1), to 2 ulp. */
  static DoubleVector expm1(DoubleVector v) {
    DoubleVector low = constant(v, -40);
    DoubleVector x = clamped(v);
    x = x.blend(low, x.compare(VectorOperators.LT, low));
    DoubleVector shifted = shifted(x);
    // Half of it, because 2ⁿ may be out of range where the difference is not.
    LongVector n = shifted.sub(1).reinterpretAsLongs().sub(constant(v, MAGIC).reinterpretAsLongs());
    DoubleVector half = powerOfTwo(n);
    DoubleVector y = exponentialLess1(reduced(x, shifted)).fma(half, half.sub(0.5)).mul(2);
    // The sum would lose the sign of −0, and half of a subnormal number a bit.
    return y.blend(v, v.abs().compare(VectorOperators.LT, 0x1p-60));
  }

  /** Beyond these eˣ is 0 or infinite anyway; a NaN is not below or above anything. */
  private static DoubleVector clamped(DoubleVector v) {
    DoubleVector low = constant(v, -750);
    DoubleVector high = constant(v, 710);
    DoubleVector x = v.blend(low, v.compare(VectorOperators.LT, low));
    return x.blend(high, v.compare(VectorOperators.GT, high));
  }

  /** n + 1.5·2⁵²: rounded to an integer, which is then also found in the low bits. */
  private static DoubleVector shifted(DoubleVector x) {
    return x.fma(constant(x, 1.4426950408889634), constant(x, MAGIC));
  }

  private static DoubleVector reduced(DoubleVector x, DoubleVector shifted) {
    DoubleVector n = shifted.sub(constant(x, MAGIC));
    DoubleVector r = n.fma(constant(x, -0x1.62e42fee00000p-1), x);
    return n.fma(constant(x, -0x1.a39ef35793c76p-33), r);
  }

  private static DoubleVector exponential(DoubleVector r) {
    return exponentialLess1(r).add(constant(r, 1));
  }

  private static DoubleVector exponentialLess1(DoubleVector r) {
    DoubleVector p = constant(r, 1.0 / 6227020800L).fma(r, constant(r, 1.0 / 479001600));
    p = p.fma(r, constant(r, 1.0 / 39916800));
    p = p.fma(r, constant(r, 1.0 / 3628800));
    p = p.fma(r, constant(r, 1.0 / 362880));
    p = p.fma(r, constant(r, 1.0 / 40320));
    p = p.fma(r, constant(r, 1.0 / 5040));
    p = p.fma(r, constant(r, 1.0 / 720));
    p = p.fma(r, constant(r, 1.0 / 120));
    p = p.fma(r, constant(r, 1.0 / 24));
    p = p.fma(r, constant(r, 1.0 / 6));
    p = p.fma(r, constant(r, 0.5));
    return p.mul(r).fma(r, r);
  }

  /** 2ⁿ·p in two halves, because n reaches from −1082 to 1024; only the last product may underflow. */
  private static DoubleVector raised(DoubleVector p, DoubleVector shifted) {
    LongVector whole = shifted.reinterpretAsLongs().sub(constant(p, MAGIC).reinterpretAsLongs());
    LongVector half = whole.lanewise(VectorOperators.ASHR, 1);
    return p.mul(powerOfTwo(half)).mul(powerOfTwo(whole.sub(half)));
  }

  /** 2ⁿ as f64 for −1022 ≤ n ≤ 1023. */
  static DoubleVector powerOfTwo(LongVector n) {
    return n.add(1023).lanewise(VectorOperators.LSHL, 52).reinterpretAsDoubles();
  }

  /** max(x, 0) + ln(1 + e^−|x|), to 3 ulp. */
  static DoubleVector softplus(DoubleVector x) {
    return x.max(0).add(F64Logarithms.log1p(exp(x.abs().neg())));
  }

  static DoubleVector elu(DoubleVector x, DoubleVector alpha) {
    return alpha.mul(expm1(x)).blend(x, x.compare(VectorOperators.GT, 0));
  }

  /** σ(x), to 3 ulp. */
  static DoubleVector sigmoid(DoubleVector x) {
    return logistic(notBelow(x, -760), constant(x, 1));
  }

  /** numerator / (1 + e⁻ˣ) for x ≥ −760, as {@link F32Bodies} does it. */
  private static DoubleVector logistic(DoubleVector x, DoubleVector numerator) {
    // Above 40 the denominator is 1.
    DoubleVector high = constant(x, 40);
    DoubleVector v = x.blend(high, x.compare(VectorOperators.GT, high)).neg();
    DoubleVector shifted = shifted(v);
    DoubleVector m = exponentialLess1(reduced(v, shifted));
    LongVector n = shifted.reinterpretAsLongs().sub(constant(v, MAGIC).reinterpretAsLongs());
    LongVector within = n.min(1000);
    DoubleVector scale = powerOfTwo(within);
    DoubleVector denominator = m.fma(scale, scale.add(1));
    return numerator.div(denominator).mul(powerOfTwo(within.sub(n)));
  }

  /** The greater of two numbers, one of which is no NaN; a NaN is not below anything, and stays. */
  private static DoubleVector notBelow(DoubleVector x, double low) {
    DoubleVector least = constant(x, low);
    return x.blend(least, x.compare(VectorOperators.LT, least));
  }

  /**
   * tanh x: below 0.625 {@code x + x·q·P(q)/Q(q)} with q = x² and the minimax fit of Moshier's Cephes
   * library, above {@code 1 − 2/(1 + e^2|x|)}, so that nothing cancels. At most 2 ulp.
   */
  static DoubleVector tanh(DoubleVector x) {
    DoubleVector magnitude = x.abs();
    DoubleVector q = x.mul(x);
    DoubleVector p =
        constant(x, -9.64399179425052238628e-1).fma(q, constant(x, -9.92877231001918586564e1));
    p = p.fma(q, constant(x, -1.61468768441708447952e3));
    DoubleVector d = q.add(constant(x, 1.12811678491632931402e2));
    d = d.fma(q, constant(x, 2.23548839060100448583e3));
    d = d.fma(q, constant(x, 4.84406305325125486048e3));
    DoubleVector inner = q.mul(p.div(d)).fma(magnitude, magnitude);
    // From 19.1 on the result is 1; a NaN is not above anything.
    DoubleVector high = constant(x, 40);
    DoubleVector v = magnitude.add(magnitude);
    v = v.blend(high, v.compare(VectorOperators.GT, high));
    DoubleVector shifted = shifted(v);
    DoubleVector m = exponentialLess1(reduced(v, shifted));
    DoubleVector scale =
        powerOfTwo(shifted.reinterpretAsLongs().sub(constant(x, MAGIC).reinterpretAsLongs()));
    DoubleVector one = constant(x, 1);
    DoubleVector outer = one.sub(constant(x, 2).div(m.fma(scale, scale.add(one))));
    return withSign(inner.blend(outer, magnitude.compare(VectorOperators.GE, 0.625)), x);
  }

  /** x·σ(x), where σ(x) may be out of range though the product is not. */
  static DoubleVector silu(DoubleVector x) {
    DoubleVector v = notBelow(x, -760);
    return logistic(v, v);
  }

  /** x/(1 + |x|), and ±1 at ±∞, where the quotient is none. */
  static DoubleVector softsign(DoubleVector x) {
    DoubleVector one = constant(x, 1);
    DoubleVector magnitude = x.abs();
    return x.div(magnitude.add(one))
        .blend(withSign(one, x), magnitude.compare(VectorOperators.EQ, Double.POSITIVE_INFINITY));
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
  static DoubleVector roughGelu(DoubleVector of) {
    DoubleVector x = notBelow(of, -1000); // −0 at −∞, too
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
  static DoubleVector withSign(DoubleVector magnitude, DoubleVector x) {
    return x.reinterpretAsLongs()
        .lanewise(VectorOperators.AND, Long.MIN_VALUE)
        .lanewise(VectorOperators.OR, magnitude.reinterpretAsLongs())
        .reinterpretAsDoubles();
  }

  static DoubleVector constant(DoubleVector like, double value) {
    return DoubleVector.broadcast(like.species(), value);
  }
}
