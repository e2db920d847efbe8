package carousel.tensor.cpu.vector;

import static carousel.tensor.cpu.vector.F64Bodies.constant;
import static carousel.tensor.cpu.vector.F64Bodies.powerOfTwo;

import jdk.incubator.vector.DoubleVector;
import jdk.incubator.vector.LongVector;
import jdk.incubator.vector.VectorOperators;

/**
 * Bodies on f64 that take logarithms. Each writes x = 2ᵏ·(1 + f) with 1 + f between √½ and √2, so that
 * ln x = k ln 2 + ln(1 + f) cancels nowhere.
 */
final class F64Logarithms {
  /** Bits of √½. */
  private static final long SQRT_HALF = 0x3fe6a09e667f3bcdL;

  private F64Logarithms() {}

  /** ln x, to 1 ulp; −∞ at 0, NaN below. */
  static DoubleVector log(DoubleVector x) {
    DoubleVector normal = normal(x);
    LongVector k = exponent(normal);
    DoubleVector whole = whole(k).sub(lift(x));
    DoubleVector ln = sum(whole, mantissa(normal, k).sub(1));
    return atEdges(ln, x, 0);
  }

  /**
   * ln(1 + x), to 2 ulp. k is that of the rounded 1 + x, and f = 2⁻ᵏ·x + (2⁻ᵏ − 1) is rounded once; so
   * what rounding takes from 1 + x does no harm.
   */
  static DoubleVector log1p(DoubleVector x) {
    DoubleVector u = x.add(1);
    LongVector k = exponent(u);
    DoubleVector scale = powerOfTwo(k.neg());
    DoubleVector f = x.fma(scale, scale.sub(1));
    // Where 1 is less than an ulp of x, its scale may underflow; the mantissa will do.
    f = f.blend(mantissa(u, k).sub(1), x.compare(VectorOperators.GT, 0x1p60));
    DoubleVector ln = atEdges(sum(whole(k), f), x, -1);
    // The sum would lose the sign of −0.
    return ln.blend(x, x.abs().compare(VectorOperators.LT, 0x1p-60));
  }

  /**
   * a^b = e^(b ln a), to 2 ulp: ln a is found as a sum of two numbers, with 66 bits, of which the
   * multiplication by b and the exponential leave 53. Special cases as in C.
   */
  static DoubleVector pow(DoubleVector a, DoubleVector b) {
    DoubleVector magnitude = a.abs();
    DoubleVector normal = normal(magnitude);
    LongVector exponent = exponent(normal);
    DoubleVector k = whole(exponent).sub(lift(magnitude));
    // t = f/(2 + f), in two parts like everything that follows.
    DoubleVector f = mantissa(normal, exponent).sub(1);
    DoubleVector d = f.add(2);
    DoubleVector dLow = constant(a, 2).sub(d).add(f);
    DoubleVector inverse = constant(a, 1).div(d);
    DoubleVector t = f.mul(inverse);
    DoubleVector rest = t.neg().fma(dLow, t.neg().fma(d, f));
    DoubleVector tLow = rest.mul(inverse);
    // ln(1 + f) = 2t·(1 + q/3 + q²·P(q)) with q = t²: a minimax fit of 1.2e-20.
    DoubleVector q = t.mul(t);
    DoubleVector qLow = t.fma(t, q.neg()).add(t.mul(tLow).mul(2));
    DoubleVector p = constant(a, 0.0659887450969679).fma(q, constant(a, 0.06628334475832316));
    p = p.fma(q, constant(a, 0.07693381763628147));
    p = p.fma(q, constant(a, 0.09090892118560691));
    p = p.fma(q, constant(a, 0.1111111126067666));
    p = p.fma(q, constant(a, 0.14285714285045947));
    p = p.fma(q, constant(a, 0.20000000000001136)).mul(q).mul(q);
    DoubleVector third = constant(a, 0x1.5555555555555p-2);
    DoubleVector s = q.mul(third);
    DoubleVector sLow = q.fma(third, s.neg()).add(q.mul(0x1.5555555555555p-56));
    sLow = qLow.fma(third, sLow);
    DoubleVector series = s.add(p);
    DoubleVector seriesLow = s.sub(series).add(p).add(sLow);
    t = t.add(t);
    tLow = tLow.add(tLow);
    DoubleVector product = t.mul(series);
    DoubleVector productLow = t.fma(series, product.neg());
    productLow = t.fma(seriesLow, tLow.fma(series, productLow));
    DoubleVector ln = t.add(product);
    DoubleVector lnLow = t.sub(ln).add(product).add(productLow).add(tLow);
    DoubleVector large = k.mul(0x1.62e42fee00000p-1);
    DoubleVector sum = large.add(ln);
    DoubleVector sumLow =
        large.sub(sum).add(ln).add(k.fma(constant(a, 0x1.a39ef35793c76p-33), lnLow));
    sum = sum.blend(Double.NEGATIVE_INFINITY, a.compare(VectorOperators.EQ, 0));
    sum = magnitude.blend(sum, magnitude.compare(VectorOperators.LT, Double.POSITIVE_INFINITY));
    DoubleVector y = b.mul(sum);
    DoubleVector yLow = b.fma(sumLow, b.fma(sum, y.neg()));
    return powerOf(a, b, F64Bodies.expOfSum(y, yLow));
  }

