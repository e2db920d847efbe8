package carousel.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import carousel.tensor.op.Chance;
import carousel.tensor.op.Distribution;
import java.math.BigDecimal;
import java.util.Arrays;
import java.util.HashSet;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Rare events, narrow intervals, impossible classes: where few bits, or a rounding, would show. */
class RandomEdgesTest {
  private static final double NONE = Double.NEGATIVE_INFINITY;
  private final TensorScope scope = TensorScope.open();

  @AfterEach
  void close() {
    scope.close();
  }

  // ---- flips ----

  @Test
  void chancesAreRightTo64Bits() {
    var dice = new SplittableRandom(1);
    for (int i = 0; i < 10_000; i++) {
      double p =
          i == 0
              ? 0
              : i == 1
                  ? 1
                  : i == 2 ? Math.nextDown(1.0) : dice.nextDouble() * Math.scalb(1.0, -(i % 90));
      var chance = Chance.of(p);
      var bits =
          BigDecimal.valueOf(chance.upper())
              .multiply(BigDecimal.valueOf(1L << 32))
              .add(BigDecimal.valueOf(chance.lower()));
      var exact = new BigDecimal(p).multiply(new BigDecimal(Math.scalb(1.0, 64)));
      // The least whole number that is not below p · 2^64: then U < it just where U < p · 2^64.
      assertThat(bits.subtract(exact)).isBetween(BigDecimal.ZERO, BigDecimal.ONE);
      assertThat(bits.subtract(exact)).isNotEqualByComparingTo(BigDecimal.ONE);
      assertThat(chance.isCertain()).isEqualTo(p == 1);
    }
  }

  /** Of 1.3·10⁸ flips of 1e-8 one hits, or two; with 24 bits it would be eight. */
  @Test
  void rareEventsAreRare() {
    long hits = 0;
    var rng = Philox.of(3);
    for (int i = 0; i < 4; i++) {
      try (var step = TensorScope.open()) {
        hits += (long) rng.bernoulli(1e-8, 1 << 25).sum().item();
      }
    }
    assertThat(hits).isBetween(1L, 4L);
    assertThat(rng.bernoulli(Math.nextDown(1.0), 1 << 20).all().item()).isEqualTo(1);
    assertThat(rng.bernoulli(Double.MIN_VALUE, 1 << 20).any().item()).isZero();
  }

  /** Where 32 bits are just those of the probability, 32 more decide, on every device. */
  @ParameterizedTest
  @MethodSource("carousel.tensor.DevicesUnderTest#all")
  void tiesAreDecided(Device device) {
    for (int i : new int[] {0, 1, 6, 4100, 8191, 8192, 9000}) {
      long word = Philox.word(11, 5 + (i >> 2), i & 3) & 0xFFFFFFFFL;
      long tie = Philox.tie(11, 5 + (i >> 2), i & 3) & 0xFFFFFFFFL;
      for (int above = 0; above < 2; above++) {
        double p = (word + 0x1p-20 * ((tie >>> 12) + above)) * 0x1p-32;
        boolean wanted = 0x1p-20 * ((tie >>> 12) + above) * 0x1p32 > tie;
        assertThat(wanted).isEqualTo(above == 1);
        try (var elsewhere = TensorScope.open(device)) {
          boolean[] flips = Philox.at(11, 5).bernoulli(p, 9001).toBooleanArray();
          assertThat(flips[i]).isEqualTo(wanted);
        }
      }
    }
  }

  // ---- intervals ----

  @Test
  void doublesHave53Bits() {
    double[] x = Philox.of(5).uniform(DType.F64, 0, 1, 1000).toDoubleArray();
    assertThat(Arrays.stream(x).filter(v -> v * 0x1p52 % 1 != 0).count()).isBetween(430L, 570L);
    assertThat(Arrays.stream(x).allMatch(v -> v * 0x1p53 % 1 == 0)).isTrue();
  }

