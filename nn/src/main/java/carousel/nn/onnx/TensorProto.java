package carousel.nn.onnx;

import carousel.tensor.DType;
import carousel.tensor.Tensor;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.ReadableByteChannel;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

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

  /** The longest list of integers that is read as numbers; shapes and axes are short. */
  private static final int MAX_INTEGERS = 1024;

  static TensorProto read(WireReader in) {
    var name = "";
    var type = 0L;
    var dims = new ArrayList<Long>();
    var raw = new ArrayList<ByteBuffer>();
    var listed = new ArrayList<ByteBuffer>();
    var listing = 0;
    var external = false;
    while (in.next()) {
      switch (in.field()) {
        case 1 -> {
          var list = in.bytes();
          while (list.hasRemaining()) {
            dims.add(WireReader.varint(list));
            if (dims.size() > MAX_RANK)
              throw new OnnxException(
                  String.format(Locale.ROOT, "a tensor of more than %d axes", MAX_RANK));
          }
        }
        case 2 -> type = in.integer();
        case 4, 5, 7, 10 -> {
          listing = in.field();
          listed.add(in.bytes());
        }
        case 8 -> name = in.text();
        case 9 -> raw.add(in.bytes());
        case 13 -> {
          external = true;
          in.skip();
        }
        case 14 -> external |= in.integer() == 1;
        default -> in.skip();
      }
    }
    if (external) {
      throw wrong(name, "lies in another file; save the model in one file, without external data");
    }
    var found = DataType.of(type, name);
    if (!raw.isEmpty() && !listed.isEmpty()) throw wrong(name, "has its values twice");
    if (!listed.isEmpty() && listing != field(found)) {
      throw wrong(
          name, String.format(Locale.ROOT, "is of type %s and lists values of another", found));
    }
    var packed = !listed.isEmpty() && (found == DataType.INT32 || found == DataType.INT64);
    var proto =
        new TensorProto(name, found, extents(name, dims), raw.isEmpty() ? listed : raw, packed);
    if (!packed) proto.checkSize();
    return proto;
  }

  /** The field that lists values of a type. */
  private static int field(DataType type) {
    return switch (type) {
      case FLOAT -> 4;
      case INT32 -> 5;
      case INT64 -> 7;
      case DOUBLE -> 10;
    };
  }

  private static List<Integer> extents(String name, List<Long> dims) {
    var extents = new ArrayList<Integer>();
    var elements = 1L;
    for (var dim : dims) {
      if (dim < 0 || dim > Integer.MAX_VALUE) throw wrong(name, "has an axis of " + dim);
      // A file holds less than 2^31 bytes; beyond that the product needs not be known.
      elements = Math.min(elements * dim, Integer.MAX_VALUE + 1L);
      extents.add(dim.intValue());
    }
    if (elements > Integer.MAX_VALUE)
      throw wrong(name, String.format(Locale.ROOT, "of %s is larger than any file", dims));
    return extents;
  }

  /** How many bytes of the file its values take. */
  long bytes() {
    return data.stream().mapToLong(ByteBuffer::remaining).sum();
  }

  private void checkSize() {
    var present = bytes();
    var wanted = elements() * type.bytes();
    if (present != wanted) {
      throw wrong(
          name,
          String.format(
              Locale.ROOT, "%s %s, has %d bytes where %d are needed", type, dims, present, wanted));
    }
  }

  private long elements() {
    return dims.stream().mapToLong(Integer::longValue).reduce(1, (a, b) -> a * b);
  }

  /** The values in a new tensor of the innermost scope. */
  Tensor toTensor() {
    var dtype =
        switch (type) {
          case FLOAT -> DType.F32;
          case DOUBLE -> DType.F64;
          case INT32, INT64 ->
              throw wrong(
                  name,
                  String.format(Locale.ROOT, "holds %s where weights are FLOAT or DOUBLE", type));
        };
    var tensor = Tensor.zeros(dtype, dims.stream().mapToInt(Integer::intValue).toArray());
    try {
      return tensor.readFrom(new Bytes());
    } catch (IOException e) {
      throw new UncheckedIOException(e); // an array does not fail
    }
  }

  /** Whether all bytes are 0, so that all values are. */
  boolean isZero() {
    return data.stream()
        .allMatch(piece -> {
          for (var i = piece.position(); i < piece.limit(); i++)
            if (piece.get(i) != 0) return false;
          return true;
        });
  }

  /** The values of a short list of integers. */
  long[] toIntegers() {
    if ((type != DataType.INT64 && type != DataType.INT32) || elements() > MAX_INTEGERS) {
      throw wrong(
          name, String.format(Locale.ROOT, "%s %s, is read as a list of integers", type, dims));
    }
    var values = new long[(int) elements()];
    var at = 0;
    for (var piece : data) {
      var rest = piece.duplicate().order(piece.order());
      while (rest.hasRemaining()) {
        if (at == values.length)
          throw wrong(name, String.format(Locale.ROOT, "lists more than its %d values", at));
        values[at++] =
            packed
                ? WireReader.varint(rest)
                : type == DataType.INT64 ? rest.getLong() : rest.getInt();
      }
    }
    if (at < values.length)
      throw wrong(name, String.format(Locale.ROOT, "lists %d of its %d values", at, values.length));
    return values;
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
      while (piece < left.length && !left[piece].hasRemaining()) piece++;
      if (piece == left.length) return -1;
      var from = left[piece];
      var count = Math.min(from.remaining(), into.remaining());
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
