package carousel.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.Arrays;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.function.BiFunction;
import java.util.function.IntPredicate;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** No number is cut in silence: I32 and BOOL beside Java numbers, and folded along axes. */
class WholeNumbersTest {
  private static final int[] WHOLE = {Integer.MIN_VALUE, -7, -1, 0, 1, 2, 46341, Integer.MAX_VALUE};
  private static final double[] NUMBERS = {
    0,
    -0.0,
    0.5,
    -0.5,
    1,
    1.5,
    2,
    -7,
    1e10,
    -1e10,
    0x1p31,
    -0x1p31,
    Integer.MAX_VALUE,
    0x1p31 - 0.5,
    1e300,
    Double.MIN_VALUE,
    Double.NaN,
    Double.POSITIVE_INFINITY,
    Double.NEGATIVE_INFINITY
  };

  /** Beyond it a product of whole numbers comes back by a factor of 0 alone. */
  private static final BigInteger FAR = BigInteger.TWO.pow(90);

  private static boolean fits(double number) {
    return number == Math.rint(number) && Math.abs(number + 0.5) < 0x1p31;
  }

  /** The order of exact numbers, by BigDecimal; null beside NaN. */
  private static @Nullable Integer order(int a, double b) {
    return Double.isNaN(b)
        ? null
        : Double.isInfinite(b) ? (b > 0 ? -1 : 1) : new BigDecimal(a).compareTo(new BigDecimal(b));
  }

  @ParameterizedTest
  @MethodSource("carousel.tensor.DevicesUnderTest#all")
  void comparisonsWithAnyNumberAreTrue(Device device) {
    try (var scope = TensorScope.open(device)) {
      Tensor x = Tensor.of(WHOLE);
      for (double b : NUMBERS) {
        holds(x.lt(b), b, o -> o < 0);
        holds(x.le(b), b, o -> o <= 0);
        holds(x.gt(b), b, o -> o > 0);
        holds(x.ge(b), b, o -> o >= 0);
        holds(x.eq(b), b, o -> o == 0);
        boolean[] differs = x.ne(b).toBooleanArray();
        for (int i = 0; i < WHOLE.length; i++) {
          Integer order = order(WHOLE[i], b);
          assertThat(differs[i]).as("%s ne %s", WHOLE[i], b).isEqualTo(order == null || order != 0);
        }
      }
    }
  }

  private static void holds(Tensor actual, double b, IntPredicate wanted) {
    boolean[] values = actual.toBooleanArray();
    for (int i = 0; i < WHOLE.length; i++) {
      Integer order = order(WHOLE[i], b);
      boolean right = order != null && wanted.test(order);
      assertThat(values[i]).as("%s beside %s", WHOLE[i], b).isEqualTo(right);
    }
  }

  private static final Map<String, BiFunction<Tensor, Double, Tensor>> ARITHMETIC =
      new TreeMap<>(
          Map.of(
              "add", Tensor::add,
              "sub", Tensor::sub,
              "mul", Tensor::mul,
              "fill", (x, b) -> x.copy().fill(b),
              "pad", (x, b) -> x.pad(0, 1, 1, b),
              "scalarLike", Tensor::scalarLike,
              "full", (x, b) -> Tensor.full(x.dtype(), b, 2),
              "of", (x, b) -> Tensor.of(x.dtype(), b),
              "fma", (x, b) -> x.fma(b, x)));

