package carousel.nn.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carousel.tensor.DType;
import carousel.tensor.Philox;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import carousel.tensor.TensorException;
import carousel.tensor.TensorScope;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.DoubleToIntFunction;
import java.util.function.IntToDoubleFunction;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** 16-bit floats and 64-bit integers, in files and as tensors. */
class ConversionTest {
  @TempDir Path folder;
  private Path file;
  private TensorScope scope;

  @BeforeEach
  void open() {
    file = folder.resolve("file.safetensors");
    scope = TensorScope.open();
  }

  @AfterEach
  void close() {
    scope.close();
  }

  private Tensor stored(Tensor tensor, StoredType type) throws IOException {
    SafetensorsFile.write(file, List.of(TensorSource.of("x", tensor, type)), Map.of());
    try (var opened = SafetensorsFile.open(file)) {
      assertThat(Objects.requireNonNull(opened.tensors().get("x")).type()).isEqualTo(type);
    }
    return Objects.requireNonNull(Safetensors.load(file).get("x"));
  }

  @Test
  void everyHalfComesBackBitForBit() {
    for (int bits = 0; bits < 1 << 16; bits++) {
      short half = (short) bits;
      float x = Float.float16ToFloat(half);
      if (!Float.isNaN(x)) {
        assertThat(Float.floatToFloat16(Conversion.roundedToOdd(x))).isEqualTo(half);
      }
      float y = Float.intBitsToFloat(bits << 16);
      if (Float.isNaN(y)) {
        assertThat(Float.intBitsToFloat(Conversion.bfloat16(y) << 16)).isNaN();
      } else {
        assertThat(Conversion.bfloat16(y)).isEqualTo(half);
      }
    }
    // A NaN whose payload is in the lower half only must not become an infinity.
    float low = Float.intBitsToFloat(0x7F800001);
    assertThat(Float.intBitsToFloat(Conversion.bfloat16(low) << 16)).isNaN();
  }

  /** All neighbours of a 16-bit type: the middle goes to the even one, what is beside it to its side. */
  private static void roundsToNearestEven(
      int largest, IntToDoubleFunction value, DoubleToIntFunction rounded) {
    for (int bits = 0; bits < largest; bits++) {
      double below = value.applyAsDouble(bits);
      double above = value.applyAsDouble(bits + 1);
      // Beyond the largest number the next step of the same size stands for infinity.
      if (Double.isInfinite(above)) {
        above = 2 * below - value.applyAsDouble(bits - 1);
      }
      double middle = (below + above) / 2;
      int even = bits % 2 == 0 ? bits : bits + 1;
      assertThat(rounded.applyAsInt(middle)).as("%a", middle).isEqualTo(even);
      assertThat(rounded.applyAsInt(-middle)).as("%a", -middle).isEqualTo(even | 0x8000);
      assertThat(rounded.applyAsInt(Math.nextDown(middle))).as("%a-", middle).isEqualTo(bits);
      assertThat(rounded.applyAsInt(Math.nextUp(middle))).as("%a+", middle).isEqualTo(bits + 1);
    }
  }

  @Test
  void everyMiddleOfTwoHalvesGoesToTheEvenOne() {
    roundsToNearestEven(
        0x7C00,
        bits -> Float.float16ToFloat((short) bits),
        x -> Float.floatToFloat16(Conversion.roundedToOdd(x)) & 0xFFFF);
  }

  @Test
  void everyMiddleOfTwoBfloatsGoesToTheEvenOne() {
    roundsToNearestEven(
        0x7F80,
        bits -> Float.intBitsToFloat(bits << 16),
        x -> Conversion.bfloat16(Conversion.roundedToOdd(x)) & 0xFFFF);
  }

