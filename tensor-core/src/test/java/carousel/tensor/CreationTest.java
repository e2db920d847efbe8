package carousel.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Making tensors, on every device. */
@ParameterizedClass
@MethodSource("carousel.tensor.DevicesUnderTest#all")
class CreationTest {
  private final Device device;
  private final TensorScope scope;

  CreationTest(Device device) {
    this.device = device;
    this.scope = TensorScope.open(device);
  }

  @AfterEach
  void close() {
    scope.close();
  }

  @ParameterizedTest
  @EnumSource
  void constants(DType dtype) {
    Tensor zeros = Tensor.zeros(dtype, 2, 3);
    assertThat(zeros.dtype()).isEqualTo(dtype);
    assertThat(zeros.device()).isSameAs(device);
    assertThat(zeros.toDoubleArray()).containsExactly(0, 0, 0, 0, 0, 0);
    assertThat(Tensor.ones(dtype, 2).toDoubleArray()).containsExactly(1, 1);
    if (dtype != DType.BOOL) {
      assertThat(Tensor.full(dtype, 7, 2).toDoubleArray()).containsExactly(7, 7);
    }
    assertThat(zeros.onesLike().toDoubleArray()).containsOnly(1).hasSize(6);
    assertThat(zeros.onesLike().zerosLike().toDoubleArray()).containsOnly(0).hasSize(6);
    assertThat(zeros.scalarLike(1).item()).isEqualTo(1);
    assertThat(Tensor.zeros(dtype, 3, 0).size()).isZero();
    assertThat(Tensor.ones(dtype).rank()).isZero();
  }

  @Test
  void shortFormsAreF32() {
    assertThat(Tensor.zeros(2).dtype()).isEqualTo(DType.F32);
    assertThat(Tensor.ones(2).dtype()).isEqualTo(DType.F32);
    assertThat(Tensor.of(1f, 2f).dtype()).isEqualTo(DType.F32);
  }

  @Test
  void fromArrays() {
    assertThat(Tensor.of(1.5f, -2f).toFloatArray()).containsExactly(1.5f, -2f);
    assertThat(Tensor.of(1.5, -2).toDoubleArray()).containsExactly(1.5, -2);
    assertThat(Tensor.of(3, -4).toIntArray()).containsExactly(3, -4);
    assertThat(Tensor.of(Shape.of(2, 1), true, false).toBooleanArray())
        .containsExactly(true, false);
    Tensor m = Tensor.of(Shape.of(2, 3), 1, 2, 3, 4, 5, 6);
    assertThat(m.dtype()).isEqualTo(DType.I32);
    assertThat(m.get(1, 0)).isEqualTo(4);
  }

  @Test
  void theNumberOfValuesMustFit() {
    assertThatThrownBy(() -> Tensor.of(Shape.of(2, 2), 1f, 2f, 3f))
        .isInstanceOf(TensorException.class)
        .hasMessageContainingAll("of: F32 [2,2]", "4 values (16 bytes)", "12 bytes");
  }

  @Test
  void fromMemory() {
    try (var arena = Arena.ofConfined()) {
      MemorySegment native64 = arena.allocateFrom(ValueLayout.JAVA_DOUBLE, 1, 2, 3, 4);
      Tensor x = Tensor.from(native64, DType.F64, Shape.of(2, 2));
      native64.fill((byte) 0);
      assertThat(x.toDoubleArray()).containsExactly(1, 2, 3, 4);
    }
  }

  /** Loops count trues by adding them: a byte of 2 must not get in. */
  @Test
  void anyOtherByteIsTrue() {
    var bytes = MemorySegment.ofArray(new byte[] {0, 1, 2, -1});
    Tensor mask = Tensor.from(bytes, DType.BOOL, Shape.of(4));
    assertThat(mask.cast(DType.F32).sum().item()).isEqualTo(3);
    assertThat(mask.eq(Tensor.of(Shape.of(4), false, true, true, true)).all().item()).isEqualTo(1);
    assertThat(bytes.get(ValueLayout.JAVA_BYTE, 2)).as("the source").isEqualTo((byte) 2);
  }

