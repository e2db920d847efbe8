package carousel.nn.io;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/**
 * What stands before the data of a safetensors file: {@code u64 length (little-endian), JSON of
 * that length, data}.
 *
 * <p>A header that this class has accepted is sound: the tensors tile the data section without a
 * gap or an overlap, in the order of {@link #tensors}, and each has as many bytes as its type and
 * shape say. Nothing is allocated by a number of the file before that number is checked against the
 * size of the file.
 *
 * <p>Source: the safetensors format and the checks of its reference implementation.
 *
 * @param metadata the free strings under {@code __metadata__}
 * @param tensors by name, in the order in which their bytes lie
 * @param dataStart the position in the file of the first byte of data
 */
record SafetensorsHeader(
    Map<String, String> metadata, Map<String, StoredTensor> tensors, long dataStart) {
  /** The bound of the reference implementation. */
  static final int MAX_LENGTH = 100_000_000;

  /** The message for a file that was cut by another program. */
  static final String SHORTER = "the file became shorter while it was read";

  private static final int ALIGNMENT = 8;
  private static final String ESCAPED = "\"\\\b\f\n\r\t";
  private static final String ESCAPES = "\"\\bfnrt";

  SafetensorsHeader {
    metadata = Collections.unmodifiableMap(new LinkedHashMap<>(metadata));
    tensors = Collections.unmodifiableMap(new LinkedHashMap<>(tensors));
  }

  /** What is to be written: names, types and shapes; where the bytes go is decided here. */
  record Wanted(String name, StoredType type, List<Long> shape) {}

  /**
   * Lays out tensors for writing: widest type first, then by name, so that each is aligned to its
   * own element and equal contents give equal files (byte for byte those of the reference
   * implementation).
   */
  static SafetensorsHeader layout(Path file, List<Wanted> wanted, Map<String, String> metadata) {
    var order = Comparator.comparing(Wanted::type).thenComparing(Wanted::name);
    var tensors = new LinkedHashMap<String, StoredTensor>();
    long offset = 0L;
    for (var w : wanted.stream().sorted(order).toList()) {
      String name = w.name();
      if (name.equals(HeaderParser.METADATA)) {
        throw new SafetensorsException(file, "a tensor cannot have the reserved name " + name);
      }
      long end = offset + StoredTensor.byteSize(w.type(), w.shape());
      var tensor = new StoredTensor(name, w.type(), w.shape(), offset, end);
      if (tensors.put(name, tensor) != null) {
        throw new SafetensorsException(
            file, "two tensors have the name " + HeaderParser.quote(name));
      }
      offset = end;
    }
    int length = json(metadata, tensors).length;
    return new SafetensorsHeader(new TreeMap<>(metadata), tensors, Long.BYTES + (long) length);
  }

  /** The bytes from the start of the file to {@link #dataStart}. */
  ByteBuffer encode() {
    var json = json(metadata, tensors);
    return ByteBuffer.allocate(Long.BYTES + json.length)
        .order(ByteOrder.LITTLE_ENDIAN)
        .putLong(json.length)
        .put(json)
        .flip();
  }

  private static byte[] json(Map<String, String> metadata, Map<String, StoredTensor> tensors) {
    var entries = new ArrayList<String>();
    if (!metadata.isEmpty()) {
      var pairs = new ArrayList<String>();
      new TreeMap<>(metadata).forEach((k, v) -> pairs.add(string(k) + ":" + string(v)));
      entries.add(string(HeaderParser.METADATA) + ":{" + String.join(",", pairs) + "}");
    }
    for (var t : tensors.values()) {
      String shape = t.shape().toString().replace(" ", "");
      // Not by a format: that writes %d in the digits of the default locale.
      entries.add(
          string(t.name())
              + (":{\"dtype\":\"" + t.type() + "\",\"shape\":" + shape)
              + (",\"data_offsets\":[" + t.begin() + "," + t.end() + "]}"));
    }
    var text = new StringBuilder("{").append(String.join(",", entries)).append('}');
    int length = text.toString().getBytes(StandardCharsets.UTF_8).length;
    text.repeat(' ', Math.floorMod(-length, ALIGNMENT));
    return text.toString().getBytes(StandardCharsets.UTF_8);
  }

  private static String string(String value) {
    var out = new StringBuilder("\"");
    value
        .codePoints()
        .forEach(c -> {
          if (c >= 0xD800 && c <= 0xDFFF) {
            throw new IllegalArgumentException(
                "safetensors: a name or metadata string holds half of a surrogate pair");
          }
          int letter = ESCAPED.indexOf(c);
          if (letter >= 0) {
            out.append('\\').append(ESCAPES.charAt(letter));
          } else if (c < 0x20) {
            out.append(String.format(Locale.ROOT, "\\u%04x", c));
          } else {
            out.appendCodePoint(c);
          }
        });
    return out.append('"').toString();
  }

  /**
   * Reads and checks the header of an open file.
   *
   * @throws SafetensorsException if it is not sound
   * @throws IOException if the file cannot be read
   */
  static SafetensorsHeader read(Path file, FileChannel channel) throws IOException {
    long size = channel.size();
    if (size < Long.BYTES) {
      throw new SafetensorsException(
          file,
          String.format(
              Locale.ROOT,
              "not a safetensors file: %d bytes, where the header length alone takes %d",
              size,
              Long.BYTES));
    }
    var prefix = ByteBuffer.allocate(Long.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    readFully(file, channel, prefix, 0);
    long length = prefix.getLong(0);
    if (length < 0 || length > size - Long.BYTES) {
      throw new SafetensorsException(
          file,
          String.format(
              Locale.ROOT,
              "truncated, or not a safetensors file: it announces a header of %s bytes, %d follow",
              Long.toUnsignedString(length),
              size - Long.BYTES));
    }
    if (length > MAX_LENGTH) {
      throw new SafetensorsException(
          file,
          String.format(
              Locale.ROOT, "header of %d bytes, the format allows %d", length, MAX_LENGTH));
    }
    var bytes = ByteBuffer.allocate((int) length);
    readFully(file, channel, bytes, Long.BYTES);
    var parsed = HeaderParser.parse(file, decode(file, bytes.flip()));
    long start = Long.BYTES + length;
    return new SafetensorsHeader(
        parsed.metadata(), tile(file, parsed.tensors(), size - start), start);
  }

  private static String decode(Path file, ByteBuffer bytes) {
    if (!bytes.hasRemaining() || bytes.get(0) != '{') {
      throw new SafetensorsException(
          file, "not a safetensors file: the header must begin with '{'");
    }
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(bytes).toString();
    } catch (CharacterCodingException e) {
      throw new SafetensorsException(file, "the header is not UTF-8");
    }
  }

  /** Orders the tensors by position and checks that they cover {@code [0, dataSize)} exactly. */
  private static Map<String, StoredTensor> tile(
      Path file, List<StoredTensor> tensors, long dataSize) {
    var sorted = new ArrayList<>(tensors);
    sorted.sort(Comparator.comparingLong(StoredTensor::begin).thenComparingLong(StoredTensor::end));
    var tiled = new LinkedHashMap<String, StoredTensor>();
    long covered = 0L;
    for (var t : sorted) {
      checkSize(file, t, dataSize);
      if (t.begin() != covered) {
        throw wrong(
            file,
            t,
            t.begin() < covered
                ? "overlaps the tensor before it, which ends at byte " + covered
                : "leaves a gap: the tensor before it ends at byte " + covered);
      }
      covered = t.end();
      tiled.put(t.name(), t);
    }
    if (covered != dataSize) {
      throw new SafetensorsException(
          file,
          String.format(
              Locale.ROOT,
              "the tensors end at byte %d of the data, the file holds %d",
              covered,
              dataSize));
    }
    return tiled;
  }

  private static void checkSize(Path file, StoredTensor t, long dataSize) {
    if (t.begin() > t.end()) {
      throw wrong(file, t, "ends before it begins");
    }
    if (t.end() > dataSize) {
      throw wrong(
          file,
          t,
          String.format(
              Locale.ROOT, "lies outside the data of %d bytes; is it truncated?", dataSize));
    }
    long needed;
    try {
      needed = StoredTensor.byteSize(t.type(), t.shape());
    } catch (ArithmeticException overflow) {
      throw wrong(file, t, "is larger than any file");
    }
    if (needed != t.end() - t.begin()) {
      throw wrong(
          file,
          t,
          String.format(
              Locale.ROOT, "has %d bytes where %d are needed", t.end() - t.begin(), needed));
    }
  }

  private static SafetensorsException wrong(Path file, StoredTensor t, String problem) {
    String shape = t.shape().size() <= 8 ? t.shape().toString() : t.shape().size() + " dimensions";
    return new SafetensorsException(
        file,
        String.format(
            Locale.ROOT,
            "tensor %s, %s %s at bytes %d to %d, %s",
            HeaderParser.quote(t.name()),
            t.type(),
            shape,
            t.begin(),
            t.end(),
            problem));
  }

  /** Fills the buffer from a position of the file; a file cut while it is read is an error. */
  static void readFully(Path file, FileChannel channel, ByteBuffer into, long position)
      throws IOException {
    while (into.hasRemaining()) {
      int count = channel.read(into, position);
      if (count < 0) {
        throw new SafetensorsException(file, SHORTER);
      }
      position += count;
    }
  }
}