  /** Every interval: all numbers within, or an error, just where there is no number of the type in it. */
  @ParameterizedTest
  @MethodSource("carousel.tensor.DevicesUnderTest#all")
  void uniformNumbersLieWithin(Device device) {
    var dice = new SplittableRandom(2);
    double[] ends = {0, 1, -1, 0.1, 0.7, 1e-300, -1e-45, 1e30, 3.4e38, -3.4e38, 1e308, -1.7e308};
    try (var elsewhere = TensorScope.open(device)) {
      for (int i = 0; i < 600; i++) {
        double low = ends[dice.nextInt(ends.length)];
        double high =
            i % 2 == 0
                ? ends[dice.nextInt(ends.length)]
                : low + Math.ulp(low) * Math.scalb(1.0, dice.nextInt(45));
        for (DType type : new DType[] {DType.F32, DType.F64}) {
          if (low < high) {
            lieWithin(type, low, high);
          }
        }
      }
    }
  }

  private static void lieWithin(DType type, double low, double high) {
    boolean narrow = type == DType.F32;
    if (narrow && Math.max(Math.abs(low), Math.abs(high)) > Float.MAX_VALUE) {
      assertThatThrownBy(() -> Philox.of(1).uniform(type, low, high, 3))
          .hasMessageContaining("uniform: bounds must be finite numbers of F32");
      return;
    }
    // The least number that is not below low: by its neighbours, not by what uniform does.
    double first = low;
    if (narrow) {
      float near = (float) low;
      first = near < low ? Math.nextUp(near) : near;
    }
    if (first >= high) {
      assertThatThrownBy(() -> Philox.of(1).uniform(type, low, high, 3))
          .hasMessageContaining("uniform: there is no number of F32 in [" + low + ", " + high);
      return;
    }
    for (double x : Philox.of(1).uniform(type, low, high, 50).toDoubleArray()) {
      assertThat(x).as("%s [%s,%s)", type, low, high).isGreaterThanOrEqualTo(low).isLessThan(high);
    }
  }

  @Test
  void boundsAndDeviationsAreChecked() {
    var rng = Philox.of(1);
    for (double bad : new double[] {-1, Double.NaN, Double.POSITIVE_INFINITY, 1e39}) {
      assertThatThrownBy(() -> rng.normal(DType.F32, 0, bad, 2))
          .isInstanceOf(TensorException.class)
          .hasMessageContaining("normal: wants a mean and a deviation of 0 or more")
          .hasMessageContaining("got 0.0 and " + bad);
    }
    assertThatThrownBy(() -> rng.normal(DType.F64, Double.NaN, 1, 2)).hasMessageContaining("NaN");
    assertThat(rng.normal(DType.F64, 2, 0, 2).toDoubleArray()).containsExactly(2, 2);
    assertThatThrownBy(() -> rng.uniform(DType.F64, NONE, 1, 2)).hasMessageContaining("finite");
    assertThatThrownBy(() -> rng.uniform(DType.F64, 0, Double.NaN, 2))
        .hasMessageContaining("below");
    assertThatThrownBy(() -> rng.uniform(DType.I32, 0, 9, 2)).hasMessageContaining("integers");
    assertThatThrownBy(() -> rng.integers(3, 3, 2)).hasMessageContaining("low must be below high");
    assertThatThrownBy(() -> rng.permutation(-1)).hasMessageContaining("0 or more, got -1");
    assertThat(rng.counter()).as("what fails draws nothing").isEqualTo(1);
  }

  // ---- streams ----

  /** No stream begins with words that a fill of the parent uses. */
  @ParameterizedTest
  @ValueSource(
      longs = {Long.MIN_VALUE, Long.MIN_VALUE + 1, Long.MIN_VALUE + 77, -1, 0, Long.MAX_VALUE})
  void streamsAreNotTheParentsNumbers(long stream) {
    var rng = Philox.of(12);
    var used = new HashSet<Long>();
    for (long block = 0; block < 1000; block++) {
      for (int half = 0; half < 2; half++) {
        long words = Philox.block(12, block, 0, half);
        used.add(words);
        used.add(words << 32 | words >>> 32);
      }
    }
    assertThat(used).doesNotContain(rng.split(stream).seed());
  }