  @Test
  void ranges() {
    assertThat(Tensor.arange(4).toIntArray()).containsExactly(0, 1, 2, 3);
    assertThat(Tensor.arange(0).size()).isZero();
    assertThat(Tensor.arange(DType.F64, 1, 2, 0.25).toDoubleArray())
        .containsExactly(1, 1.25, 1.5, 1.75);
    assertThat(Tensor.arange(DType.I32, 5, 0, -2).toIntArray()).containsExactly(5, 3, 1);
    assertThat(Tensor.arange(DType.F32, 3, 1, 1).size()).isZero();
    // 0.1·i, not a running sum.
    assertThat(Tensor.arange(DType.F64, 0, 1, 0.1).get(7)).isEqualTo(7 * 0.1);
    for (double[] bad :
        new double[][] {{0, 1, 0}, {0, Double.NaN, 1}, {0, 1e300, 1e-300}, {0, 1e10, 1}}) {
      assertThatThrownBy(() -> Tensor.arange(DType.F32, bad[0], bad[1], bad[2]))
          .isInstanceOf(TensorException.class)
          .hasMessageContaining("arange: from ");
    }
  }

  @Test
  void evenSpacesReachBothEndsExactly() {
    Tensor x = Tensor.linspace(DType.F64, 0.1, 0.7, 7);
    assertThat(x.get(0)).isEqualTo(0.1);
    assertThat(x.get(6)).isEqualTo(0.7);
    assertThat(x.get(3)).isCloseTo(0.4, within(1e-16));
    assertThat(Tensor.linspace(DType.F32, 2, 3, 1).toFloatArray()).containsExactly(2);
    assertThat(Tensor.linspace(DType.F32, 2, 3, 0).size()).isZero();
    assertThatThrownBy(() -> Tensor.linspace(DType.F32, 2, 3, -1))
        .isInstanceOf(TensorException.class)
        .hasMessageContaining("linspace");
  }

  @ParameterizedTest
  @EnumSource
  void identities(DType dtype) {
    assertThat(Tensor.eye(dtype, 3).toDoubleArray()).containsExactly(1, 0, 0, 0, 1, 0, 0, 0, 1);
    assertThat(Tensor.eye(dtype, 1).toDoubleArray()).containsExactly(1);
    assertThat(Tensor.eye(dtype, 0).shape()).isEqualTo(Shape.of(0, 0));
    assertThatThrownBy(() -> Tensor.eye(dtype, -1))
        .isInstanceOf(TensorException.class)
        .hasMessageContaining("eye");
  }

  @ParameterizedTest
  @EnumSource
  void oneHot(DType dtype) {
    Tensor x = Tensor.oneHot(dtype, Tensor.of(Shape.of(2, 2), 2, 0, 1, 1), 3);
    assertThat(x.dtype()).isEqualTo(dtype);
    assertThat(x.shape()).isEqualTo(Shape.of(2, 2, 3));
    assertThat(x.toDoubleArray()).containsExactly(0, 0, 1, 1, 0, 0, 0, 1, 0, 0, 1, 0);
    assertThat(Tensor.oneHot(dtype, Tensor.of(Shape.SCALAR, 1), 2).toDoubleArray())
        .containsExactly(0, 1);
    assertThat(Tensor.oneHot(dtype, Tensor.arange(0), 2).shape()).isEqualTo(Shape.of(0, 2));
  }

  @Test
  void oneHotRefusesWhatIsNoClass() {
    for (int bad : new int[] {-1, 3}) {
      // A device may say so when the result is read.
      assertThatThrownBy(() -> Tensor.oneHot(DType.F32, Tensor.of(bad), 3).toFloatArray())
          .isInstanceOf(TensorException.class)
          .hasMessageContaining("index " + bad + " is out of range [0,3)");
    }
    if (!device.backend().isAsynchronous()) {
      assertThatThrownBy(() -> Tensor.oneHot(DType.F32, Tensor.of(0, 7), 3))
          .hasMessage("oneHot: index 7 is out of range [0,3), in an index of [2]");
    }
    assertThatThrownBy(() -> Tensor.oneHot(DType.F32, Tensor.of(1f), 3))
        .isInstanceOf(TensorException.class)
        .hasMessageContaining("cast(DType.I32)");
  }

