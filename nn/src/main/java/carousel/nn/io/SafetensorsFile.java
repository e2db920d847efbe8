package carousel.nn.io;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.ReadableByteChannel;
import java.nio.channels.WritableByteChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;

/**
 * A safetensors file as names, types, shapes and raw little-endian bytes.
 *
 * <p>Opening reads and checks the header and nothing else; the bytes of a tensor are streamed to
 * where they belong when they are asked for, so that a file never needs its own size in memory. The
 * file is read with plain reads and not mapped: a mapped file that another program cuts short ends
 * the virtual machine's access with a fault, a read ends it with a message.
 */
public final class SafetensorsFile implements Closeable {
  private final Path path;
  private final FileChannel channel;
  private final SafetensorsHeader header;

  private SafetensorsFile(Path path, FileChannel channel, SafetensorsHeader header) {
    this.path = path;
    this.channel = channel;
    this.header = header;
  }

  /**
   * Opens a file and checks its header.
   *
   * @param path the file
   * @return the open file; close it after use
   * @throws SafetensorsException if it is missing, truncated, or not a sound safetensors file
   * @throws IOException if it cannot be read
   */
  public static SafetensorsFile open(Path path) throws IOException {
    if (!Files.exists(path)) {
      throw new SafetensorsException(path, "there is no such file");
    }
    if (Files.isDirectory(path)) {
      throw new SafetensorsException(path, "this is a folder, not a safetensors file");
    }
    var channel = FileChannel.open(path, StandardOpenOption.READ);
    try {
      return new SafetensorsFile(path, channel, SafetensorsHeader.read(path, channel));
    } catch (IOException | RuntimeException | Error e) {
      channel.close();
      throw e;
    }
  }

  /**
   * The free strings of the file.
   *
   * @return what stands under {@code __metadata__}, empty where there is none; not modifiable
   */
  public Map<String, String> metadata() {
    return header.metadata();
  }

  /**
   * The tensors of the file.
   *
   * @return by name, in the order in which their bytes lie; not modifiable
   */
  public Map<String, StoredTensor> tensors() {
    return header.tensors();
  }

  /**
   * The bytes of one tensor, little-endian as they are stored. Reading it moves no other channel of
   * this file; it ends with this file.
   *
   * @param name its name
   * @return a channel that gives its {@code end − begin} bytes and then ends; its reads throw
   *     {@link SafetensorsException} if the file became shorter since it was opened, or if a byte
   *     of a {@link StoredType#BOOL} is neither 0 nor 1
   * @throws SafetensorsException if there is no such tensor
   */
  public ReadableByteChannel read(String name) {
    var tensor = header.tensors().get(name);
    if (tensor == null) {
      throw new SafetensorsException(
          path,
          String.format(
              Locale.ROOT, "no tensor %s; it holds %s", HeaderParser.quote(name), names()));
    }
    return new TensorBytes(
        tensor,
        (into, done) -> read(tensor, into, done),
        what -> new SafetensorsException(path, what));
  }

  /** Some names, for a message. */
  private String names() {
    var shown = header.tensors().keySet().stream().limit(8).map(HeaderParser::quote).toList();
    int more = header.tensors().size() - shown.size();
    return String.join(", ", shown)
        + (more > 0 ? String.format(Locale.ROOT, " and %d more", more) : "");
  }

  /**
   * Writes a file, atomically: a reader sees the old file or the new one, whole.
   *
   * <p>The bytes are laid out widest element type first, then by name, whatever the order of the
   * sources; the header is padded so that the data begins at a multiple of 8.
   *
   * @param path the file to create or replace; its folder must exist
   * @param sources the tensors
   * @param metadata free strings for {@code __metadata__}
   * @throws SafetensorsException if two sources have one name, or one has a reserved name
   * @throws IllegalArgumentException if a source writes a wrong number of bytes
   * @throws IOException if the file cannot be written; an old file is then as it was
   */
  public static void write(Path path, List<TensorSource> sources, Map<String, String> metadata)
      throws IOException {
    var header = layout(path, sources, metadata);
    AtomicFile.write(path, channel -> writeTo(channel, header, sources));
  }

  /** Where the tensors of the sources will lie. */
  static SafetensorsHeader layout(
      Path path, List<TensorSource> sources, Map<String, String> metadata) {
    var wanted =
        sources.stream()
            .map(s -> new SafetensorsHeader.Wanted(s.name(), s.type(), s.shape()))
            .toList();
    return SafetensorsHeader.layout(path, wanted, metadata);
  }

  /** Writes the header and the sources, each in its place. */
  static void writeTo(
      WritableByteChannel channel, SafetensorsHeader header, List<TensorSource> sources)
      throws IOException {
    var byName = new HashMap<String, TensorSource>();
    for (var source : sources) {
      byName.put(source.name(), source);
    }
    AtomicFile.writeFully(channel, header.encode());
    for (var tensor : header.tensors().values()) {
      var counted = new CountingChannel(channel);
      Objects.requireNonNull(byName.get(tensor.name())).content().writeTo(counted);
      checkWritten(tensor, counted.count());
    }
  }

  private static void checkWritten(StoredTensor tensor, long written) {
    long size = tensor.end() - tensor.begin();
    if (written != size) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "safetensors write: tensor %s, %s %s, needs %d bytes, its source wrote %d",
              HeaderParser.quote(tensor.name()),
              tensor.type(),
              tensor.shape(),
              size,
              written));
    }
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }

  /** Reads at positions of its own, so that channels of one file do not move each other. */
  private int read(StoredTensor tensor, ByteBuffer into, long done) throws IOException {
    int count = channel.read(into, header.dataStart() + tensor.begin() + done);
    if (count < 0) {
      throw new SafetensorsException(path, SafetensorsHeader.SHORTER);
    }
    return count;
  }
}
