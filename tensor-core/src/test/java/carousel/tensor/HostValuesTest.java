package carousel.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carousel.tensor.op.Interpreter;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.channels.ReadableByteChannel;
import java.nio.channels.WritableByteChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Values to and from the host: arrays, memory, channels, comparison; on every device. */
@ParameterizedClass
@MethodSource("carousel.tensor.DevicesUnderTest#all")
class HostValuesTest {
  private final TensorScope scope;

  HostValuesTest(Device device) {
    scope = TensorScope.open(device);
  }

  @AfterEach
  void close() {
    scope.close();
  }

  @Test
  void arraysAreInRowMajorOrderOfTheView() {
    Tensor x = Tensor.arange(6).reshape(2, 3).transpose(0, 1);
    assertThat(x.toIntArray()).containsExactly(0, 3, 1, 4, 2, 5);
    assertThat(x.cast(DType.F32).toFloatArray()).containsExactly(0, 3, 1, 4, 2, 5);
    assertThat(x.toDoubleArray()).containsExactly(0, 3, 1, 4, 2, 5);
    assertThat(x.gt(2).toBooleanArray()).containsExactly(false, true, false, true, false, true);
    assertThat(Tensor.zeros(0, 3).toFloatArray()).isEmpty();
  }

  @Test
  void arraysHaveTheTypeOfTheTensor() {
    Tensor x = Tensor.zeros(DType.F64, 2);
    assertThatThrownBy(x::toFloatArray)
        .isInstanceOf(TensorException.class)
        .hasMessageContainingAll("F32 values of a tensor of F64 [2]", "cast(DType.F32)");
    assertThatThrownBy(x::toIntArray).hasMessageContaining("cast(DType.I32)");
    assertThatThrownBy(x::toBooleanArray).hasMessageContaining("cast(DType.BOOL)");
  }

  @Test
  void everyTypeFitsADouble() {
    assertThat(Tensor.of(Integer.MIN_VALUE, Integer.MAX_VALUE).toDoubleArray())
        .containsExactly(Integer.MIN_VALUE, Integer.MAX_VALUE);
    assertThat(Tensor.of(0.1f, Float.MIN_VALUE).toDoubleArray())
        .containsExactly(0.1f, Float.MIN_VALUE);
    assertThat(Tensor.of(Shape.of(1), true).toDoubleArray()).containsExactly(1);
  }

  @Test
  void segments() {
    Tensor x = Tensor.of(1f, 2f, 3f).flip(0);
    try (var arena = Arena.ofConfined()) {
      MemorySegment target = arena.allocate(12);
      x.copyTo(target);
      assertThat(target.toArray(ValueLayout.JAVA_FLOAT)).containsExactly(3, 2, 1);
    }
    assertThatThrownBy(() -> x.copyTo(MemorySegment.ofArray(new float[4])))
        .isInstanceOf(TensorException.class)
        .hasMessage("copyTo: F32 [3] has 12 bytes, the target 16");
  }

  @Test
  void readingLeavesNothingBehind() {
    Tensor x = Tensor.zeros(64, 64).transpose(0, 1);
    long before = scope.bytes();
    x.toFloatArray();
    x.toDoubleArray();
    x.copyTo(MemorySegment.ofArray(new float[64 * 64]));
    assertThat(scope.bytes()).isEqualTo(before);
  }

  @Test
  void singleElements() {
    assertThat(Tensor.full(DType.F64, 2.5).item()).isEqualTo(2.5);
    assertThat(Tensor.full(DType.I32, 3, 1, 1).item()).isEqualTo(3);
    assertThat(Tensor.of(Shape.of(1), true).item()).isEqualTo(1);
    assertThatThrownBy(() -> Tensor.zeros(2).item())
        .isInstanceOf(TensorException.class)
        .hasMessage("item: [2] has 2 elements, not one");
    assertThatThrownBy(() -> Tensor.zeros(0).item()).isInstanceOf(TensorException.class);
    Tensor x = Tensor.arange(6).reshape(2, 3).flip(1);
    assertThat(x.get(1, 0)).isEqualTo(5);
    assertThat(Tensor.full(DType.F32, 4).get()).isEqualTo(4);
    assertThatThrownBy(() -> x.get(1)).hasMessageContaining("1 positions for [2,3] of rank 2");
    assertThatThrownBy(() -> x.get(1, 3)).hasMessageContaining("[1, 3] lies outside [2,3]");
    assertThatThrownBy(() -> x.get(-1, 0)).hasMessageContaining("lies outside");
  }

