package carousel.nn.io;

import carousel.tensor.DType;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.ReadableByteChannel;
import java.nio.channels.WritableByteChannel;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What the elements of tensors become in files and the other way round, a buffer at a time. Reading
 * loses nothing: where a value has no place in the tensor's type, it is an error. Writing rounds to
 * the nearest, ties to even.
 */
enum Conversion {
  F32(StoredType.F32, DType.F32, null, null),
  F64(StoredType.F64, DType.F64, null, null),
  I32(StoredType.I32, DType.I32, null, null),
  BOOL(StoredType.BOOL, DType.BOOL, null, null),
  F16(
      StoredType.F16,
      DType.F32,
      (from, to) -> to.putFloat(Float.float16ToFloat(from.getShort())),
      (from, to) -> to.putShort(Float.floatToFloat16(from.getFloat()))),
  BF16(
      StoredType.BF16,
      DType.F32,
      (from, to) -> to.putInt(from.getShort() << Short.SIZE),
      (from, to) -> to.putShort(bfloat16(from.getFloat()))),
  F64_AS_F16(
      StoredType.F16,
      DType.F64,
      null,
      (from, to) -> to.putShort(Float.floatToFloat16(roundedToOdd(from.getDouble())))),
  F64_AS_BF16(
      StoredType.BF16,
      DType.F64,
      null,
      (from, to) -> to.putShort(bfloat16(roundedToOdd(from.getDouble())))),
  I64(
      StoredType.I64,
      DType.I32,
      (from, to) -> to.putInt(narrowed(from.getLong())),
      (from, to) -> to.putLong(from.getInt()));

  private static final int ELEMENTS = 1 << 10;

  private final StoredType stored;
  private final DType dtype;
  private final @Nullable Step reading;
  private final @Nullable Step writing;

  /** Moves one element from one buffer to the other. */
  @FunctionalInterface
  private interface Step {
    void move(ByteBuffer from, ByteBuffer to);
  }

  Conversion(StoredType stored, DType dtype, @Nullable Step reading, @Nullable Step writing) {
    this.stored = stored;
    this.dtype = dtype;
    this.reading = reading;
    this.writing = writing;
  }

  /** How a stored type is read: of each there is one way; null if there is none. */
  static @Nullable Conversion reading(StoredType stored) {
    return Arrays.stream(values())
        .filter(c -> c.stored == stored && (c.reading != null || c.isPlain()))
        .findFirst()
        .orElse(null);
  }

  /** How a tensor's type is written as a stored type; null if it is not. */
  static @Nullable Conversion writing(DType dtype, StoredType stored) {
    return Arrays.stream(values())
        .filter(c -> c.dtype == dtype && c.stored == stored)
        .findFirst()
        .orElse(null);
  }

  /** All that a tensor's type can be written as. */
  static List<StoredType> targets(DType dtype) {
    return Arrays.stream(values()).filter(c -> c.dtype == dtype).map(c -> c.stored).toList();
  }

  /** All stored types that can be read. */
  static List<StoredType> readable() {
    return Arrays.stream(StoredType.values()).filter(type -> reading(type) != null).toList();
  }

  /** The type of the tensor that the values are read into. */
  DType dtype() {
    return dtype;
  }

  private boolean isPlain() {
    return stored.name().equals(dtype.name());
  }

  /** The upper half of a float, rounded to the nearest, ties to even; a NaN stays one. */
  static short bfloat16(float x) {
    int bits = Float.floatToRawIntBits(x);
    int upper = bits >>> Short.SIZE;
    if (Float.isNaN(x)) {
      return (short) (upper | 0x40);
    }
    return (short) ((bits + 0x7FFF + (upper & 1)) >>> Short.SIZE);
  }

  /**
   * The float next to a double whose last bit is odd where the double lies between two floats: what
   * is rounded to fewer bits from there comes out as if it were rounded once (Boldo and Melquiond
   * 2008).
   */
  static float roundedToOdd(double x) {
    float near = (float) x;
    if (near == x || Double.isNaN(x)) {
      return near;
    }
    int bits = Float.floatToRawIntBits(near);
    // The next float towards zero; from infinity that is the largest.
    if (Math.abs((double) near) > Math.abs(x)) {
      bits--;
    }
    return Float.intBitsToFloat(bits | 1);
  }

  private static int narrowed(long x) {
    if ((int) x != x) {
      throw new TooLarge(x);
    }
    return (int) x;
  }

  /** A 64-bit number that 32 bits do not hold; {@link Loading} says where. */
  static final class TooLarge extends RuntimeException {
    private static final long serialVersionUID = 1L;

    TooLarge(long value) {
      super("holds " + value + ", which does not fit in 32 bits");
    }
  }

  /** The bytes of a tensor, from those of a file. */
  ReadableByteChannel from(ReadableByteChannel file) {
    return reading == null ? file : new Widening(file, reading);
  }

  /** Takes the bytes of a tensor, and puts those of a file into the channel. */
  WritableByteChannel to(WritableByteChannel file) {
    return writing == null ? file : new Narrowing(file, writing);
  }

  private ByteBuffer buffer(int bytes) {
    return ByteBuffer.allocate(ELEMENTS * bytes).order(ByteOrder.LITTLE_ENDIAN);
  }

  private final class Widening implements ReadableByteChannel {
    private final ReadableByteChannel file;
    private final Step step;
    private final ByteBuffer elements = buffer(stored.bytes());

    Widening(ReadableByteChannel file, Step step) {
      this.file = file;
      this.step = step;
    }

    @Override
    public int read(ByteBuffer into) throws IOException {
      int wanted = Math.min(ELEMENTS, into.remaining() / dtype.bytes());
      elements.clear().limit(wanted * stored.bytes());
      while (elements.hasRemaining()) {
        if (file.read(elements) < 0) {
          break;
        }
      }
      elements.flip();
      if (!elements.hasRemaining()) {
        return -1;
      }
      var before = into.order();
      int start = into.position();
      into.order(ByteOrder.LITTLE_ENDIAN);
      while (elements.remaining() >= stored.bytes()) {
        step.move(elements, into);
      }
      into.order(before);
      return into.position() - start;
    }

    @Override
    public boolean isOpen() {
      return file.isOpen();
    }

    @Override
    public void close() throws IOException {
      file.close();
    }
  }

  private final class Narrowing implements WritableByteChannel {
    private final WritableByteChannel file;
    private final Step step;
    private final ByteBuffer elements = buffer(stored.bytes());

    Narrowing(WritableByteChannel file, Step step) {
      this.file = file;
      this.step = step;
    }

    @Override
    public int write(ByteBuffer from) throws IOException {
      int start = from.position();
      var before = from.order();
      from.order(ByteOrder.LITTLE_ENDIAN);
      while (from.remaining() >= dtype.bytes()) {
        elements.clear();
        while (elements.hasRemaining() && from.remaining() >= dtype.bytes()) {
          step.move(from, elements);
        }
        elements.flip();
        while (elements.hasRemaining()) {
          file.write(elements);
        }
      }
      from.order(before);
      return from.position() - start;
    }

    @Override
    public boolean isOpen() {
      return file.isOpen();
    }

    @Override
    public void close() throws IOException {
      file.close();
    }
  }
}
