package carousel.nn.io;

import java.io.Closeable;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Supplier;

/**
 * A safetensors file as names, types, shapes and raw little-endian bytes.
 *
 * <p>Opening reads and checks the header and nothing else; the bytes of a tensor are streamed to
 * where they belong when they are asked for, so that a file never needs its own size in memory. The
 * file is read with plain reads and not mapped: a mapped file that another program cuts short ends
 * the virtual machine's access with a fault, a read ends it with a message.
 */
public final class SafetensorsFile implements Closeable {
  private static final int CHUNK = 1 << 20;

  private final Path path;
  private final FileChannel channel;
  private final SafetensorsHeader header;

  private SafetensorsFile(Path path, FileChannel channel, SafetensorsHeader header) {
    this.path = path;
    this.channel = channel;
    this.header = header;
  }

  /**
   * What is written as one tensor.
   *
   * @param name the name to store it under
   * @param type its element type
   * @param shape its dimensions, outermost first
   * @param bytes gives its {@code type.bytes() · Π shape} little-endian bytes; asked once, just
   *     before they are written, so that only one tensor's copy need exist at a time
   */
  public record Source(
      String name, StoredType type, List<Long> shape, Supplier<MemorySegment> bytes) {
    /** Copies the shape. */
    public Source {
      shape = List.copyOf(shape);
    }
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
    if (!Files.exists(path)) throw new SafetensorsException(path, "there is no such file");
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
   * Reads the bytes of one tensor.
   *
   * @param name its name
   * @param into receives them, little-endian as they are stored; exactly as large as they are
   * @throws SafetensorsException if there is no such tensor, or the file became shorter since it
   *     was opened
   * @throws IOException if the file cannot be read
   */
  public void read(String name, MemorySegment into) throws IOException {
    var tensor = header.tensors().get(name);
    if (tensor == null) {
      throw new SafetensorsException(
          path, "no tensor %s; it holds %s".formatted(HeaderParser.quote(name), names()));
    }
    var size = tensor.end() - tensor.begin();
    if (into.byteSize() != size) {
      throw new IllegalArgumentException(
          "safetensors read: tensor %s has %d bytes, the segment %d"
              .formatted(HeaderParser.quote(name), size, into.byteSize()));
    }
    var chunk = ByteBuffer.allocateDirect((int) Math.min(CHUNK, size));
    var staged = MemorySegment.ofBuffer(chunk);
    for (var done = 0L; done < size; ) {
      chunk.clear().limit((int) Math.min(CHUNK, size - done));
      var count = chunk.remaining();
      SafetensorsHeader.readFully(path, channel, chunk, header.dataStart() + tensor.begin() + done);
      MemorySegment.copy(staged, 0, into, done, count);
      done += count;
    }
  }

  /** Some names, for a message. */
  private String names() {
    var shown = header.tensors().keySet().stream().limit(8).map(HeaderParser::quote).toList();
    var more = header.tensors().size() - shown.size();
    return String.join(", ", shown) + (more > 0 ? " and %d more".formatted(more) : "");
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
   * @throws IllegalArgumentException if a source gives a wrong number of bytes
   * @throws IOException if the file cannot be written; an old file is then as it was
   */
  public static void write(Path path, List<Source> sources, Map<String, String> metadata)
      throws IOException {
    var wanted =
        sources.stream()
            .map(s -> new SafetensorsHeader.Wanted(s.name(), s.type(), s.shape()))
            .toList();
    var header = SafetensorsHeader.layout(path, wanted, metadata);
    var byName = new HashMap<String, Source>();
    for (var source : sources) byName.put(source.name(), source);
    AtomicFile.write(
        path,
        channel -> {
          AtomicFile.writeFully(channel, header.encode());
          for (var tensor : header.tensors().values()) {
            var source = Objects.requireNonNull(byName.get(tensor.name()));
            stream(tensor, source.bytes().get(), channel);
          }
        });
  }

  private static void stream(StoredTensor tensor, MemorySegment bytes, FileChannel channel)
      throws IOException {
    var size = tensor.end() - tensor.begin();
    if (bytes.byteSize() != size) {
      throw new IllegalArgumentException(
          "safetensors write: tensor %s, %s %s, needs %d bytes, its source gives %d"
              .formatted(
                  HeaderParser.quote(tensor.name()),
                  tensor.type(),
                  tensor.shape(),
                  size,
                  bytes.byteSize()));
    }
    var chunk = ByteBuffer.allocateDirect((int) Math.min(CHUNK, size));
    var staged = MemorySegment.ofBuffer(chunk);
    for (var done = 0L; done < size; done += chunk.limit()) {
      var count = (int) Math.min(CHUNK, size - done);
      MemorySegment.copy(bytes, done, staged, 0, count);
      AtomicFile.writeFully(channel, chunk.clear().limit(count));
    }
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }
}