  @Test
  void sameValues() {
    Tensor x = Tensor.of(1, Double.NaN, 0.0, Double.POSITIVE_INFINITY);
    assertThat(x.sameValues(Tensor.of(1, Double.NaN, -0.0, Double.POSITIVE_INFINITY))).isTrue();
    assertThat(x.sameValues(Tensor.of(1, Double.NaN, 0.0, Double.NEGATIVE_INFINITY))).isFalse();
    assertThat(x.sameValues(Tensor.of(1, 2, 0.0, Double.POSITIVE_INFINITY))).isFalse();
    assertThat(x.sameValues(x.reshape(2, 2))).isFalse();
    assertThat(Tensor.of(1f).sameValues(Tensor.of(1.0))).as("another type").isFalse();
    assertThat(Tensor.zeros(0).sameValues(Tensor.zeros(0))).isTrue();
    assertThat(x.equals(x.copy())).as("equals is identity").isFalse();
  }

  @Test
  void allClose() {
    Tensor b = Tensor.of(100.0, -1, Double.NaN, Double.POSITIVE_INFINITY);
    assertThat(Tensor.of(100.9, -1.009, Double.NaN, Double.POSITIVE_INFINITY).allClose(b, 0.01, 0))
        .isTrue();
    assertThat(Tensor.of(101.1, -1, Double.NaN, Double.POSITIVE_INFINITY).allClose(b, 0.01, 0))
        .isFalse();
    assertThat(Tensor.of(101.1, -1, Double.NaN, Double.POSITIVE_INFINITY).allClose(b, 0.01, 0.2))
        .isTrue();
    assertThat(Tensor.of(100, -1, 0, Double.POSITIVE_INFINITY).allClose(b, 9, 9)).isFalse();
    assertThat(Tensor.of(100, -1, Double.NaN, 1e300).allClose(b, 9, 9)).isFalse();
    assertThat(Tensor.of(Double.POSITIVE_INFINITY).allClose(Tensor.of(1.0), 9, 9)).isFalse();
    assertThat(Tensor.of(1f).allClose(Tensor.of(1.0), 0, 0)).as("types may differ").isTrue();
  }

  // ---- channels ----

  @ParameterizedTest
  @EnumSource
  void filesHoldWhatWasWritten(DType dtype, @TempDir Path folder) throws IOException {
    // More than one buffer, read back into another arrangement.
    Tensor x = Tensor.arange(90_000).reshape(300, 300).cast(dtype);
    Path file = folder.resolve("values.bin");
    try (var channel =
        FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
      x.transpose(0, 1).writeTo(channel);
      assertThat(channel.size()).isEqualTo(90_000L * dtype.bytes());
    }
    Tensor y = Tensor.zeros(dtype, 300, 300);
    Tensor z = Tensor.zeros(dtype, 300, 300).transpose(0, 1);
    try (var channel = FileChannel.open(file, StandardOpenOption.READ)) {
      assertThat(y.readFrom(channel)).isSameAs(y);
    }
    try (var channel = FileChannel.open(file, StandardOpenOption.READ)) {
      z.readFrom(channel);
    }
    assertThat(y.sameValues(x.transpose(0, 1))).isTrue();
    assertThat(z.sameValues(y)).isTrue();
  }

  @Test
  void filesAreLittleEndian() throws IOException {
    var bytes = new ByteArrayOutputStream();
    Tensor.of(1, -2).writeTo(Channels.newChannel(bytes));
    Tensor.of(0.5).writeTo(Channels.newChannel(bytes));
    ByteBuffer read = ByteBuffer.wrap(bytes.toByteArray()).order(ByteOrder.LITTLE_ENDIAN);
    assertThat(read.getInt()).isEqualTo(1);
    assertThat(read.getInt()).isEqualTo(-2);
    assertThat(read.getDouble()).isEqualTo(0.5);
    assertThat(read.hasRemaining()).isFalse();
  }

