package carousel.tensor.cpu.vector;

import static carousel.tensor.cpu.vector.F64Bodies.constant;

import jdk.incubator.vector.DoubleVector;
import jdk.incubator.vector.LongVector;
import jdk.incubator.vector.VectorOperators;

/**
 * Sine, cosine and tangent on f64, of arguments up to {@link #LIMIT}. With n = round(x / ½π) and r = x −
 * n·½π they are sin r or cos r or their quotient, by n mod 4. ½π stands in three parts of 53 bits:
 * n times the first is subtracted without any rounding, because a fused multiplication rounds the
 * difference alone, which fits.
 */
final class F64Angles {
  /** The largest magnitude that the reduction is good for, 2⁴⁵. */
  static final double LIMIT = 0x1p45;

  private static final double TWO_BY_PI = 0x1.45f306dc9c883p-1;
  private static final double FIRST = 0x1.921fb54442d18p+0;
  private static final double SECOND = 0x1.1a62633145c07p-54;
  private static final double THIRD = -0x1.f1976b8p-110;

  private F64Angles() {}

  /** sin x, to 1 ulp. */
  static DoubleVector sinWithin(DoubleVector x) {
    DoubleVector shifted = shifted(x);
    LongVector n = shifted.reinterpretAsLongs();
    DoubleVector hi = reduced(x, shifted);
    DoubleVector lo = reducedLow(x, shifted, hi);
    return turned(sine(hi, lo), cosine(hi, lo), n)
        .blend(x, x.abs().compare(VectorOperators.LT, 0x1p-27));
  }

  /** cos x, to 1 ulp. */
  static DoubleVector cosWithin(DoubleVector x) {
    DoubleVector shifted = shifted(x);
    LongVector n = shifted.reinterpretAsLongs();
    DoubleVector hi = reduced(x, shifted);
    DoubleVector lo = reducedLow(x, shifted, hi);
    return turned(sine(hi, lo), cosine(hi, lo), n.add(1));
  }

  /** tan x, to 3 ulp. */
  static DoubleVector tanWithin(DoubleVector x) {
    DoubleVector shifted = shifted(x);
    DoubleVector hi = reduced(x, shifted);
    DoubleVector lo = reducedLow(x, shifted, hi);
    return quotient(sine(hi, lo), cosine(hi, lo), shifted.reinterpretAsLongs())
        .blend(x, x.abs().compare(VectorOperators.LT, 0x1p-27));
  }

  /** sin x to 1e-9, which serves f32. */
  static DoubleVector roughSin(DoubleVector x) {
    DoubleVector shifted = shifted(x);
    DoubleVector r = roughlyReduced(x, shifted);
    return turned(roughSine(r), roughCosine(r), shifted.reinterpretAsLongs());
  }

  /** cos x to 1e-9. */
  static DoubleVector roughCos(DoubleVector x) {
    DoubleVector shifted = shifted(x);
    DoubleVector r = roughlyReduced(x, shifted);
    return turned(roughSine(r), roughCosine(r), shifted.reinterpretAsLongs().add(1));
  }

  /** tan x to 1e-9. */
  static DoubleVector roughTan(DoubleVector x) {
    DoubleVector shifted = shifted(x);
    DoubleVector r = roughlyReduced(x, shifted);
    return quotient(roughSine(r), roughCosine(r), shifted.reinterpretAsLongs());
  }

  /** n + 1.5·2⁵²: rounded to an integer, which is then also found in the low bits. */
  private static DoubleVector shifted(DoubleVector x) {
    return x.fma(constant(x, TWO_BY_PI), constant(x, 0x1.8p52));
  }

  /** x − n·FIRST, exactly. */
  private static DoubleVector remainder(DoubleVector x, DoubleVector n) {
    return n.fma(constant(x, -FIRST), x);
  }

  /** r to 1e-16, not relative to r. */
  private static DoubleVector roughlyReduced(DoubleVector x, DoubleVector shifted) {
    DoubleVector n = shifted.sub(constant(x, 0x1.8p52));
    return n.fma(constant(x, -SECOND), remainder(x, n));
  }

  /** r, rounded. */
  private static DoubleVector reduced(DoubleVector x, DoubleVector shifted) {
    DoubleVector n = shifted.sub(constant(x, 0x1.8p52));
    return remainder(x, n).sub(n.mul(SECOND));
  }

