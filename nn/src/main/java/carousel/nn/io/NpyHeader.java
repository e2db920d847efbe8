package carousel.nn.io;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.ReadableByteChannel;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.Function;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * What stands before the data of an array of NumPy: {@code \x93NUMPY, version, length, text}, the
 * text a Python dictionary,
 *
 * <pre>
 * {'descr': '&lt;f4', 'fortran_order': False, 'shape': (2, 3), }
 * </pre>
 *
 * <p>Python 2 wrote {@code (2L, 3L)}, which means the same.
 *
 * <p>Read strictly and by this form alone: nothing is evaluated, and arrays of Python objects, which
 * are pickles, are refused. A header that this class has accepted announces exactly the bytes that
 * follow it.
 *
 * <p>Source: NumPy's {@code numpy.lib.format}, versions 1.0, 2.0 and 3.0.
 *
 * @param type the element type
 * @param columnMajor whether the first index runs fastest (Fortran's order)
 * @param shape the dimensions
 * @param length the position of the first byte of data
 */
record NpyHeader(StoredType type, boolean columnMajor, List<Long> shape, int length) {
  private static final byte[] MAGIC = "\u0093NUMPY".getBytes(StandardCharsets.ISO_8859_1);

  /** The magic, two bytes of version, and the length in two bytes or in four. */
  private static final int SHORT_PREFIX = 10;

  private static final int LONG_PREFIX = 12;

  /** NumPy itself stops at 10,000; what can be read here never needs as much. */
  private static final int MAX_TEXT = 10_000;

  private static final int ALIGNMENT = 64;

  /** NumPy refuses more, and so do those that read what is written here. */
  private static final int MAX_DIMENSIONS = 64;

  private static final Pattern DICTIONARY = Pattern.compile("\\s*\\{(.*)}\\s*", Pattern.DOTALL);

  // Possessive throughout, so that no text takes longer than one look at each character.
  private static final Pattern ENTRY =
      Pattern.compile(
          "\\s*+(['\"])(\\w++)\\1\\s*+:\\s*+"
              + "('[^']*+'|\"[^\"]*+\"|True|False|\\([0-9L,\\s]*+\\)|\\[[^\\]]*+])\\s*+(,|$)\\s*+",
          Pattern.DOTALL);

  private static final Pattern TUPLE =
      Pattern.compile("\\(\\s*+((?:\\d++L?+\\s*+,\\s*+)*+)(\\d++L?+)?+\\s*+\\)");

  private static final Map<String, StoredType> TYPES =
      Map.ofEntries(
          Map.entry("f8", StoredType.F64),
          Map.entry("f4", StoredType.F32),
          Map.entry("f2", StoredType.F16),
          Map.entry("i8", StoredType.I64),
          Map.entry("i4", StoredType.I32),
          Map.entry("i2", StoredType.I16),
          Map.entry("i1", StoredType.I8),
          Map.entry("u8", StoredType.U64),
          Map.entry("u4", StoredType.U32),
          Map.entry("u2", StoredType.U16),
          Map.entry("u1", StoredType.U8),
          Map.entry("c8", StoredType.C64),
          Map.entry("b1", StoredType.BOOL));

  private static final Set<String> KEYS = Set.of("descr", "fortran_order", "shape");

  NpyHeader {
    shape = List.copyOf(shape);
  }

  /** NumPy's name of a type, such as {@code <f4}; null if NumPy has none. */
  static @Nullable String descr(StoredType type) {
    return TYPES.entrySet().stream()
        .filter(entry -> entry.getValue() == type)
        .map(entry -> (type.bytes() == 1 ? "|" : "<") + entry.getKey())
        .findFirst()
        .orElse(null);
  }

  /** The bytes before the data, those that NumPy writes. */
  static byte[] encode(StoredType type, List<Long> shape) {
    String dims =
        shape.size() == 1
            ? "(" + shape.getFirst() + ",)"
            : shape.stream().map(String::valueOf).collect(Collectors.joining(", ", "(", ")"));
    var text =
        new StringBuilder("{'descr': '")
            .append(Objects.requireNonNull(descr(type)))
            .append("', 'fortran_order': False, 'shape': ")
            .append(dims)
            .append(", }");
    text.repeat(' ', Math.floorMod(-(SHORT_PREFIX + text.length() + 1), ALIGNMENT)).append('\n');
    var bytes = ByteBuffer.allocate(SHORT_PREFIX + text.length()).order(ByteOrder.LITTLE_ENDIAN);
    return bytes
        .put(MAGIC)
        .put((byte) 1)
        .put((byte) 0)
        .putShort((short) text.length())
        .put(text.toString().getBytes(StandardCharsets.ISO_8859_1))
        .array();
  }

  /**
   * Reads and checks a header.
   *
   * @param channel stands at the first byte, and then at the first byte of data
   * @param size how many bytes there are, header and data
   * @param problem makes the exception
   */
  static NpyHeader read(
      ReadableByteChannel channel, long size, Function<String, RuntimeException> problem)
      throws IOException {
    var start = take(channel, SHORT_PREFIX, problem);
    for (int i = 0; i < MAGIC.length; i++) {
      if (start.get(i) != MAGIC[i]) {
        throw problem.apply("not an array of NumPy: it must begin with \\x93NUMPY");
      }
    }
    byte version = start.get(MAGIC.length);
    if (version < 1 || version > 3 || start.get(MAGIC.length + 1) != 0) {
      throw problem.apply(
          String.format(
              Locale.ROOT,
              "format version %d.%d of NumPy; known are 1.0, 2.0 and 3.0",
              version & 0xFF,
              start.get(MAGIC.length + 1) & 0xFF));
    }
    long low = start.getShort(MAGIC.length + 2) & 0xFFFFL;
    long high = version == 1 ? 0 : take(channel, 2, problem).getShort(0) & 0xFFFFL;
    int prefix = version == 1 ? SHORT_PREFIX : LONG_PREFIX;
    long length = high << Short.SIZE | low;
    if (length > size - prefix) {
      throw problem.apply(
          String.format(
              Locale.ROOT,
              "truncated: it announces a header of %d bytes, %d follow",
              length,
              size - prefix));
    }
    if (length > MAX_TEXT) {
      throw problem.apply(
          String.format(
              Locale.ROOT,
              "header of %d bytes; that of an array of numbers is below %d",
              length,
              MAX_TEXT));
    }
    var charset = version == 3 ? StandardCharsets.UTF_8 : StandardCharsets.ISO_8859_1;
    String text = charset.decode(take(channel, (int) length, problem)).toString();
    var header = parse(text, prefix + (int) length, problem);
    header.checkSize(size, problem);
    return header;
  }

  private static ByteBuffer take(
      ReadableByteChannel channel, int count, Function<String, RuntimeException> problem)
      throws IOException {
    var bytes = ByteBuffer.allocate(count).order(ByteOrder.LITTLE_ENDIAN);
    while (bytes.hasRemaining()) {
      if (channel.read(bytes) < 0) {
        throw problem.apply("truncated: it ends inside the header");
      }
    }
    return bytes.flip();
  }

  private static NpyHeader parse(
      String text, int length, Function<String, RuntimeException> problem) {
    var dictionary = DICTIONARY.matcher(text);
    if (!dictionary.matches()) {
      throw problem.apply("the header is no dictionary: " + HeaderParser.quote(text.strip()));
    }
    var entries = new HashMap<String, String>();
    String inner = dictionary.group(1);
    var entry = ENTRY.matcher(inner);
    int at = 0;
    while (at < inner.length() && entry.region(at, inner.length()).lookingAt()) {
      if (entries.put(entry.group(2), entry.group(3)) != null) {
        throw problem.apply(
            String.format(Locale.ROOT, "the header says '%s' twice", entry.group(2)));
      }
      at = entry.end();
    }
    if (at < inner.length() || !entries.keySet().equals(KEYS)) {
      throw problem.apply(
          "the header must hold descr, fortran_order and shape, and nothing else: "
              + HeaderParser.quote(text.strip()));
    }
    return new NpyHeader(
        type(Objects.requireNonNull(entries.get("descr")), problem),
        order(Objects.requireNonNull(entries.get("fortran_order")), problem),
        shape(Objects.requireNonNull(entries.get("shape")), problem),
        length);
  }

  private static StoredType type(String descr, Function<String, RuntimeException> problem) {
    boolean named = descr.length() > 3 && !descr.startsWith("[");
    String name = named ? descr.substring(1, descr.length() - 1) : "";
    if (name.startsWith(">")) {
      throw problem.apply(
          String.format(
              Locale.ROOT,
              "big-endian (%s): save it with a.astype('<%s')",
              HeaderParser.quote(name),
              name.substring(1)));
    }
    if (name.contains("O")) {
      throw problem.apply(
          "holds Python objects, which are not read: they would be run; save numbers");
    }
    var type = TYPES.get(name.substring(Math.min(1, name.length())));
    if (type == null || (name.charAt(0) != '<' && !(type.bytes() == 1 && name.charAt(0) == '|'))) {
      throw problem.apply(
          String.format(
              Locale.ROOT,
              "the element type %s; read are %s: convert it with a.astype",
              HeaderParser.quote(descr),
              Conversion.readable().stream()
                  .map(NpyHeader::descr)
                  .filter(Objects::nonNull)
                  .toList()));
    }
    return type;
  }

  private static boolean order(String word, Function<String, RuntimeException> problem) {
    if (word.equals("True") || word.equals("False")) {
      return word.equals("True");
    }
    throw problem.apply(String.format(Locale.ROOT, "fortran_order is %s, not True or False", word));
  }

  private static List<Long> shape(String tuple, Function<String, RuntimeException> problem) {
    var parts = TUPLE.matcher(tuple);
    if (!parts.matches() || (parts.group(1).isEmpty() && parts.group(2) != null)) {
      throw problem.apply(
          String.format(Locale.ROOT, "the shape %s is no tuple", HeaderParser.quote(tuple)));
    }
    var dims = new ArrayList<Long>();
    for (var digits : tuple.substring(1, tuple.length() - 1).split(",", -1)) {
      if (digits.isBlank()) {
        continue;
      }
      try {
        // Python 2 wrote its long numbers so; NumPy still reads them.
        String number = digits.strip();
        dims.add(
            Long.parseLong(
                number.endsWith("L") ? number.substring(0, number.length() - 1) : number));
      } catch (NumberFormatException tooLarge) {
        throw problem.apply(
            String.format(
                Locale.ROOT,
                "the dimension %s does not fit in 63 bits",
                HeaderParser.quote(digits)));
      }
    }
    if (dims.size() > MAX_DIMENSIONS) {
      throw problem.apply(
          String.format(
              Locale.ROOT, "%d dimensions; NumPy has at most %d", dims.size(), MAX_DIMENSIONS));
    }
    return dims;
  }

  private void checkSize(long size, Function<String, RuntimeException> problem) {
    long needed;
    try {
      needed = StoredTensor.byteSize(type, shape);
    } catch (ArithmeticException overflow) {
      throw problem.apply(String.format(Locale.ROOT, "%s %s is larger than any file", type, shape));
    }
    if (needed != size - length) {
      throw problem.apply(
          String.format(
              Locale.ROOT,
              "%s %s needs %d bytes, %d follow the header; %s",
              type,
              shape,
              needed,
              size - length,
              needed > size - length
                  ? "is it truncated?"
                  : "is there something else behind the array?"));
    }
  }
}
