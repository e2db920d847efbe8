package carousel.nn.io;

import carousel.tensor.Tensor;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.WritableByteChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;

/**
 * One tensor to and from an npy file, as {@code numpy.save} and {@code numpy.load} have it.
 *
 * <p>Read are the format versions 1.0, 2.0 and 3.0, little-endian, rows first or columns first, F64,
 * F32, I32 and BOOL bit for bit, F16 as F32 and I64 as I32, where a number that does not fit is an
 * error. Python objects are never read.
 *
 * <p>Source: NumPy's {@code numpy.lib.format}.
 */
public final class Npy {
  private static final String NAME = "array";

  private Npy() {}

  /**
   * Writes a tensor, atomically, the very bytes that {@code numpy.save} writes.
   *
   * @param path the file to create or replace; its folder must exist
   * @param tensor of any layout and device
   * @throws IOException if the file cannot be written; an old file is then as it was
   */
  public static void save(Path path, Tensor tensor) throws IOException {
    save(path, TensorSource.of(NAME, tensor));
  }

  /**
   * Writes a tensor as an element type that tensors do not have, F16 or I64.
   *
   * @param path the file to create or replace; its folder must exist
   * @param source the tensor; its name is not written
   * @throws NpyException if NumPy has no such element type
   * @throws IOException if the file cannot be written; an old file is then as it was
   */
  public static void save(Path path, TensorSource source) throws IOException {
    checkType(path, source);
    AtomicFile.write(path, channel -> write(source, channel));
  }

  /**
   * Reads a tensor.
   *
   * @param path the file
   * @return a new tensor of the innermost scope, on its device
   * @throws NpyException if the file is missing, truncated or not sound, or holds an element type
   *     that tensors do not have
   * @throws IOException if it cannot be read
   */
  public static Tensor load(Path path) throws IOException {
    if (!Files.isRegularFile(path)) {
      throw new NpyException(path, "there is no file of this name");
    }
    try (var channel = FileChannel.open(path, StandardOpenOption.READ)) {
      var header = NpyHeader.read(channel, channel.size(), what -> new NpyException(path, what));
      var stored =
          new StoredTensor(NAME, header.type(), header.shape(), header.length(), channel.size());
      TensorBytes.Portions portions =
          (into, done) -> {
            int count = channel.read(into, header.length() + done);
            if (count < 0) {
              throw new NpyException(path, SafetensorsHeader.SHORTER);
            }
            return count;
          };
      var loading =
          new Loading(
              Map.of(NAME, stored),
              name -> new TensorBytes(stored, portions, what -> new NpyException(path, what)),
              name -> header.columnMajor(),
              what -> new NpyException(path, what));
      return Objects.requireNonNull(loading.tensors().get(NAME));
    }
  }

  /** Writes the array of a source, header and data. */
  static void write(TensorSource source, WritableByteChannel channel) throws IOException {
    var header = ByteBuffer.wrap(NpyHeader.encode(source.type(), source.shape()));
    while (header.hasRemaining()) {
      channel.write(header);
    }
    source.content().writeTo(channel);
  }

  static void checkType(Path path, TensorSource source) {
    if (NpyHeader.descr(source.type()) != null) {
      return;
    }
    throw new NpyException(
        path,
        String.format(
            Locale.ROOT,
            "tensor %s: NumPy has no %s; store it as F32 or F16, or in a safetensors file",
            HeaderParser.quote(source.name()),
            source.type()));
  }
}
