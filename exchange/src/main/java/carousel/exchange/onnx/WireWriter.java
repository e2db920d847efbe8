package carousel.exchange.onnx;

import carousel.tensor.Tensor;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.WritableByteChannel;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * A protobuf message that is put together field by field; see {@link WireReader} for the format. The
 * bytes of tensors are not copied into it: they go to the file from where they are.
 */
final class WireWriter {
  private sealed interface Piece {
    long size();

    void writeTo(WritableByteChannel channel) throws IOException;
  }

  private record Head(byte[] bytes) implements Piece {
    @Override
    public long size() {
      return bytes.length;
    }

    @Override
    public void writeTo(WritableByteChannel channel) throws IOException {
      var buffer = ByteBuffer.wrap(bytes);
      while (buffer.hasRemaining()) {
        channel.write(buffer);
      }
    }
  }

  private record Values(Tensor tensor) implements Piece {
    @Override
    public long size() {
      return tensor.size() * tensor.dtype().bytes();
    }

    @Override
    public void writeTo(WritableByteChannel channel) throws IOException {
      tensor.writeTo(channel);
    }
  }

  private record Nested(WireWriter message) implements Piece {
    @Override
    public long size() {
      return message.size();
    }

    @Override
    public void writeTo(WritableByteChannel channel) throws IOException {
      message.writeTo(channel);
    }
  }

  private final List<Piece> pieces = new ArrayList<>();
  private long size;

  WireWriter integer(int field, long value) {
    return add(new Head(join(varint(field << 3), varint(value))));
  }

  WireWriter single(int field, double value) {
    var bytes = ByteBuffer.allocate(Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    return add(new Head(join(varint((field << 3) | 5), bytes.putFloat((float) value).array())));
  }

  WireWriter text(int field, String value) {
    return bytes(field, value.getBytes(StandardCharsets.UTF_8));
  }

  WireWriter bytes(int field, byte[] value) {
    return delimited(field, new Head(value));
  }

  WireWriter tensor(int field, Tensor value) {
    return delimited(field, new Values(value));
  }

  WireWriter message(int field, WireWriter value) {
    return delimited(field, new Nested(value));
  }

  WireWriter messages(int field, List<WireWriter> values) {
    values.forEach(value -> message(field, value));
    return this;
  }

  /** How many bytes it takes. */
  long size() {
    return size;
  }

  void writeTo(WritableByteChannel channel) throws IOException {
    for (var piece : pieces) {
      piece.writeTo(channel);
    }
  }

  private WireWriter delimited(int field, Piece value) {
    return add(new Head(join(varint((field << 3) | 2), varint(value.size())))).add(value);
  }

  private WireWriter add(Piece piece) {
    pieces.add(piece);
    size += piece.size();
    return this;
  }

  private static byte[] varint(long value) {
    var out = new ByteArrayOutputStream();
    for (; (value & ~0x7FL) != 0; value >>>= 7) {
      out.write((int) ((value & 0x7F) | 0x80));
    }
    out.write((int) value);
    return out.toByteArray();
  }

  private static byte[] join(byte[] a, byte[] b) {
    return ByteBuffer.allocate(a.length + b.length).put(a).put(b).array();
  }
}
