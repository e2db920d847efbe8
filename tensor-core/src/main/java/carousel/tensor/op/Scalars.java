package carousel.tensor.op;

import carousel.tensor.DType;
import carousel.tensor.Tensor;
import java.util.List;

/** Scalar definitions, and rules, too long for a row. */
final class Scalars {
  private static final double SQRT_HALF = Math.sqrt(0.5);
  private static final double SQRT_PI = Math.sqrt(Math.PI);
  private static final double SMALL = 0.75;
  private static final double EXP_MINUS_64 = Math.exp(-64);

  /** Where in F64 what falls as e^−x is 0. */
  private static final double FAR = 1000;

  private static final double INV_SQRT_2PI = 1 / Math.sqrt(2 * Math.PI);

  /** {@code (−1)ⁿ / (n! (2n+1))}: as many as count below {@link #SMALL}. */
  private static final double[] MACLAURIN = new double[19];

  static {
    double factorial = 1;
    for (int n = 0; n < MACLAURIN.length; n++) {
      factorial *= n == 0 ? 1 : -n;
      MACLAURIN[n] = 1 / (factorial * (2 * n + 1));
    }
  }

  private Scalars() {}

  static double sigmoid(double x) {
    // Neither branch overflows.
    if (x >= 0) {
      return 1 / (1 + Math.exp(-x));
    }
    double e = Math.exp(x);
    return e / (1 + e);
  }

  /** C's pow; Java's gives NaN for {@code 1^NaN}, {@code 1^∞} and {@code (−1)^∞}. */
  static double pow(double a, double b) {
    return a == 1 || (a == -1 && Double.isInfinite(b)) ? 1 : Math.pow(a, b);
  }

  static double softsign(double x) {
    return Double.isInfinite(x) ? Math.signum(x) : x / (1 + Math.abs(x));
  }

  /** {@code 1/√(1 − x²)}, by factors: near ±1 the square has lost what is left. */
  static Tensor besideSquare(Tensor x) {
    return x.neg().add(1).mul(x.add(1)).rsqrt();
  }

  static double softplus(double x) {
    return Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
  }

  static double silu(double x) {
    // Far below, the product is representable where σ is not; further it is −0, also at −∞.
    return x > -700 ? x * sigmoid(x) : Math.max(x, -FAR) * Math.exp(x + 64) * EXP_MINUS_64;
  }

  /** σ(x)(1 + x(1 − σ(x))), where x is cut so far out that 1 − σ(x) or σ(x) is 0: ∞·0 is no number. */
  static Tensor siluVjp(Tensor g, Tensor x) {
    Tensor s = x.sigmoid();
    return g.mul(s.mul(s.neg().add(1).mul(x.clamp(-FAR, FAR)).add(1)));
  }

  /** {@code x/2 · erfc(−x/√2)}, to some ulp also where it is tiny, and −0 at −∞. */
  static double gelu(double x) {
    double v = Math.max(x, -FAR);
    double z = v * SQRT_HALF;
    return 0.5 * v * (z > -SMALL ? 1 + erf(z) : gaussian(v, 0.5) * fraction(-z));
  }

  /** Φ(x) + x φ(x), where x is cut so far out that φ(x) is 0. */
  static Tensor geluVjp(Tensor g, Tensor x) {
    Tensor cdf = x.mul(SQRT_HALF).erf().add(1).mul(0.5);
    Tensor density = x.square().mul(-0.5).exp().mul(INV_SQRT_2PI);
    return g.mul(x.clamp(-FAR, FAR).mul(density).add(cdf));
  }

  /**
   * The error function to about 2 ulp: a Maclaurin series below 0.75, a continued fraction of erfc
   * above (Abramowitz and Stegun 7.1.5 and 7.1.14).
   */
  static double erf(double x) {
    double a = Math.abs(x);
    if (a == 0) {
      return x; // the series would lose the sign of −0
    }
    return a < SMALL ? series(x) : Math.copySign(1 - gaussian(a, 1) * fraction(a), x);
  }

