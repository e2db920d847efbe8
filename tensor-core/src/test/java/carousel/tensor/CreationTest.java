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
  private final Scope scope;

  CreationTest(Device device) {
    this.device = device;
    this.scope = Scope.open(device);
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
    assertThat(Tensor.full(dtype, 7, 2).toDoubleArray())
        .containsExactly(dtype == DType.BOOL ? new double[] {1, 1} : new double[] {7, 7});
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
        .hasMessageContainingAll("from", "F32 [2,2]", "4 values (16 bytes)", "12 bytes");
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
    MemorySegment bytes = MemorySegment.ofArray(new byte[] {0, 1, 2, -1});
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
    assertThatThrownBy(() -> Tensor.oneHot(DType.F32, Tensor.of(1f), 3))
        .isInstanceOf(TensorException.class)
        .hasMessageContaining("cast(DType.I32)");
  }
}