  /** Every value is before the bound, in the type, and the next one would not be. */
  @Test
  void rangesEndBeforeTheirBound() {
    assertThat(Tensor.arange(DType.F64, 1, 1.3, 0.1).toDoubleArray()).containsExactly(1, 1.1, 1.2);
    var dice = new java.util.SplittableRandom(1);
    double[] steps = {0.1, 0.3, 1e-3, 0.7, 1 / 3.0, 1e10, 1e-10};
    for (int i = 0; i < 3000; i++) {
      double step = steps[dice.nextInt(steps.length)] * (dice.nextInt(2) * 2 - 1);
      double start = dice.nextInt(-3, 4) * steps[dice.nextInt(steps.length)];
      double stop = start + dice.nextInt(0, 12) * step;
      DType type = i % 2 == 0 ? DType.F32 : DType.F64;
      double[] x = Tensor.arange(type, start, stop, step).toDoubleArray();
      for (double v : x) {
        assertThat(step > 0 ? v < stop : v > stop)
            .as("%s of [%s,%s) by %s", v, start, stop, step)
            .isTrue();
      }
      double next = start + x.length * step;
      double held = type == DType.F32 ? (float) next : next;
      boolean more = step > 0 ? Math.max(next, held) < stop : Math.min(next, held) > stop;
      assertThat(more).as("%s after [%s,%s) by %s", next, start, stop, step).isFalse();
    }
    assertThatThrownBy(() -> Tensor.arange(DType.I32, 0, 1, 0.25))
        .hasMessageContaining("arange: 0.25 is no number of I32");
  }

  @Test
  void evenlySpacedValuesAreFinite() {
    assertThat(Tensor.linspace(DType.F64, -1e308, 1e308, 3).toDoubleArray())
        .containsExactly(-1e308, 0, 1e308);
    double most = Double.MAX_VALUE;
    for (int n : new int[] {1, 2, 3, 4, 7, 1000}) {
      double[] x = Tensor.linspace(DType.F64, -most, most, n).toDoubleArray();
      assertThat(x[0]).isEqualTo(-most);
      assertThat(x[n - 1]).isEqualTo(n == 1 ? -most : most);
      for (int i = 1; i < n; i++) {
        assertThat(x[i]).isFinite().isGreaterThan(x[i - 1]);
      }
    }
    assertThatThrownBy(() -> Tensor.linspace(DType.F64, 0, Double.NaN, 3))
        .hasMessageContaining("linspace: both ends must be finite, got 0.0 and NaN");
    assertThatThrownBy(() -> Tensor.linspace(DType.I32, 0, 1, 3))
        .hasMessageContaining("linspace: 0.5 is no number of I32");
  }

  @Test
  void ofATypeAndOfNestedArrays() {
    Tensor x = Tensor.of(DType.F32, 1, 2.5);
    assertThat(x.dtype()).isEqualTo(DType.F32);
    assertThat(x.toFloatArray()).containsExactly(1, 2.5f);
    assertThat(Tensor.of(DType.I32, Shape.of(2, 1), 3, -4).toIntArray()).containsExactly(3, -4);
    assertThat(Tensor.of(DType.BOOL, 0, 1).toBooleanArray()).containsExactly(false, true);
    assertThat(Tensor.of(true, false).dtype()).isEqualTo(DType.BOOL);
    assertThatThrownBy(() -> Tensor.of(DType.I32, 1, 2.5))
        .hasMessageContaining("of: 2.5 is no number");
    assertThatThrownBy(() -> Tensor.of(DType.BOOL, 2))
        .hasMessageContaining("of: 2.0 is neither 0 nor 1");
    Tensor matrix = Tensor.of(new float[][] {{1, 2, 3}, {4, 5, 6}});
    assertThat(matrix.shape()).isEqualTo(Shape.of(2, 3));
    assertThat(matrix.toFloatArray()).containsExactly(1, 2, 3, 4, 5, 6);
    assertThat(Tensor.of(new double[][] {{1}, {2}}).dtype()).isEqualTo(DType.F64);
    assertThat(Tensor.of(new int[][] {{1}, {2}}).shape()).isEqualTo(Shape.of(2, 1));
    assertThat(Tensor.of(new boolean[][] {{true, false}}).toBooleanArray())
        .containsExactly(true, false);
    assertThat(Tensor.of(new float[][][] {{{1, 2}}, {{3, 4}}, {{5, 6}}}).shape())
        .isEqualTo(Shape.of(3, 1, 2));
    assertThat(Tensor.of(new double[][][] {{{1}, {2}}}).get(0, 1, 0)).isEqualTo(2);
    assertThat(Tensor.of(new int[2][3][0]).shape()).isEqualTo(Shape.of(2, 3, 0));
    assertThat(Tensor.of(new float[0][]).shape()).isEqualTo(Shape.of(0, 0));
    assertThatThrownBy(() -> Tensor.of(new float[][] {{1, 2}, {3}}))
        .isInstanceOf(TensorException.class)
        .hasMessageContaining("of: rows differ in length: one of 1 among those of 2 in [2,2]");
  }
}