  /** {@code 2/√π Σ (−1)ⁿ x^(2n+1) / (n! (2n+1))}, from the smallest term up. */
  private static double series(double x) {
    double square = x * x;
    double sum = 0;
    for (int n = MACLAURIN.length - 1; n > 0; n--) {
      sum = sum * square + MACLAURIN[n];
    }
    return 2 / SQRT_PI * (x + x * (square * sum));
  }

  /** {@code e^(−s x²)} for s = 1 or ½; what rounding takes from x² is put back. */
  private static double gaussian(double x, double s) {
    if (Math.abs(x) > 40) {
      return 0;
    }
    double square = x * x;
    return Math.exp(-s * square) * (1 - s * Math.fma(x, x, -square));
  }

  /** {@code e^x² erfc x = 1/√π · 1/(x + ½/(x + 1/(x + 3⁄2/(x + …))))}, the longer the smaller x. */
  private static double fraction(double x) {
    double tail = x;
    for (int k = (int) (12 + 220 / (x * x)); k >= 1; k--) {
      tail = x + k / 2.0 / tail;
    }
    return 1 / (SQRT_PI * tail);
  }

  /** x, and 0 above 0: not the minimum, which at 0 would take half of the gradient. */
  static Tensor below(Tensor x) {
    return Tensor.where(x.gt(0), x.zerosLike(), x);
  }

  /** {@code a / b} towards 0, exact where the division rounds up to a whole number. */
  static Tensor quotient(Tensor a, Tensor b) {
    Tensor size = a.abs().floorDivide(b.abs());
    return Tensor.where(a.lt(0).xor(b.lt(0)), size.neg(), size);
  }

  /** {@code part / (a² + b²)}, twice by the radius, whose square may overflow; 0 at the origin and far out. */
  static Tensor angle(Tensor g, Tensor part, Tensor a, Tensor b) {
    // 1 far out: the slopes of what is not chosen are taken, too, and those of an infinite radius
    // are
    // none.
    Tensor far = a.isInf().or(b.isInf());
    Tensor one = a.scalarLike(1);
    Tensor sides = Tensor.stack(List.of(Tensor.where(far, one, a), Tensor.where(far, one, b)), 0);
    Tensor radius = sides.norm(0);
    Tensor safe = Tensor.where(radius.le(0), one, radius);
    return g.mul(Tensor.where(far, part.scalarLike(0), part).div(safe).div(safe));
  }

  /** Half to each side of a tie, all to the winner; chosen, not multiplied: 0·∞ would reach the loser. */
  static Tensor toWinner(Tensor g, Tensor won, Tensor tied) {
    return Tensor.where(won, g, Tensor.where(tied, g.mul(0.5), g.zerosLike()));
  }

  /**
   * {@code b a^(b−1)}; 0 where b = 0 and {@code 1/a} is no finite number. There alone: elsewhere b = 0 makes
   * it 0, and its derivative by b is 1/a.
   */
  static Tensor powBase(Tensor g, Tensor a, Tensor b) {
    double least = a.dtype() == DType.F32 ? 0x1p-126 : 0x1p-1022;
    Tensor flat = b.eq(0).and(a.abs().ge(least).not());
    // 1 there: what is not chosen is differentiated, too, as often as anybody likes.
    Tensor slope = b.mul(Tensor.where(flat, a.onesLike(), a).pow(b.sub(1)));
    return g.mul(Tensor.where(flat, b.zerosLike(), slope));
  }

  /** {@code y ln a}; 0 where a = 0 and b ≥ 0, the limit that 0·ln 0 has. */
  static Tensor powExponent(Tensor g, Tensor a, Tensor b, Tensor y) {
    Tensor limit = a.eq(0).and(b.ge(0));
    return g.mul(y.mul(Tensor.where(limit, a.onesLike(), a).log()));
  }
}