  @Test
  void nothingAndSingleValuesTravelToo() throws IOException {
    var bytes = new ByteArrayOutputStream();
    Tensor.zeros(3, 0).writeTo(Channels.newChannel(bytes));
    assertThat(bytes.size()).isZero();
    Tensor.full(DType.F32, 4).writeTo(Channels.newChannel(bytes));
    Tensor x = Tensor.zeros();
    x.readFrom(Channels.newChannel(new ByteArrayInputStream(bytes.toByteArray())));
    assertThat(x.item()).isEqualTo(4);
    Tensor.zeros(0).readFrom(Channels.newChannel(new ByteArrayInputStream(new byte[0])));
  }

  /** Moving values is no op: nothing of it may be seen by a tape, or stay behind. */
  @Test
  void channelsAreNoOpsAndLeaveNothingBehind() {
    Tensor x = Tensor.arange(100_000).reshape(100, 1000).transpose(0, 1);
    Tensor y = Tensor.zeros(DType.I32, 100, 1000).transpose(0, 1);
    Tensor z = Tensor.zeros(DType.I32, 1001, 100).narrow(0, 1, 1000);
    long before = scope.bytes();
    int version = z.storage().version();
    Interpreter none =
        (op, inputs) -> {
          throw new AssertionError("applied " + op);
        };
    none.run(() -> {
      try {
        var bytes = new ByteArrayOutputStream();
        x.writeTo(Channels.newChannel(bytes));
        y.readFrom(Channels.newChannel(new ByteArrayInputStream(bytes.toByteArray())));
        return z.readFrom(Channels.newChannel(new ByteArrayInputStream(bytes.toByteArray())));
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    });
    assertThat(y.sameValues(x)).isTrue();
    assertThat(z.sameValues(x)).isTrue();
    assertThat(scope.bytes()).isEqualTo(before);
    assertThat(z.storage().version()).isGreaterThan(version);
  }

  @Test
  void masksAreReadAsZerosAndOnes() throws IOException {
    Tensor mask = Tensor.zeros(DType.BOOL, 3);
    mask.readFrom(Channels.newChannel(new ByteArrayInputStream(new byte[] {0, 5, -1})));
    assertThat(mask.cast(DType.F32).toFloatArray()).containsExactly(0, 1, 1);
  }

  @Test
  void aChannelThatEndsTooSoonSaysHowFarItGot() {
    var channel = Channels.newChannel(new ByteArrayInputStream(new byte[20]));
    assertThatThrownBy(() -> Tensor.zeros(2, 4).readFrom(channel))
        .isInstanceOf(TensorException.class)
        .hasMessage("readFrom: the channel ended after 5 of 8 values for [2,4]");
  }

  /** Channels may take and give less than asked for. */
  @Test
  void shortWritesAndReadsAreContinued() throws IOException {
    var bytes = new ByteArrayOutputStream();
    Tensor x = Tensor.arange(1000);
    x.writeTo(new Sluggish(ByteBuffer.allocate(0), bytes));
    Tensor y = Tensor.zeros(DType.I32, 1000);
    y.readFrom(new Sluggish(ByteBuffer.wrap(bytes.toByteArray()), bytes));
    assertThat(y.sameValues(x)).isTrue();
  }

  /** Moves seven bytes at a time, and now and then none. */
  private static final class Sluggish implements WritableByteChannel, ReadableByteChannel {
    private final ByteBuffer source;
    private final ByteArrayOutputStream sink;
    private int calls;

    Sluggish(ByteBuffer source, ByteArrayOutputStream sink) {
      this.source = source;
      this.sink = sink;
    }

    @Override
    public int write(ByteBuffer from) {
      int n = calls++ % 5 == 0 ? 0 : Math.min(7, from.remaining());
      for (int i = 0; i < n; i++) {
        sink.write(from.get());
      }
      return n;
    }

    @Override
    public int read(ByteBuffer to) {
      if (!source.hasRemaining()) {
        return -1;
      }
      int n = calls++ % 5 == 0 ? 0 : Math.min(7, Math.min(to.remaining(), source.remaining()));
      for (int i = 0; i < n; i++) {
        to.put(source.get());
      }
      return n;
    }

    @Override
    public boolean isOpen() {
      return true;
    }

    @Override
    public void close() {}
  }
}
