package carousel.nn.data;

import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The lines of a UTF-8 file, one at a time, decoded strictly: a byte that is not UTF-8 is reported
 * with its offset and line, where {@link Files#lines} only says that there is one.
 *
 * <p>A line ends at {@code \n} or {@code \r\n}; a byte order mark at the start is skipped.
 */
final class TextLines implements Closeable {
  private final Path path;
  private final InputStream input;
  private final CharsetDecoder decoder = StandardCharsets.UTF_8.newDecoder();

  private final byte[] buffer = new byte[1 << 16];
  private int position;
  private int limit;

  private byte[] line = new byte[1 << 10];
  private long lineOffset;
  private long lineNumber;

  private TextLines(Path path, InputStream input) {
    this.path = path;
    this.input = input;
  }

  /**
   * Opens a file.
   *
   * @throws CorpusException if there is none, or it is a folder
   */
  static TextLines open(Path path) throws IOException {
    if (!Files.exists(path)) {
      throw new CorpusException(path + ": there is no such file");
    }
    if (Files.isDirectory(path)) {
      throw new CorpusException(path + ": this is a folder, not a text file");
    }
    return new TextLines(path, Files.newInputStream(path));
  }

  /**
   * The lines of a text in memory, cut as those of a file are.
   *
   * @param ended receives each line that has an end, without it
   * @param rest receives what follows the last line end, unless that is nothing
   */
  static void split(String text, Consumer<String> ended, Consumer<String> rest) {
    int start = 0;
    for (int end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', start)) {
      int cut = end > start && text.charAt(end - 1) == '\r' ? end - 1 : end;
      ended.accept(text.substring(start, cut));
      start = end + 1;
    }
    if (start < text.length()) {
      rest.accept(text.substring(start));
    }
  }

  /**
   * The next line without its end.
   *
   * @return null after the last
   * @throws CorpusException if it is not UTF-8
   */
  @Nullable String next() throws IOException {
    int length = 0;
    while (true) {
      if (position == limit) {
        position = 0;
        limit = input.read(buffer);
        if (limit < 0) {
          limit = 0;
          return length == 0 ? null : decode(length, length);
        }
      }
      int end = position;
      while (end < limit && buffer[end] != '\n') {
        end++;
      }
      length = append(length, end);
      if (end < limit) {
        position = end + 1;
        int text = length > 0 && line[length - 1] == '\r' ? length - 1 : length;
        return decode(text, length + 1);
      }
      position = end;
    }
  }

  /** Adds {@code buffer[position, end)} to the line, which holds {@code length} bytes. */
  private int append(int length, int end) {
    int count = end - position;
    long needed = (long) length + count;
    if (needed > Integer.MAX_VALUE / 2) {
      throw new CorpusException(
          String.format(
              Locale.ROOT,
              "%s: line %d is longer than a gigabyte: break it up",
              path,
              lineNumber + 1));
    }
    if (needed > line.length) {
      line = Arrays.copyOf(line, (int) Math.max(needed, 2L * line.length));
    }
    System.arraycopy(buffer, position, line, length, count);
    return (int) needed;
  }

  /** Decodes the first {@code length} bytes of a line that takes {@code consumed} of the file. */
  private String decode(int length, int consumed) {
    lineNumber++;
    var bytes = ByteBuffer.wrap(line, 0, length);
    var chars = CharBuffer.allocate(length);
    decoder.reset();
    var result = decoder.decode(bytes, chars, true);
    if (result.isError()) {
      int at = bytes.position();
      throw new CorpusException(
          String.format(
              Locale.ROOT,
              "%s: not UTF-8: byte 0x%02X at offset %d (line %d); %s",
              path,
              line[at] & 0xFF,
              lineOffset + at,
              lineNumber,
              advice(at)));
    }
    String text = chars.flip().toString();
    if (lineOffset == 0 && text.startsWith("\uFEFF")) {
      text = text.substring(1);
    }
    lineOffset += consumed;
    return text;
  }

  private String advice(int at) {
    int mark = line[at] & 0xFF;
    return lineOffset + at == 0 && (mark == 0xFE || mark == 0xFF)
        ? "it looks like UTF-16: save it as UTF-8"
        : "save it as UTF-8";
  }

  @Override
  public void close() throws IOException {
    input.close();
  }
}