  /** Each op with a number takes those that fit as they are, and names itself where it refuses others. */
  @ParameterizedTest
  @MethodSource("carousel.tensor.DevicesUnderTest#all")
  void numbersThatDoNotFitAreRefused(Device device) {
    try (var scope = TensorScope.open(device)) {
      for (var op : ARITHMETIC.entrySet()) {
        for (double b : NUMBERS) {
          Supplier<Tensor> whole = () -> op.getValue().apply(Tensor.of(3, 4), b);
          if (op.getKey().equals("fma")) {
            continue; // not of whole numbers
          }
          if (fits(b)) {
            assertThat(whole.get().toIntArray()).as("%s %s", op.getKey(), b).isNotEmpty();
          } else {
            refused(whole, op.getKey(), b + " is no number of I32");
          }
          if (op.getKey().matches("fill|pad|scalarLike|full|of") && b != 0 && b != 1) {
            refused(
                () -> op.getValue().apply(Tensor.of(true, false), b),
                op.getKey(),
                b + " is neither 0 nor 1");
          }
        }
      }
      refused(() -> Tensor.of(true).eq(0.5), "eq", "0.5 is neither 0 nor 1");
      refused(() -> Tensor.of(1).maximum(0.5), "maximum", "0.5 is no number of I32");
      refused(() -> Tensor.of(1).clamp(Double.POSITIVE_INFINITY, 3), "clamp", "Infinity is no");
      Tensor x = Tensor.of(WHOLE);
      double all = Double.POSITIVE_INFINITY;
      assertThat(x.clamp(-all, all).sameValues(x)).isTrue();
      assertThat(x.maximum(-1e10).sameValues(x)).isTrue();
      assertThat(x.minimum(1e10).sameValues(x)).isTrue();
      assertThat(x.clamp(-1e10, 1).max().item()).isEqualTo(1);
    }
  }

  private static void refused(Supplier<Tensor> code, String op, String why) {
    assertThatThrownBy(() -> code.get().toDoubleArray())
        .isInstanceOf(TensorException.class)
        .hasMessageStartingWith(op + ":")
        .hasMessageContaining(why);
  }

  /** Against exact whole numbers, near the ends of I32 on both sides, in rows, columns, blocks and broadcast. */
  @ParameterizedTest
  @MethodSource("carousel.tensor.DevicesUnderTest#all")
  void foldsAreExactOrRefused(Device device) {
    var dice = new SplittableRandom(5);
    for (int i = 0; i < 40; i++) {
      int n = new int[] {2, 3, 31, 300, 40_000}[i % 5];
      int[] values = new int[n];
      int shift = i % 3 == 0 ? dice.nextInt(1, 32) : 31;
      Arrays.setAll(values, k -> dice.nextInt() >> shift);
      values[0] = dice.nextInt(2) == 0 ? Integer.MAX_VALUE : Integer.MIN_VALUE;
      values[1] = dice.nextInt(-1, 2) * (i % 4 == 0 ? 1 : 0);
      try (var scope = TensorScope.open(device)) {
        Tensor row = Tensor.of(values);
        BigInteger sum = BigInteger.ZERO;
        boolean runs = true;
        BigInteger product = BigInteger.ONE;
        for (int v : values) {
          sum = sum.add(BigInteger.valueOf(v));
          runs &= sum.bitLength() <= 31;
          product = product.multiply(BigInteger.valueOf(v)).min(FAR).max(FAR.negate());
        }
        folded(() -> row.sum(), "sum", sum);
        folded(() -> row.expand(3000, n).sum(), "sum", sum.multiply(BigInteger.valueOf(3000)));
        folded(() -> row.prod(), "prod", product);
        for (int columns = 2; columns < 100 && n < 1000; columns += 40) {
          Tensor block = row.unsqueeze(1).expand(n, columns).contiguous();
          folded(() -> block.sum(0).max(), "sum", sum);
          folded(() -> block.prod(0).min(), "prod", product);
        }
        if (runs) {
          assertThat(row.cumsum(0).get(n - 1)).isEqualTo(sum.doubleValue());
        } else {
          refused(() -> row.cumsum(0), "cumsum", "does not fit I32");
        }
      }
    }
  }

