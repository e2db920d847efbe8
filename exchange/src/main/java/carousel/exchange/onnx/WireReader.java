package carousel.exchange.onnx;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Locale;

/**
 * Reads a protobuf message field by field: {@code message = (tag value)*}, {@code tag = field · 8 +
 * type}, where a value is a varint (type 0), 8 bytes (1), a length and as many bytes (2) or 4 bytes
 * (5).
 *
 * <p>Every length is compared with what is left before anything is made of it. Messages are windows
 * on one array: nothing is copied, and there is no recursion but that of the caller, who steps into
 * the messages it knows. A file of very many tiny parts, which would become large objects, is
 * refused.
 *
 * <p>Source: the encoding guide of Protocol Buffers; groups (types 3 and 4) do not occur in ONNX.
 */
final class WireReader {
  /** The most parts of one file; a model of a thousand layers has some ten thousand. */
  private static final int MAX_PARTS = 1_000_000;

  private static final int VARINT = 0;
  private static final int FIXED64 = 1;
  private static final int BYTES = 2;
  private static final int FIXED32 = 5;

  private final ByteBuffer in;
  private final int[] parts;
  private int field;
  private int type;

  WireReader(byte[] file) {
    this(ByteBuffer.wrap(file), new int[1]);
  }

  private WireReader(ByteBuffer in, int[] parts) {
    this.in = in.order(ByteOrder.LITTLE_ENDIAN);
    this.parts = parts;
  }

  /** Goes on to the next field; false at the end. Each must be read, or skipped. */
  boolean next() {
    if (!in.hasRemaining()) {
      return false;
    }
    if (++parts[0] > MAX_PARTS) {
      throw new OnnxException(
          String.format(Locale.ROOT, "more than %d parts; this is no model", MAX_PARTS));
    }
    long tag = varint();
    field = (int) (tag >>> 3);
    type = (int) tag & 7;
    if (tag < 8 || tag > 0xFFFF_FFFFL) {
      throw wrong("a field number of " + (tag >>> 3));
    }
    return true;
  }

  /** The number of the field at hand. */
  int field() {
    return field;
  }

  /** The wire type of the field at hand. */
  int type() {
    return type;
  }

  void skip() {
    switch (type) {
      case VARINT -> varint();
      case FIXED64 -> slice(Long.BYTES);
      case BYTES -> slice(length());
      case FIXED32 -> slice(Integer.BYTES);
      default -> throw wrong("a value of wire type " + type);
    }
  }

  long integer() {
    require(VARINT);
    return varint();
  }

  float single() {
    require(FIXED32);
    return slice(Integer.BYTES).getFloat();
  }

  String text() {
    require(BYTES);
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(slice(length())).toString();
    } catch (CharacterCodingException e) {
      throw wrong("a text that is not UTF-8");
    }
  }

  WireReader message() {
    require(BYTES);
    return new WireReader(slice(length()), parts);
  }

  /** The bytes of a value, little-endian: of bytes, of a packed list, or of one number of it. */
  ByteBuffer bytes() {
    return switch (type) {
      case BYTES -> slice(length());
      case FIXED32 -> slice(Integer.BYTES);
      case FIXED64 -> slice(Long.BYTES);
      default -> {
        int start = in.position();
        varint();
        yield in.slice(start, in.position() - start);
      }
    };
  }

  /** The next varint of a packed list; for {@link #bytes} of integers. */
  static long varint(ByteBuffer in) {
    long value = 0L;
    for (int shift = 0; shift < Long.SIZE; shift += 7) {
      if (!in.hasRemaining()) {
        throw new OnnxException("truncated inside of a number");
      }
      byte next = in.get();
      value |= (next & 0x7FL) << shift;
      if (next >= 0) {
        return value;
      }
    }
    throw new OnnxException("a number of more than 10 bytes");
  }

  private long varint() {
    return varint(in);
  }

  private int length() {
    long length = varint();
    if (length < 0 || length > in.remaining()) {
      throw wrong(
          String.format(
              Locale.ROOT,
              "a length of %s where %d bytes are left; truncated, or no ONNX file",
              Long.toUnsignedString(length),
              in.remaining()));
    }
    return (int) length;
  }

  private ByteBuffer slice(int length) {
    if (length > in.remaining()) {
      throw wrong(String.format(Locale.ROOT, "%d bytes left of %d", in.remaining(), length));
    }
    var slice = in.slice(in.position(), length).order(ByteOrder.LITTLE_ENDIAN);
    in.position(in.position() + length);
    return slice;
  }

  private void require(int wanted) {
    if (type != wanted) {
      throw wrong(String.format(Locale.ROOT, "wire type %d where %d is meant", type, wanted));
    }
  }

  private OnnxException wrong(String what) {
    return new OnnxException(
        String.format(Locale.ROOT, "not a sound protobuf message: %s, in field %d", what, field));
  }
}
