package carousel.exchange.onnx;

import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.ReadableByteChannel;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * A tensor of a file: its shape, and where its bytes lie. Nothing is allocated before the bytes were
 * counted against the shape.
 *
 * @param name under which nodes read it
 * @param type its elements
 * @param dims its shape
 * @param data its elements, little-endian and in one piece or several; integers that the file keeps
 *     as varints stay that
 * @param packed whether the data are varints
 */
record TensorProto(
    String name, DataType type, List<Integer> dims, List<ByteBuffer> data, boolean packed) {
  private static final int MAX_RANK = 16;

  static TensorProto read(WireReader in, ExternalFiles files) {
    String name = "";
    long type = 0L;
    var dims = new ArrayList<Long>();
    var raw = new ArrayList<ByteBuffer>();
    var listed = new ArrayList<ByteBuffer>();
    int listing = 0;
    var elsewhere = new HashMap<String, String>();
    boolean external = false;
    while (in.next()) {
      switch (in.field()) {
        case 1 -> {
          var list = in.bytes();
          while (list.hasRemaining()) {
            dims.add(WireReader.varint(list));
            if (dims.size() > MAX_RANK) {
              throw new OnnxException(
                  String.format(Locale.ROOT, "a tensor of more than %d axes", MAX_RANK));
            }
          }
        }
        case 2 -> type = in.integer();
        case 4, 5, 7, 10 -> {
          listing = in.field();
          listed.add(in.bytes());
        }
        case 8 -> name = in.text();
        case 9 -> raw.add(in.bytes());
        case 13 -> entry(in.message(), elsewhere);
        case 14 -> external |= in.integer() == 1;
        default -> in.skip();
      }
    }
    var found = DataType.of(type, "tensor " + OnnxException.quote(name));
    var shape = extents(name, dims);
    if (external || !elsewhere.isEmpty()) {
      raw.clear();
      listed.clear();
      long wanted = size(shape) * found.bytes();
      raw.add(files.read(name, elsewhere, wanted));
    }
    if (!raw.isEmpty() && !listed.isEmpty()) {
      throw wrong(name, "has its values twice");
    }
    if (!listed.isEmpty() && listing != field(found)) {
      throw wrong(
          name, String.format(Locale.ROOT, "is of type %s and lists values of another", found));
    }
    boolean packed = !listed.isEmpty() && (listing == 5 || listing == 7);
    var proto = new TensorProto(name, found, shape, raw.isEmpty() ? listed : raw, packed);
    proto.checkSize();
    return proto;
  }

  private static void entry(WireReader in, Map<String, String> entries) {
    String key = "";
    String value = "";
    while (in.next()) {
      switch (in.field()) {
        case 1 -> key = in.text();
        case 2 -> value = in.text();
        default -> in.skip();
      }
    }
    entries.put(key, value);
  }

  /** The field that lists values of a type. */
  private static int field(DataType type) {
    return switch (type) {
      case FLOAT -> 4;
      case INT32, BOOL, FLOAT16, BFLOAT16 -> 5;
      case INT64 -> 7;
      case DOUBLE -> 10;
    };
  }

  private static List<Integer> extents(String name, List<Long> dims) {
    var extents = new ArrayList<Integer>();
    long elements = 1L;
    for (var dim : dims) {
      if (dim < 0 || dim > Integer.MAX_VALUE) {
        throw wrong(name, "has an axis of " + dim);
      }
      // A file holds less than 2^31 bytes; beyond that the product needs not be known.
      elements = Math.min(elements * dim, Integer.MAX_VALUE + 1L);
      extents.add(dim.intValue());
    }
    if (elements > Integer.MAX_VALUE) {
      throw wrong(name, String.format(Locale.ROOT, "of %s is larger than any file", dims));
    }
    return extents;
  }

  /** How many bytes of the file its values take. */
  long bytes() {
    return data.stream().mapToLong(ByteBuffer::remaining).sum();
  }

  private void checkSize() {
    long present = bytes();
    long wanted = elements() * type.bytes();
    // A varint has a byte at least.
    if (packed ? present < elements() : present != wanted) {
      throw wrong(
          name,
          String.format(
              Locale.ROOT, "%s %s, has %d bytes where %d are needed", type, dims, present, wanted));
    }
  }

  private long elements() {
    return size(dims);
  }

  private static long size(List<Integer> dims) {
    return dims.stream().mapToLong(Integer::longValue).reduce(1, (a, b) -> a * b);
  }

  /** The values in a new tensor of the innermost scope; integers past I32 end at its bounds. */
  Tensor toTensor() {
    var shape = Shape.of(dims.stream().mapToInt(Integer::intValue).toArray());
    return switch (type) {
      case FLOAT, DOUBLE -> {
        try {
          yield Tensor.zeros(type.dtype(), shape.toArray()).readFrom(new Bytes());
        } catch (IOException e) {
          throw new UncheckedIOException(e); // an array does not fail
        }
      }
      case INT32, INT64 -> {
        var values = new int[(int) elements()];
        integers((at, value) -> values[at] = saturated(value));
        yield Tensor.of(shape, values);
      }
      case BOOL -> {
        var values = new boolean[(int) elements()];
        integers((at, value) -> values[at] = value != 0);
        yield Tensor.of(shape, values);
      }
      case FLOAT16, BFLOAT16 -> {
        var values = new float[(int) elements()];
        integers((at, value) ->
            values[at] =
                type == DataType.FLOAT16
                    ? Float.float16ToFloat((short) value)
                    : Float.intBitsToFloat((int) value << Short.SIZE));
        yield Tensor.of(shape, values);
      }
    };
  }

  static int saturated(long value) {
    return Math.clamp(value, Integer.MIN_VALUE, Integer.MAX_VALUE);
  }

  /** Whether a number of it does not fit into I32. */
  boolean isCut() {
    if (type != DataType.INT64) {
      return false;
    }
    var cut = new boolean[1];
    integers((at, value) -> cut[0] |= value != saturated(value));
    return cut[0];
  }

  /** Takes an integer of the list, at its place. */
  private interface Taker {
    void take(int at, long value);
  }

  private void integers(Taker taker) {
    long count = elements();
    int at = 0;
    for (var piece : data) {
      var rest = piece.duplicate().order(piece.order());
      while (rest.hasRemaining()) {
        if (at == count) {
          throw wrong(name, String.format(Locale.ROOT, "lists more than its %d values", at));
        }
        taker.take(at++, packed ? WireReader.varint(rest) : next(rest));
      }
    }
    if (at < count) {
      throw wrong(name, String.format(Locale.ROOT, "lists %d of its %d values", at, count));
    }
  }

  private long next(ByteBuffer in) {
    return switch (type.bytes()) {
      case Long.BYTES -> in.getLong();
      case Integer.BYTES -> in.getInt();
      case Short.BYTES -> in.getShort();
      default -> in.get();
    };
  }

  private static OnnxException wrong(String name, String problem) {
    return new OnnxException(
        String.format(Locale.ROOT, "tensor %s %s", OnnxException.quote(name), problem));
  }

  /** The pieces, one after the other. */
  private final class Bytes implements ReadableByteChannel {
    private final ByteBuffer[] left =
        data.stream().map(ByteBuffer::duplicate).toArray(ByteBuffer[]::new);
    private int piece;

    @Override
    public int read(ByteBuffer into) {
      while (piece < left.length && !left[piece].hasRemaining()) {
        piece++;
      }
      if (piece == left.length) {
        return -1;
      }
      var from = left[piece];
      int count = Math.min(from.remaining(), into.remaining());
      into.put(from.slice(from.position(), count));
      from.position(from.position() + count);
      return count;
    }

    @Override
    public boolean isOpen() {
      return true;
    }

    @Override
    public void close() {}
  }
}