  // ---- classes ----

  /** In this block u of the second class is 5.8e-10: it wins, e⁻²⁰ as probable as the first though it is. */
  @ParameterizedTest
  @MethodSource("carousel.tensor.DevicesUnderTest#all")
  void aRareClassIsDrawnWhereItsTimeHasCome(Device device) {
    try (var elsewhere = TensorScope.open(device)) {
      long block = 999_561_208L;
      double[] u =
          Philox.at(1, block).draw(Distribution.UNIFORM, DType.F64, Shape.of(2)).toDoubleArray();
      // Of exponential waiting times with rates 1 and r the second is the shorter where −ln(1−u₁)/r
      // < −ln(1−u₀).
      double limit = Math.log1p(-u[1]) / Math.log1p(-u[0]);
      assertThat(limit).isCloseTo(8.6e-9, within(1e-10));
      for (double factor : new double[] {0.99, 1.01}) {
        Tensor logits = Tensor.of(0, Math.log(limit * factor)).add(1e6);
        int drawn = (int) Philox.at(1, block).categorical(logits).item();
        assertThat(drawn).isEqualTo(factor > 1 ? 1 : 0);
      }
    }
  }

  /** With noise of 24 bits one row of sixteen has two greatest scores, and the first of them would win. */
  @Test
  void amongMillionsOfEqualsNoneIsFavoured() {
    Tensor logits = Tensor.zeros(DType.F64, 1).expand(4, 1 << 20);
    var rng = Philox.of(21);
    for (int i = 0; i < 16; i++) {
      try (var step = TensorScope.open()) {
        Tensor scores = Categorical.scores("test", rng, logits, logits.shape());
        Tensor greatest = scores.eq(scores.max(1, true)).cast(DType.F64).sum(1);
        assertThat(greatest.toDoubleArray()).containsOnly(1);
      }
    }
  }

  @ParameterizedTest
  @MethodSource("carousel.tensor.DevicesUnderTest#all")
  void rowsWithoutAClassAreRefused(Device device) {
    try (var elsewhere = TensorScope.open(device)) {
      refused(Tensor.of(NONE, NONE), "fewer than 1 are possible", device);
      refused(Tensor.of(0, Double.NaN), "have a row with NaN", device);
      refused(Tensor.of(0, Double.POSITIVE_INFINITY), "have a row with +∞", device);
      assertThat(Philox.of(1).categorical(Tensor.of(NONE, 3, NONE)).item()).isEqualTo(1);
      assertThat(Philox.of(1).categorical(Tensor.zeros(0, 3)).shape()).isEqualTo(Shape.of(0));
      assertThatThrownBy(() -> Philox.of(1).categorical(Tensor.zeros(2, 0)))
          .hasMessageContaining("categorical: wants logits [.., V] of classes, got [2,0]");
      assertThatThrownBy(() -> Philox.of(1).categorical(Tensor.zeros().reshape()))
          .hasMessageContaining("categorical: wants logits [.., V] of classes, got []");
      if (!device.backend().isAsynchronous()) {
        assertThatThrownBy(() -> Philox.of(1).distinct(Tensor.of(0, NONE, 1), 3))
            .hasMessageContaining("distinct: logits [3] have a row in which fewer than 3");
      }
      assertThatThrownBy(() -> Philox.of(1).distinct(Tensor.of(0, 1.0), 3))
          .hasMessageContaining("distinct: 3 different classes were wanted of logits [2]");
    }
  }