  /** What rounding took from r. */
  private static DoubleVector reducedLow(DoubleVector x, DoubleVector shifted, DoubleVector hi) {
    DoubleVector n = shifted.sub(constant(x, 0x1.8p52));
    DoubleVector first = remainder(x, n);
    DoubleVector second = n.mul(SECOND);
    DoubleVector secondLow = n.fma(constant(x, SECOND), second.neg());
    // (first − second) − hi, exactly, whichever is greater.
    DoubleVector other = hi.sub(first);
    DoubleVector lost = first.sub(hi.sub(other)).sub(second.add(other));
    return lost.sub(n.fma(constant(x, THIRD), secondLow));
  }

  /** sin(hi + lo) up to ¼π, with the fit of Sun's fdlibm. */
  private static DoubleVector sine(DoubleVector hi, DoubleVector lo) {
    DoubleVector q = hi.mul(hi);
    DoubleVector p =
        constant(hi, 1.58969099521155010221e-10).fma(q, constant(hi, -2.50507602534068634195e-08));
    p = p.fma(q, constant(hi, 2.75573137070700676789e-06));
    p = p.fma(q, constant(hi, -1.98412698298579493134e-04));
    p = p.fma(q, constant(hi, 8.33333333332248946124e-03));
    DoubleVector cube = q.mul(hi);
    DoubleVector more = q.mul(lo.mul(0.5).sub(cube.mul(p))).sub(lo);
    return hi.sub(more.sub(cube.mul(-1.66666666666666324348e-01)));
  }

  /** cos(hi + lo) up to ¼π, with the fit of Sun's fdlibm. */
  private static DoubleVector cosine(DoubleVector hi, DoubleVector lo) {
    DoubleVector q = hi.mul(hi);
    DoubleVector p =
        constant(hi, -1.13596475577881948265e-11).fma(q, constant(hi, 2.08757232129817482790e-09));
    p = p.fma(q, constant(hi, -2.75573143513906633035e-07));
    p = p.fma(q, constant(hi, 2.48015872894767294178e-05));
    p = p.fma(q, constant(hi, -1.38888888888741095749e-03));
    p = p.fma(q, constant(hi, 4.16666666666666019037e-02)).mul(q);
    DoubleVector half = q.mul(0.5);
    DoubleVector one = constant(hi, 1);
    DoubleVector w = one.sub(half);
    return w.add(one.sub(w).sub(half).add(q.mul(p).sub(hi.mul(lo))));
  }

  /** A minimax fit of 5.2e-12. */
  private static DoubleVector roughSine(DoubleVector r) {
    DoubleVector q = r.mul(r);
    DoubleVector p = constant(r, 2.71811411487436e-06).fma(q, constant(r, -0.00019839311485056143));
    p = p.fma(q, constant(r, 0.008333329302415917));
    p = p.fma(q, constant(r, -0.16666666640776223));
    return p.fma(q, constant(r, 1)).mul(r);
  }

  /** A minimax fit of 1.2e-10. */
  private static DoubleVector roughCosine(DoubleVector r) {
    DoubleVector q = r.mul(r);
    DoubleVector p =
        constant(r, 2.4433082684709988e-05).fma(q, constant(r, -0.0013887315616457599));
    p = p.fma(q, constant(r, 0.041666645670154004));
    p = p.fma(q, constant(r, -0.5));
    return p.fma(q, constant(r, 1));
  }

  /** The sine after n quarter turns: sin, cos, −sin, −cos. */
  private static DoubleVector turned(DoubleVector sin, DoubleVector cos, LongVector n) {
    return sin.reinterpretAsLongs()
        .lanewise(VectorOperators.BITWISE_BLEND, cos.reinterpretAsLongs(), odd(n))
        .lanewise(VectorOperators.XOR, half(n).and(Long.MIN_VALUE))
        .reinterpretAsDoubles();
  }

  /** The tangent after n quarter turns: sin/cos or −cos/sin. */
  private static DoubleVector quotient(DoubleVector sin, DoubleVector cos, LongVector n) {
    LongVector s = sin.reinterpretAsLongs();
    LongVector c = cos.reinterpretAsLongs();
    LongVector odd = odd(n);
    DoubleVector above = s.lanewise(VectorOperators.BITWISE_BLEND, c, odd).reinterpretAsDoubles();
    DoubleVector below = c.lanewise(VectorOperators.BITWISE_BLEND, s, odd).reinterpretAsDoubles();
    return above
        .div(below)
        .reinterpretAsLongs()
        .lanewise(VectorOperators.XOR, odd.and(Long.MIN_VALUE))
        .reinterpretAsDoubles();
  }

  /** All bits of a lane set where n is odd. */
  private static LongVector odd(LongVector n) {
    return n.lanewise(VectorOperators.LSHL, 63).lanewise(VectorOperators.ASHR, 63);
  }

  /** The second bit of n as the sign. */
  private static LongVector half(LongVector n) {
    return n.lanewise(VectorOperators.LSHL, 62);
  }
}
