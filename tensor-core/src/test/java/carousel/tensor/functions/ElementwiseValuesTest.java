package carousel.tensor.functions;

import static org.assertj.core.api.Assertions.assertThat;

import carousel.tensor.DType;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import java.math.BigDecimal;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.function.BinaryOperator;
import java.util.function.DoubleBinaryOperator;
import java.util.function.DoubleUnaryOperator;
import java.util.function.UnaryOperator;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Functions of one and two numbers against formulas that are written otherwise, in double precision: in F64 to
 * some roundings, in F32 to some of its own, over all magnitudes and at special values.
 */
class ElementwiseValuesTest {
  private static final double INF = Double.POSITIVE_INFINITY;
  private static final double NAN = Double.NaN;

  private record Function(UnaryOperator<Tensor> of, DoubleUnaryOperator formula, int ulps) {}

  private static final Map<String, Function> FUNCTIONS = new TreeMap<>();

  private static void put(
      String name, int ulps, UnaryOperator<Tensor> of, DoubleUnaryOperator formula) {
    FUNCTIONS.put(name, new Function(of, formula, ulps));
  }

  static {
    put(
        "logSigmoid",
        8,
        Tensor::logSigmoid,
        x -> x < 0 ? x - Math.log1p(Math.exp(x)) : -Math.log1p(Math.exp(-x)));
    // tanh ln(1 + e^x) = (e² + 2e) / (e² + 2e + 2).
    put(
        "mish",
        24,
        Tensor::mish,
        x -> {
          double e = Math.exp(-Math.abs(x));
          double t =
              x < 0 ? (e * e + 2 * e) / (e * e + 2 * e + 2) : (1 + 2 * e) / (1 + 2 * e + 2 * e * e);
          return x == -INF ? 0 : x * t;
        });
    put(
        "selu",
        8,
        Tensor::selu,
        x -> 1.0507009873554805 * (x > 0 ? x : 1.6732632423543772 * Math.expm1(x)));
    put("celu", 8, x -> x.celu(0.5), x -> x > 0 ? x : 0.5 * Math.expm1(2 * x));
    put("hardTanh", 0, Tensor::hardTanh, x -> Math.min(1, Math.max(-1, x)));
    put("relu6", 0, Tensor::relu6, x -> x <= 0 ? 0 : x >= 6 ? 6 : x);
    put("hardSwish", 4, Tensor::hardSwish, x -> x <= -3 ? 0 : x >= 3 ? x : x * ((x + 3) / 6));
    put("threshold", 0, x -> x.threshold(0.25, 20), x -> x <= 0.25 ? 20 : x);
    put("hardShrink", 0, x -> x.hardShrink(0.5), x -> x >= -0.5 && x <= 0.5 ? 0 : x);
    put(
        "softShrink",
        0,
        x -> x.softShrink(0.5),
        x -> x > 0.5 ? x - 0.5 : x < -0.5 ? x + 0.5 : Double.isNaN(x) ? x : 0);
    put(
        "softsign",
        2,
        Tensor::softsign,
        x -> Double.isInfinite(x) ? Math.signum(x) : x / (Math.abs(x) + 1));
    put("hardSigmoid", 4, Tensor::hardSigmoid, x -> x <= -3 ? 0 : x >= 3 ? 1 : (x + 3) / 6);
    // ½x (1 + tanh u) = x e^2u / (1 + e^2u); far below 0 a rounding of u is many of the result.
    put(
        "geluTanh",
        2000,
        Tensor::geluTanh,
        x -> {
          double u = Math.sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x);
          return x == -INF
              ? 0
              : u > 0 ? x / (1 + Math.exp(-2 * u)) : x * (Math.exp(2 * u) / (1 + Math.exp(2 * u)));
        });
    put("trunc", 0, Tensor::trunc, x -> x < 0 ? -Math.floor(-x) : Math.floor(x));
    put("frac", 0, Tensor::frac, x -> Double.isInfinite(x) ? NAN : x % 1);
    put("fmod", 0, x -> x.fmod(0.75), x -> x % 0.75);
    put("fmod.infinite", 0, x -> x.fmod(INF), x -> x % INF);
    put(
        "sinh",
        6,
        Tensor::sinh,
        x ->
            Math.abs(x) < 0.1
                ? x
                    + x * x * x / 6
                    + Math.pow(x, 5) / 120
                    + Math.pow(x, 7) / 5040
                    + Math.pow(x, 9) / 362880
                : Math.sinh(x));
    put(
        "cosh",
        6,
        Tensor::cosh,
        x -> Math.abs(x) > 700 ? Math.cosh(x) : (Math.exp(x) + Math.exp(-x)) / 2);
    put("asin", 6, Tensor::asin, x -> Math.atan2(x, Math.sqrt((1 - x) * (1 + x))));
    put("acos", 6, Tensor::acos, x -> Math.atan2(Math.sqrt((1 - x) * (1 + x)), x));
    put(
        "atan",
        6,
        Tensor::atan,
        x -> Math.abs(x) > 1 ? Math.copySign(Math.PI / 2, x) - Math.atan(1 / x) : Math.atan(x));
    put(
        "nanToNum",
        0,
        x -> x.nanToNum(1, 2, 3),
        x -> Double.isNaN(x) ? 1 : x == INF ? 2 : x == -INF ? 3 : x);
  }

  /** All magnitudes, of both signs, and what breaks formulas. */
  private static double[] arguments() {
    var values =
        DoubleStream.concat(
            DoubleStream.of(
                0, 0.25, 0.5, 0.75, 1, 1.5, 2, 3, 6, 6.5, 20, 88, 89.5, 104, 300, 1e4, 1e9, 1e30,
                INF, NAN),
            IntStream.range(-60, 40).mapToDouble(k -> Math.pow(1.3, k)));
    double[] positive = values.toArray();
    double[] all = new double[2 * positive.length];
    for (int i = 0; i < positive.length; i++) {
      all[2 * i] = positive[i];
      all[2 * i + 1] = -positive[i];
    }
    return all;
  }

  @TestFactory
  Stream<DynamicTest> areTheirFormulas() {
    return FUNCTIONS.entrySet().stream()
        .map(e -> DynamicTest.dynamicTest(e.getKey(), () -> check(e.getValue())));
  }

  private static void check(Function function) {
    try (var scope = TensorScope.open()) {
      for (DType type : new DType[] {DType.F64, DType.F32}) {
        // In rows, of which kernels are made.
        Tensor x = Tensor.of(arguments()).cast(type).reshape(2, -1);
        double[] from = x.toDoubleArray();
        double[] y = function.of.apply(x).toDoubleArray();
        double floor = type == DType.F32 ? Float.MIN_NORMAL : Double.MIN_NORMAL;
        for (int i = 0; i < y.length; i++) {
          double exact = function.formula.applyAsDouble(from[i]);
          double expected = type == DType.F32 ? (float) exact : exact;
          // Where the product of 0 and infinity stands in a definition, it is none.
          double ulp = type == DType.F32 ? Math.ulp((float) expected) : Math.ulp(expected);
          double bound =
              Double.isFinite(ulp) ? function.ulps * ulp + (function.ulps > 0 ? floor : 0) : 0;
          boolean same =
              y[i] == expected
                  || (Double.isNaN(y[i]) && Double.isNaN(expected))
                  || Math.abs(y[i] - expected) <= bound;
          assertThat(same).as("%s of %s: %s, not %s", type, from[i], y[i], expected).isTrue();
        }
      }
    }
  }

  private static final double[] PAIRED = {
    0, -0.0, 0.3, -0.3, 1, -1, 2.5, -2.5, 7, -7, 1e10, -1e10, 1e-10, 800, -800, INF, -INF, NAN
  };

  private static void pairs(
      String name, BinaryOperator<Tensor> of, DoubleBinaryOperator formula, double relative) {
    try (var scope = TensorScope.open()) {
      int n = PAIRED.length;
      Tensor x = Tensor.of(PAIRED);
      double[] y = of.apply(x.unsqueeze(1), x).toDoubleArray();
      for (int i = 0; i < n * n; i++) {
        double a = PAIRED[i / n];
        double b = PAIRED[i % n];
        double expected = formula.applyAsDouble(a, b);
        boolean same =
            y[i] == expected
                || (Double.isNaN(y[i]) && Double.isNaN(expected))
                || Math.abs(y[i] - expected) <= relative * Math.abs(expected);
        assertThat(same).as("%s(%s, %s): %s, not %s", name, a, b, y[i], expected).isTrue();
      }
    }
  }

  @Test
  void functionsOfTwoNumbersAreTheirFormulas() {
    pairs("fmod", Tensor::fmod, (a, b) -> a % b, 0);
    // Python's: the sign of the divisor.
    pairs(
        "remainder",
        Tensor::remainder,
        (a, b) -> a % b != 0 && (a < 0) != (b < 0) ? a % b + b : a % b,
        0);
    pairs("atan2", Tensor::atan2, Math::atan2, 1e-15);
    pairs(
        "xlogy", Tensor::xlogy, (a, b) -> a == 0 && !Double.isNaN(b) ? 0 : a * Math.log(b), 1e-15);
    pairs(
        "logAddExp",
        Tensor::logAddExp,
        (a, b) -> {
          double most = Math.max(a, b);
          return Double.isInfinite(most)
              ? most
              : most + Math.log1p(Math.exp(Math.min(a, b) - most));
        },
        1e-15);
    pairs("lerp", (a, b) -> a.lerp(b, 0.25), (a, b) -> 0.75 * a + 0.25 * b, 1e-15);
  }

  @Test
  void floorDivideIsExactWhereTheQuotientIsRounded() {
    try (var scope = TensorScope.open()) {
      // 1 / 0.1 rounds to 10, but ten times 0.1 is more than 1.
      assertThat(
              Tensor.of(1.0, -1.0, 7.0, -7.0, 6.0, 5.0, -5.0)
                  .floorDivide(Tensor.of(0.1, 0.1, 2.0, 2.0, -4.0, INF, INF))
                  .toDoubleArray())
          .containsExactly(9, -10, 3, -4, -2, 0, -1);
      assertThat(Tensor.of(1.0, -1.0, 0.0).floorDivide(0).toDoubleArray())
          .containsExactly(INF, -INF, NAN);
      int[] a = {7, -7, 7, -7, Integer.MIN_VALUE, Integer.MAX_VALUE, 0};
      int[] b = {2, 2, -2, -2, 3, -1, 5};
      int[] quotients = Tensor.of(a).floorDivide(Tensor.of(b)).toIntArray();
      int[] rests = Tensor.of(a).remainder(Tensor.of(b)).toIntArray();
      for (int i = 0; i < a.length; i++) {
        assertThat(quotients[i]).isEqualTo(Math.floorDiv(a[i], b[i]));
        assertThat(rests[i]).isEqualTo(Math.floorMod(a[i], b[i]));
      }
      assertThat(Tensor.of(5, -5).remainder(Tensor.of(0, 0)).toIntArray()).containsExactly(0, 0);
    }
  }

  /**
   * By whole numbers of any length: where the type has the quotient it is that one, else one of the nearest. Of
   * random operands, and of those whose quotient lies just beside a whole number.
   */
  @ParameterizedTest
  @EnumSource(
      value = DType.class,
      names = {"F32", "F64"})
  void floorDivideIsTheWholeNumberBelow(DType type) {
    var dice = new SplittableRandom(7);
    int n = 20_000;
    double[] a = new double[n];
    double[] b = new double[n];
    for (int i = 0; i < n; i++) {
      int bits = type == DType.F32 ? 24 : 53;
      double divisor = Math.scalb(1.0 + dice.nextInt(1 << 10), dice.nextInt(-12, 3));
      b[i] = fit(type, i % 2 == 0 ? divisor : divisor * (1 + dice.nextDouble()));
      double quotient = Math.rint(Math.scalb(dice.nextDouble(), dice.nextInt(bits + 3)));
      double product = fit(type, quotient * b[i]);
      a[i] =
          i % 3 == 0
              ? product
              : type == DType.F32 ? Math.nextDown((float) product) : Math.nextDown(product);
      a[i] *= dice.nextBoolean() ? 1 : -1;
      b[i] *= dice.nextBoolean() ? 1 : -1;
    }
    try (var scope = TensorScope.open()) {
      Tensor x = Tensor.of(a).cast(type);
      double[] actual = x.floorDivide(Tensor.of(b).cast(type)).toDoubleArray();
      for (int i = 0; i < n; i++) {
        BigDecimal exact = floor(a[i], b[i]);
        double wanted = type == DType.F32 ? exact.floatValue() : exact.doubleValue();
        BigDecimal off = new BigDecimal(actual[i]).subtract(exact).abs();
        assertThat(off)
            .as("%s // %s = %s, not %s", a[i], b[i], actual[i], exact)
            .isLessThanOrEqualTo(new BigDecimal(wanted).subtract(exact).abs());
      }
    }
  }

  private static double fit(DType type, double x) {
    return type == DType.F32 ? (float) x : x;
  }

  private static BigDecimal floor(double a, double b) {
    BigDecimal[] parts = new BigDecimal(a).divideAndRemainder(new BigDecimal(b));
    boolean below = parts[1].signum() * Math.signum(b) < 0;
    return below ? parts[0].subtract(BigDecimal.ONE) : parts[0];
  }

  @Test
  void tellsWhatIsInfiniteAndWhatIsClose() {
    try (var scope = TensorScope.open()) {
      Tensor x = Tensor.of(0, INF, -INF, NAN, 1e300);
      assertThat(x.isInf().toBooleanArray()).containsExactly(false, true, true, false, false);
      assertThat(Tensor.of(1, 2).isInf().toBooleanArray()).containsExactly(false, false);
      Tensor near = Tensor.of(1e-9, INF, INF, NAN, 1e300 * (1 + 1e-6));
      assertThat(x.isClose(near, 1e-5, 1e-8).toBooleanArray())
          .containsExactly(true, true, false, false, true);
      assertThat(near.isClose(Tensor.of(1.0, 1.0, INF, NAN, INF), 1, 0).toBooleanArray())
          .containsExactly(true, false, true, false, false);
      assertThat(x.nanToNum().toDoubleArray())
          .containsExactly(0, Double.MAX_VALUE, -Double.MAX_VALUE, 0, 1e300);
      assertThat(x.cast(DType.F32).nanToNum().toFloatArray())
          .containsExactly(0, Float.MAX_VALUE, -Float.MAX_VALUE, 0, Float.MAX_VALUE);
    }
  }

  @Test
  void interpolationIsExactAtBothEnds() {
    try (var scope = TensorScope.open()) {
      Tensor a = Tensor.of(0.1f, 1e30f, -3);
      Tensor b = Tensor.of(0.7f, -1, 1e-30f);
      assertThat(a.lerp(b, 0).toFloatArray()).isEqualTo(a.toFloatArray());
      assertThat(a.lerp(b, 1).toFloatArray()).isEqualTo(b.toFloatArray());
      assertThat(a.lerp(b, Tensor.of(0f, 1, 0)).toFloatArray()).containsExactly(0.1f, -1, -3);
    }
  }
}