  @Test
  void floatsAreStoredAsHalves() throws IOException {
    Tensor random = Philox.of(5).normal(DType.F32, 0, 1, 67, 131);
    Tensor wide = random.cast(DType.F64);
    for (var type : List.of(StoredType.F16, StoredType.BF16)) {
      double precision = type == StoredType.F16 ? 0x1p-11 : 0x1p-8;
      Tensor back = stored(random, type);
      assertThat(back.dtype()).isEqualTo(DType.F32);
      assertThat(back.allClose(random, precision, 0x1p-25)).isTrue();
      assertThat(back.sameValues(random)).isFalse();
      assertThat(stored(wide, type).sameValues(back)).isTrue();
      assertThat(stored(back.transpose(0, 1), type).sameValues(back.transpose(0, 1))).isTrue();
    }
    Tensor special = Tensor.of(Float.NaN, Float.NEGATIVE_INFINITY, -0f, 70000, 1e-9f);
    assertThat(stored(special, StoredType.F16).toFloatArray())
        .containsExactly(Float.NaN, Float.NEGATIVE_INFINITY, -0f, Float.POSITIVE_INFINITY, 0f);
  }

  @Test
  void doublesAreRoundedOnceAndNotTwice() throws IOException {
    // Above the middle of 1 and the next half by less than a float can say: by way of F32, 1.
    double x = 1 + 0x1p-11 + 0x1p-40;
    assertThat(stored(Tensor.of(x), StoredType.F16).item()).isEqualTo(1 + 0x1p-10);
    double y = 1 + 0x1p-8 + 0x1p-40;
    assertThat(stored(Tensor.of(y), StoredType.BF16).item()).isEqualTo(1 + 0x1p-7);
  }

  @Test
  void integersAreStoredIn64Bits() throws IOException {
    Tensor x = Tensor.of(Integer.MIN_VALUE, -1, 0, Integer.MAX_VALUE);
    assertThat(stored(x, StoredType.I64).sameValues(x)).isTrue();
    Tensor large = Tensor.arange(9471).sub(5000).reshape(123, 77);
    assertThat(stored(large, StoredType.I64).sameValues(large)).isTrue();
  }

  @Test
  void anIntegerThatDoesNotFitIsNamed() throws IOException {
    Tensor bytes = Tensor.of(0, 1); // 2^32
    var source = new TensorSource("n", StoredType.I64, List.of(1L), bytes::writeTo);
    SafetensorsFile.write(file, List.of(source), Map.of());
    assertThatThrownBy(() -> Safetensors.load(file))
        .isInstanceOf(SafetensorsException.class)
        .hasMessage(file + ": tensor \"n\", I64, holds 4294967296, which does not fit in 32 bits");
  }

  @Test
  void halvesAreReadIntoFloatsAndNothingElse() throws IOException {
    Tensor x = Tensor.of(Shape.of(2), 0.5f, -3f);
    var source = TensorSource.of("x", x, StoredType.BF16);
    SafetensorsFile.write(file, List.of(source), Map.of());
    Tensor target = Tensor.zeros(2);
    Safetensors.loadInto(file, Map.of("x", target));
    assertThat(target.sameValues(x)).isTrue();
    assertThatThrownBy(() -> Safetensors.loadInto(file, Map.of("x", Tensor.zeros(DType.F64, 2))))
        .isInstanceOf(SafetensorsException.class)
        .hasMessageContaining("\"x\" is BF16 [2] in the file, F64 [2] in the model");
  }

  @Test
  void otherTypesAreRefusedWhenTheSourceIsMade() {
    assertThatThrownBy(() -> TensorSource.of("x", Tensor.of(1, 2), StoredType.F16))
        .isInstanceOf(TensorException.class)
        .hasMessageStartingWith("storing ")
        .hasMessageEndingWith("as F16: it can be stored as [I32, I64]; cast it first");
    assertThatThrownBy(() -> TensorSource.of("x", Tensor.of(1.5), StoredType.F32))
        .hasMessageEndingWith("it can be stored as [F64, F16, BF16]; cast it first");
  }
}
