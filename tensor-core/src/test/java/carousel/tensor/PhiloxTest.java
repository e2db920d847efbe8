package carousel.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import carousel.tensor.op.Distribution;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Random numbers: the published known answers, moments, and the same on every device. */
class PhiloxTest {
  private static final int MANY = 200_000;
  private final TensorScope scope = TensorScope.open();

  @AfterEach
  void close() {
    scope.close();
  }

  /** The known-answer vectors of philox4x32-10 that Random123 ships (tests/kat_vectors). */
  @Test
  void givesThePublishedAnswers() {
    assertThat(block(0, 0, 0)).containsExactly(0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8);
    assertThat(block(-1, -1, -1)).containsExactly(0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd);
    assertThat(block(0x299f31d0_a4093822L, 0x85a308d3_243f6a88L, 0x03707344_13198a2eL))
        .containsExactly(0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1);
  }

  private static int[] block(long key, long low, long high) {
    long a = Philox.block(key, low, high, 0);
    long b = Philox.block(key, low, high, 1);
    return new int[] {(int) a, (int) (a >>> 32), (int) b, (int) (b >>> 32)};
  }

  @Test
  void wordsAndUnitsAreThoseOfTheBlock() {
    for (int i = 0; i < 4; i++) {
      assertThat(Philox.word(5, 7, i)).isEqualTo(block(5, 7, 0)[i]);
    }
    double unit = Philox.unit(5, 7, 1);
    assertThat(unit).isBetween(0.0, 1.0);
    long top = (Philox.word(5, 7, 3) & 0xFFFFFFFFL) << 32 | (Philox.word(5, 7, 2) & 0xFFFFFFFFL);
    assertThat(unit).isEqualTo((top >>> 11) * 0x1p-53);
  }

  @ParameterizedTest
  @MethodSource("carousel.tensor.DevicesUnderTest#all")
  void theSameNumbersOnEveryDevice(Device device) {
    for (Distribution d : Distribution.values()) {
      for (int n : new int[] {0, 1, 13, 207, 4098}) {
        for (DType type : new DType[] {DType.F32, DType.F64}) {
          try (var elsewhere = TensorScope.open(device)) {
            Tensor x = Philox.at(42, 1000).draw(d, type, Shape.of(n));
            double[] wanted = new double[n];
            Arrays.setAll(wanted, i -> d.sample(type, 42, 1000, i));
            for (int i = 0; i < n && type == DType.F32; i++) {
              wanted[i] = (float) wanted[i];
            }
            assertThat(x.device()).isSameAs(device);
            double[] actual = x.toDoubleArray();
            for (int i = 0; i < n; i++) {
              double ulp = type == DType.F32 ? Math.ulp((float) wanted[i]) : Math.ulp(wanted[i]);
              // Uniform numbers are exact; of normal ones log, sin and cos may differ a little.
              assertThat(actual[i])
                  .isCloseTo(wanted[i], within(d == Distribution.UNIFORM ? 0 : 4 * ulp));
            }
          }
        }
      }
    }
  }

  @Test
  void goesOnWhereItStopped() {
    var rng = Philox.of(3);
    rng.uniform(DType.F32, 0, 1, 10);
    long position = rng.counter();
    assertThat(position).isEqualTo(3);
    Tensor next = rng.normal(DType.F64, 0, 1, 7);
    assertThat(rng.counter()).isEqualTo(position + 4);
    assertThat(Philox.at(rng.seed(), position).normal(DType.F64, 0, 1, 7).sameValues(next))
        .isTrue();
    assertThat(rng.normal(DType.F64, 0, 1, 7).sameValues(next)).isFalse();
  }

  /** In place, forward and back: what is drawn there is what a generator made there draws. */
  @Test
  void movesWithinItsStream() {
    var rng = Philox.of(11);
    rng.normal(DType.F64, 0, 1, 50);
    long there = rng.counter();
    double[] expected = rng.normal(DType.F64, 0, 1, 20).toDoubleArray();
    for (long from : new long[] {0, 1000, there}) {
      rng.moveTo(from);
      assertThat(rng.counter()).isEqualTo(from);
      assertThat(rng.nextDouble()).isEqualTo(Philox.at(11, from).nextDouble());
      rng.moveTo(there);
      assertThat(rng.normal(DType.F64, 0, 1, 20).toDoubleArray()).isEqualTo(expected);
    }
    assertThat(rng.seed()).isEqualTo(11);
  }

  @Test
  void streamsDiffer() {
    var rng = Philox.of(3);
    Set<Long> seeds = new HashSet<>();
    for (int stream = 0; stream < 1000; stream++) {
      seeds.add(rng.split(stream).seed());
    }
    assertThat(seeds).hasSize(1000).doesNotContain(3L);
    assertThat(rng.split(5).seed()).isEqualTo(Philox.of(3).split(5).seed());
    assertThat(rng.counter()).isZero();
  }

  @Test
  void uniformMoments() {
    Tensor x = Philox.of(1).uniform(DType.F64, -2, 4, MANY);
    assertThat(x.mean().item()).isCloseTo(1, within(0.02));
    assertThat(x.variance().item()).isCloseTo(3, within(0.03));
    assertThat(x.min().item()).isBetween(-2.0, -1.99);
    assertThat(x.max().item()).isBetween(3.99, Math.nextDown(4.0));
  }

  /** In [1, 2) F32 has 23 bits and the draw 24: half of the numbers nearest 2 would round up to it. */
  @Test
  void theUpperBoundIsNeverDrawn() {
    // The greatest possible draw, put through the arithmetic of uniform.
    Tensor top = Tensor.of(0x0.ffffffp0f).mul(1).add(1);
    assertThat(top.item()).isEqualTo(2);
    Tensor x = Philox.of(11).uniform(DType.F32, 1, 1 + 0x1p-22, MANY);
    assertThat(x.max().item()).isLessThan(1 + 0x1p-22);
    assertThat(x.min().item()).isEqualTo(1);
  }