  /** a^b for a ≥ 0 to 1e-9, which serves f32: 2^(b log₂ a). */
  static DoubleVector roughPow(DoubleVector a, DoubleVector b) {
    // Subnormal numbers of f32 are normal here.
    LongVector k = exponent(a);
    DoubleVector m = mantissa(a, k);
    DoubleVector t = m.sub(1).div(m.add(1));
    DoubleVector q = t.mul(t);
    DoubleVector p = constant(a, 0.34074899338260123).fma(q, constant(a, 0.41167174509238086));
    p = p.fma(q, constant(a, 0.5770836003423696));
    p = p.fma(q, constant(a, 0.9617966732662245));
    p = p.fma(q, constant(a, 2.885390081790142));
    DoubleVector log = p.fma(t, whole(k));
    log = log.blend(Double.NEGATIVE_INFINITY, a.compare(VectorOperators.EQ, 0));
    log = a.blend(log, a.compare(VectorOperators.LT, Double.POSITIVE_INFINITY));
    DoubleVector y = b.mul(log);
    // Far beyond what f32 can hold. A NaN is not below or above anything.
    y = y.blend(-1000, y.compare(VectorOperators.LT, -1000));
    y = y.blend(1000, y.compare(VectorOperators.GT, 1000));
    DoubleVector magic = constant(a, 0x1.8p52);
    DoubleVector shifted = y.add(magic);
    DoubleVector r = y.sub(shifted.sub(magic));
    DoubleVector e = constant(a, 0.0001534578899656693).fma(r, constant(a, 0.001339995763279326));
    e = e.fma(r, constant(a, 0.009618489244468594));
    e = e.fma(r, constant(a, 0.055503287117864314));
    e = e.fma(r, constant(a, 0.2402264688607531));
    e = e.fma(r, constant(a, 0.6931472057671565));
    e = e.fma(r, constant(a, 1));
    return e.mul(powerOfTwo(shifted.reinterpretAsLongs().sub(magic.reinterpretAsLongs())));
  }

  /** {@code p = |a|^b} with the sign and the exceptions of a^b. */
  private static DoubleVector powerOf(DoubleVector a, DoubleVector b, DoubleVector p) {
    DoubleVector one = constant(a, 1);
    p = p.blend(one, b.compare(VectorOperators.EQ, 0).or(a.abs().compare(VectorOperators.EQ, one)));
    var broken = b.compare(VectorOperators.NE, F64Bodies.round(b));
    var negative =
        a.compare(VectorOperators.LT, 0)
            .and(a.compare(VectorOperators.GT, Double.NEGATIVE_INFINITY));
    p = p.blend(Double.NaN, broken.and(negative));
    DoubleVector half = b.mul(0.5);
    var odd = half.compare(VectorOperators.NE, F64Bodies.round(half)).andNot(broken);
    return p.blend(F64Bodies.withSign(p, a), odd);
  }

  /** k ln 2 + ln(1 + f), with the fit of Sun's fdlibm. */
  private static DoubleVector sum(DoubleVector k, DoubleVector f) {
    DoubleVector s = f.div(f.add(2));
    DoubleVector z = s.mul(s);
    DoubleVector p =
        constant(f, 1.479819860511658591e-01).fma(z, constant(f, 1.531383769920937332e-01));
    p = p.fma(z, constant(f, 1.818357216161805012e-01));
    p = p.fma(z, constant(f, 2.222219843214978396e-01));
    p = p.fma(z, constant(f, 2.857142874366239149e-01));
    p = p.fma(z, constant(f, 3.999999999940941908e-01));
    p = p.fma(z, constant(f, 6.666666666666735130e-01));
    DoubleVector half = f.mul(f).mul(0.5);
    DoubleVector low = k.mul(0x1.a39ef35793c76p-33);
    DoubleVector small = s.fma(p.fma(z, half), low).sub(half).add(f);
    return k.fma(constant(f, 0x1.62e42fee00000p-1), small);
  }

  /** The logarithm, or −∞ where x is {@code pole}, NaN below it; ∞ and NaN stay as they are. */
  private static DoubleVector atEdges(DoubleVector ln, DoubleVector x, double pole) {
    DoubleVector y = x.blend(ln, x.compare(VectorOperators.LT, Double.POSITIVE_INFINITY));
    y = y.blend(Double.NEGATIVE_INFINITY, x.compare(VectorOperators.EQ, pole));
    return y.blend(Double.NaN, x.compare(VectorOperators.LT, pole));
  }

  /** x, times 2⁵⁴ where it is subnormal (or negative, which has no logarithm). */
  private static DoubleVector normal(DoubleVector x) {
    return x.blend(x.mul(0x1p54), x.compare(VectorOperators.LT, Double.MIN_NORMAL));
  }

  /** 54 where {@link #normal} multiplied. */
  private static DoubleVector lift(DoubleVector x) {
    return constant(x, 0).blend(54, x.compare(VectorOperators.LT, Double.MIN_NORMAL));
  }

  /** k of a normal number. */
  private static LongVector exponent(DoubleVector x) {
    return x.reinterpretAsLongs().sub(SQRT_HALF).lanewise(VectorOperators.ASHR, 52);
  }

  /** 1 + f = 2⁻ᵏ·x. */
  private static DoubleVector mantissa(DoubleVector x, LongVector k) {
    return x.reinterpretAsLongs().sub(k.lanewise(VectorOperators.LSHL, 52)).reinterpretAsDoubles();
  }

  /** k as f64, for |k| below 2⁵¹: by its place in the low bits of 1.5·2⁵². */
  private static DoubleVector whole(LongVector k) {
    return k.add(0x4338000000000000L).reinterpretAsDoubles().sub(0x1.8p52);
  }
}
