package carousel.tensor.cpu.vector;

import static carousel.tensor.cpu.vector.F32Bodies.constant;
import static carousel.tensor.cpu.vector.F32Bodies.powerOfTwo;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;

/**
 * Bodies on f32 that take logarithms. Each writes x = 2ᵏ·(1 + f) with 1 + f between √½ and √2, so that
 * ln x = k ln 2 + ln(1 + f) cancels nowhere.
 */
final class F32Logarithms {
  /** Bits of √½. */
  private static final int SQRT_HALF = 0x3f3504f3;

  private F32Logarithms() {}

  /** ln x, to 1 ulp; −∞ at 0, NaN below. */
  static FloatVector log(FloatVector x) {
    // Subnormal numbers, and negative ones, which have no logarithm, times 2²⁴.
    var small = x.compare(VectorOperators.LT, Float.MIN_NORMAL);
    FloatVector normal = x.blend(x.mul(0x1p24f), small);
    IntVector k = exponent(normal);
    FloatVector whole = whole(k).sub(constant(x, 0f).blend(24f, small));
    return atEdges(sum(whole, mantissa(normal, k).sub(1f)), x, 0f);
  }

  /**
   * ln(1 + x), to 2 ulp. k is that of the rounded 1 + x, and f = 2⁻ᵏ·x + (2⁻ᵏ − 1) is rounded once; so
   * what rounding takes from 1 + x does no harm.
   */
  static FloatVector log1p(FloatVector x) {
    FloatVector u = x.add(1f);
    IntVector k = exponent(u);
    FloatVector scale = powerOfTwo(k.neg());
    FloatVector f = x.fma(scale, scale.sub(1f));
    // Where 1 is less than an ulp of x, its scale may underflow; the mantissa will do.
    f = f.blend(mantissa(u, k).sub(1f), x.compare(VectorOperators.GT, 0x1p30f));
    FloatVector ln = atEdges(sum(whole(k), f), x, -1f);
    // The sum would lose the sign of −0.
    return ln.blend(x, x.abs().compare(VectorOperators.LT, 0x1p-30f));
  }

  /** a^b to 1 ulp, in double precision: b ln a has an exponent's worth of bits more than the result. */
  static FloatVector pow(FloatVector a, FloatVector b) {
    FloatVector magnitude = a.abs();
    FloatVector p =
        F32Bodies.joined(
            F64Logarithms.roughPow(F32Bodies.low(magnitude), F32Bodies.low(b)),
            F64Logarithms.roughPow(F32Bodies.high(magnitude), F32Bodies.high(b)));
    FloatVector one = constant(a, 1f);
    p =
        p.blend(
            one, b.compare(VectorOperators.EQ, 0f).or(magnitude.compare(VectorOperators.EQ, one)));
    var broken = b.compare(VectorOperators.NE, F32Bodies.round(b));
    var negative =
        a.compare(VectorOperators.LT, 0f)
            .and(a.compare(VectorOperators.GT, Float.NEGATIVE_INFINITY));
    p = p.blend(Float.NaN, broken.and(negative));
    FloatVector half = b.mul(0.5f);
    var odd = half.compare(VectorOperators.NE, F32Bodies.round(half)).andNot(broken);
    return p.blend(F32Bodies.withSign(p, a), odd);
  }

  /** k ln 2 + ln(1 + f) with ln(1 + f) = f − ½f² + f³·P(f), a minimax fit (5.8e-9). */
  private static FloatVector sum(FloatVector k, FloatVector f) {
    FloatVector q = f.mul(f);
    FloatVector p = constant(f, -0.07634498f).fma(f, constant(f, 0.12761578f));
    p = p.fma(f, constant(f, -0.13160183f));
    p = p.fma(f, constant(f, 0.14201757f));
    p = p.fma(f, constant(f, -0.16623357f));
    p = p.fma(f, constant(f, 0.20001227f));
    p = p.fma(f, constant(f, -0.2500082f));
    p = p.fma(f, constant(f, 0.3333333f));
    FloatVector small = p.mul(f).fma(q, k.mul(1.42860677e-6f));
    small = q.fma(constant(f, -0.5f), small).add(f);
    return k.fma(constant(f, 0.693145752f), small);
  }

  /** The logarithm, or −∞ where x is {@code pole}, NaN below it; ∞ and NaN stay as they are. */
  private static FloatVector atEdges(FloatVector ln, FloatVector x, float pole) {
    FloatVector y = x.blend(ln, x.compare(VectorOperators.LT, Float.POSITIVE_INFINITY));
    y = y.blend(Float.NEGATIVE_INFINITY, x.compare(VectorOperators.EQ, pole));
    return y.blend(Float.NaN, x.compare(VectorOperators.LT, pole));
  }

  /** k of a normal number. */
  private static IntVector exponent(FloatVector x) {
    return x.reinterpretAsInts().sub(SQRT_HALF).lanewise(VectorOperators.ASHR, 23);
  }

  /** 1 + f = 2⁻ᵏ·x. */
  private static FloatVector mantissa(FloatVector x, IntVector k) {
    return x.reinterpretAsInts().sub(k.lanewise(VectorOperators.LSHL, 23)).reinterpretAsFloats();
  }

  /** k as f32, for |k| below 2²²: by its place in the low bits of 1.5·2²³. */
  private static FloatVector whole(IntVector k) {
    return k.add(0x4b400000).reinterpretAsFloats().sub(12582912f);
  }
}