  @Test
  void normalMoments() {
    Tensor x = Philox.of(2).normal(DType.F64, 3, 2, MANY);
    Tensor z = x.sub(3).div(2);
    assertThat(z.mean().item()).isCloseTo(0, within(0.01));
    assertThat(z.variance().item()).isCloseTo(1, within(0.015));
    assertThat(z.pow(3).mean().item()).as("skewness").isCloseTo(0, within(0.03));
    assertThat(z.pow(4).mean().item()).as("kurtosis").isCloseTo(3, within(0.08));
    assertThat(z.abs().lt(1).cast(DType.F64).mean().item()).isCloseTo(0.6827, within(0.005));
    Tensor pairs = z.reshape(-1, 2);
    double correlation = pairs.select(1, 0).mul(pairs.select(1, 1)).mean().item();
    assertThat(correlation).as("of the sine and the cosine").isCloseTo(0, within(0.01));
  }

  @ParameterizedTest
  @ValueSource(doubles = {0, 0.1, 0.5, 1})
  void bernoulli(double p) {
    Tensor x = Philox.of(4).bernoulli(p, MANY);
    assertThat(x.dtype()).isEqualTo(DType.BOOL);
    assertThat(x.cast(DType.F64).mean().item()).isCloseTo(p, within(p == 0 || p == 1 ? 0 : 0.005));
  }

  @Test
  void categoricalFollowsTheWeights() {
    double[] p = {0.1, 0.2, 0, 0.7};
    double[] logits = Arrays.stream(p).map(v -> Math.log(v) + 5).toArray();
    Tensor rows = Tensor.of(logits).expand(MANY / 4, 4);
    for (DType type : new DType[] {DType.F32, DType.F64}) {
      Tensor drawn = Philox.of(6).categorical(rows.cast(type));
      assertThat(drawn.dtype()).isEqualTo(DType.I32);
      assertThat(drawn.shape()).isEqualTo(Shape.of(MANY / 4));
      Tensor shares = Tensor.oneHot(DType.F64, drawn, 4).mean(0);
      for (int i = 0; i < 4; i++) {
        assertThat(shares.get(i)).isCloseTo(p[i], within(p[i] == 0 ? 0 : 0.01));
      }
    }
    assertThat(Philox.of(6).categorical(Tensor.zeros(2, 3, 5)).shape()).isEqualTo(Shape.of(2, 3));
  }

  @Test
  void wholeNumbersAreUniform() {
    var rng = Philox.of(8);
    int[] counts = new int[6];
    for (int i = 0; i < 60_000; i++) {
      counts[rng.nextInt(6)]++;
    }
    for (int c : counts) {
      assertThat(c).isCloseTo(10_000, within(400));
    }
    assertThat(rng.nextInt(1)).isZero();
    assertThat(rng.nextInt(Integer.MAX_VALUE)).isBetween(0, Integer.MAX_VALUE - 1);
    double sum = 0;
    for (int i = 0; i < 10_000; i++) {
      sum += rng.nextDouble();
    }
    assertThat(sum / 10_000).isCloseTo(0.5, within(0.02));
  }

  /** Where a draw of 32 bits does not divide evenly: about a quarter is rejected, none favoured. */
  @Test
  void wholeNumbersBelowAnAwkwardBoundAreUniform() {
    var rng = Philox.of(9);
    int bound = 3 << 29;
    int low = 0;
    for (int i = 0; i < 30_000; i++) {
      low += rng.nextInt(bound) < bound / 2 ? 1 : 0;
    }
    assertThat(low).isCloseTo(15_000, within(500));
  }

  @ParameterizedTest
  @EnumSource(
      value = DType.class,
      names = {"I32", "BOOL"})
  void onlyFloatingNumbersAreDrawn(DType type) {
    assertThatThrownBy(() -> Philox.of(1).normal(type, 0, 1, 2))
        .isInstanceOf(TensorException.class)
        .hasMessageContaining("random numbers are F32 or F64, got " + type);
  }

  @Test
  void argumentsAreChecked() {
    var rng = Philox.of(1);
    assertThatThrownBy(() -> rng.bernoulli(1.1, 2)).hasMessageContaining("in [0, 1], got 1.1");
    assertThatThrownBy(() -> rng.bernoulli(Double.NaN, 2)).isInstanceOf(TensorException.class);
    assertThatThrownBy(() -> rng.nextInt(0)).hasMessageContaining("at least 1, got 0");
    assertThatThrownBy(() -> rng.uniform(DType.F32, 1, 1, 2))
        .isInstanceOf(TensorException.class)
        .hasMessageContaining("low must be below high");
  }

  @Test
  void drawsCanBeReplayed() {
    var rng = Philox.of(10);
    var draws = new Draws();
    Tensor first = draws.record(() -> rng.normal(DType.F32, 0, 1, 5).add(rng.nextDouble()));
    long after = rng.counter();
    Tensor again = draws.replay(() -> rng.normal(DType.F32, 0, 1, 5).add(rng.nextDouble()));
    assertThat(again.sameValues(first)).isTrue();
    assertThat(rng.counter()).as("a replay moves nothing on").isEqualTo(after);
    assertThatThrownBy(
            () -> draws.replay(() -> rng.nextDouble() + rng.nextDouble() + rng.nextDouble()))
        .isInstanceOf(TensorException.class)
        .hasMessageContaining("more often than when it was recorded (2 times)");
    assertThat(rng.nextDouble()).isNotEqualTo(rng.nextDouble());
  }
}