  /**
   * A sum may leave the range on its way and come back. Of one place and of many, of short lines and long, of
   * columns and rows.
   */
  @ParameterizedTest
  @MethodSource("carousel.tensor.DevicesUnderTest#all")
  void sumsAtIndicesAreExactOrRefused(Device device) {
    var dice = new SplittableRandom(6);
    for (int i = 0; i < 30; i++) {
      int n = new int[] {1, 3, 70, 1500}[i % 4];
      int places = dice.nextInt(1, 4);
      int shift = i % 3 == 0 ? dice.nextInt(1, 32) : 31;
      int[] base = new int[places];
      int[] index = new int[n];
      int[] values = new int[n];
      Arrays.setAll(base, k -> dice.nextBoolean() ? Integer.MAX_VALUE : Integer.MIN_VALUE);
      Arrays.setAll(index, k -> dice.nextInt(places));
      Arrays.setAll(values, k -> dice.nextInt() >> shift);
      if (i % 5 == 0) {
        values[0] = -1;
        base[index[0]] = Integer.MAX_VALUE;
      }
      long[] sums = Arrays.stream(base).asLongStream().toArray();
      for (int k = 0; k < n; k++) {
        sums[index[k]] += values[k];
      }
      try (var scope = TensorScope.open(device)) {
        Tensor to = Tensor.of(base);
        Tensor at = Tensor.of(index);
        Tensor from = Tensor.of(values);
        summed(() -> to.indexAdd(at, from, 0), "indexAdd", sums);
        summed(() -> to.scatterAdd(at, from, 0), "scatterAdd", sums);
        for (int c : new int[] {2, 40}) {
          Tensor wide = to.unsqueeze(1).expand(places, c);
          Tensor more = from.unsqueeze(1).expand(n, c);
          Tensor all = at.unsqueeze(1).expand(n, c);
          summed(() -> wide.indexAdd(at, more, 0).select(1, c - 1), "indexAdd", sums);
          summed(() -> wide.scatterAdd(all, more, 0).select(1, c - 1), "scatterAdd", sums);
          Tensor rows = to.expand(c, places);
          summed(() -> rows.indexAdd(at, from.expand(c, n), 1).select(0, 1), "indexAdd", sums);
          summed(
              () -> rows.scatterAdd(at.expand(c, n), from.expand(c, n), 1).select(0, 1),
              "scatterAdd",
              sums);
        }
      }
    }
  }

  private static void summed(Supplier<Tensor> code, String op, long... exact) {
    if (Arrays.stream(exact).allMatch(s -> s == (int) s)) {
      assertThat(code.get().toIntArray())
          .containsExactly(Arrays.stream(exact).mapToInt(Math::toIntExact).toArray());
    } else {
      refused(code, op, "the result does not fit I32");
    }
  }

  /** {@code b · ⌊a/b⌋ + (a mod b)} is a, in the arithmetic of I32. */
  @ParameterizedTest
  @MethodSource("carousel.tensor.DevicesUnderTest#all")
  void wholeQuotientsAreThoseOfJava(Device device) {
    try (var scope = TensorScope.open(device)) {
      for (int b : WHOLE) {
        if (b != 0) {
          assertThat(Tensor.of(WHOLE).floorDivide(b).toIntArray())
              .containsExactly(Arrays.stream(WHOLE).map(a -> Math.floorDiv(a, b)).toArray());
          assertThat(Tensor.of(WHOLE).remainder(b).toIntArray())
              .containsExactly(Arrays.stream(WHOLE).map(a -> Math.floorMod(a, b)).toArray());
        }
      }
    }
  }

  private static void folded(Supplier<Tensor> code, String op, BigInteger exact) {
    if (exact.bitLength() <= 31) {
      assertThat(code.get().item()).isEqualTo(exact.doubleValue());
    } else {
      refused(code, op, "the result does not fit I32");
    }
  }

  @ParameterizedTest
  @MethodSource("carousel.tensor.DevicesUnderTest#all")
  void truthValuesAreCounted(Device device) {
    try (var scope = TensorScope.open(device)) {
      Tensor x = Tensor.of(Shape.of(2, 3), true, false, true, true, true, true);
      assertThat(x.sum().dtype()).isEqualTo(DType.I32);
      assertThat(x.sum().item()).isEqualTo(5);
      assertThat(x.sum(0).toIntArray()).containsExactly(2, 1, 2);
      assertThat(x.sum(1, true).shape()).isEqualTo(Shape.of(2, 1));
      assertThat(x.cumsum(1).toIntArray()).containsExactly(1, 1, 2, 1, 2, 3);
    }
  }
}