  private static void refused(Tensor logits, String why, Device device) {
    if (device.backend().isAsynchronous()) {
      assertThat(Philox.of(1).categorical(logits).item()).isEqualTo(-1);
    } else {
      assertThatThrownBy(() -> Philox.of(1).categorical(logits))
          .isInstanceOf(TensorException.class)
          .hasMessageContaining(
              "categorical: logits [2] " + why.replaceFirst("^fewer", "have a row in which fewer"));
    }
  }

  // ---- whole numbers, with and without replacement ----

  @Test
  void integersAreUniform() {
    double[] x = Philox.of(4).integers(-2, 3, 50_000).toDoubleArray();
    for (int v = -2; v < 3; v++) {
      int value = v;
      assertThat(Arrays.stream(x).filter(d -> d == value).count()).isBetween(9_600L, 10_400L);
    }
    Tensor wide = Philox.of(4).integers(Integer.MIN_VALUE, Integer.MAX_VALUE, 100_000);
    assertThat(wide.dtype()).isEqualTo(DType.I32);
    assertThat(wide.min().item()).isLessThan(-2.14e9);
    assertThat(wide.max().item()).isBetween(2.14e9, Integer.MAX_VALUE - 1.0);
    assertThat(wide.cast(DType.F64).mean().item()).isCloseTo(0, within(1.5e7));
    assertThat(Philox.of(4).integers(7, 8, 2, 3).toIntArray()).containsOnly(7);
  }

  @Test
  void permutationsAreUniform() {
    var rng = Philox.of(6);
    int[] counts = new int[27];
    for (int i = 0; i < 12_000; i++) {
      try (var step = TensorScope.open()) {
        int[] p = rng.permutation(3).toIntArray();
        assertThat(p).containsExactlyInAnyOrder(0, 1, 2);
        counts[p[0] * 9 + p[1] * 3 + p[2]]++;
      }
    }
    assertThat(Arrays.stream(counts).filter(c -> c > 0).count()).isEqualTo(6);
    assertThat(Arrays.stream(counts).filter(c -> c > 0).min().getAsInt()).isBetween(1_850, 2_000);
    assertThat(rng.permutation(0).size()).isZero();
  }

  @Test
  void drawsWithReplacementAreIndependent() {
    Tensor logits = Tensor.of(Shape.of(1, 2), Math.log(0.3), Math.log(0.7));
    double[] x = Philox.of(8).categorical(logits, 40_000).cast(DType.F64).toDoubleArray();
    assertThat(x).hasSize(40_000);
    assertThat(Arrays.stream(x).average().getAsDouble()).isCloseTo(0.7, within(0.01));
    double both = 0;
    for (int i = 1; i < x.length; i++) {
      both += x[i] * x[i - 1];
    }
    assertThat(both / x.length).isCloseTo(0.49, within(0.015));
    assertThat(Philox.of(8).categorical(Tensor.zeros(2, 3, 5), 4).shape())
        .isEqualTo(Shape.of(2, 3, 4));
  }

  /** {@code P(i, j) = pᵢ pⱼ / (1 − pᵢ)}, enumerated. */
  @Test
  void drawsWithoutReplacementTakeWhatIsLeft() {
    double[] p = {0.1, 0.3, 0.6, 0};
    Tensor logits = Tensor.of(Arrays.stream(p).map(Math::log).toArray()).expand(60_000, 4);
    int[] drawn = Philox.of(9).distinct(logits, 2).toIntArray();
    double[][] share = new double[4][4];
    for (int i = 0; i < drawn.length; i += 2) {
      share[drawn[i]][drawn[i + 1]] += 1 / 60_000.0;
    }
    for (int i = 0; i < 4; i++) {
      for (int j = 0; j < 4; j++) {
        double wanted = i == j ? 0 : p[i] * p[j] / (1 - p[i]);
        assertThat(share[i][j])
            .as("%d %d", i, j)
            .isCloseTo(wanted, within(wanted == 0 ? 0 : 0.008));
      }
    }
  }
}
