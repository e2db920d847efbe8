package carousel.nn.io;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The JSON of a safetensors header, read strictly and straight into its only meaning:
 *
 * <pre>
 * header := '{' (entry (',' entry)*)? '}'
 * entry  := "__metadata__" ':' { string : string , ... }
 *         | name ':' {"dtype": string, "shape": [n, ...], "data_offsets": [begin, end]}
 * </pre>
 *
 * <p>There is no general JSON value here and no recursion, so no input can exhaust the stack, and
 * what is built is never larger than a small multiple of the text. Duplicate and unknown keys are
 * errors: a reader that picks one of two meanings is how two programs come to see two files.
 */
final class HeaderParser {
  static final String METADATA = "__metadata__";

  private final Path file;
  private final String text;
  private int at;

  private HeaderParser(Path file, String text) {
    this.file = file;
    this.text = text;
  }

  /** What a header says; the offsets are not checked yet. */
  record Parsed(Map<String, String> metadata, List<StoredTensor> tensors) {}

  /**
   * Reads a header.
   *
   * @param file named in errors
   * @throws SafetensorsException if the text is not of the form above, with the position
   */
  static Parsed parse(Path file, String text) {
    var parser = new HeaderParser(file, text);
    var metadata = new LinkedHashMap<String, String>();
    var tensors = new ArrayList<StoredTensor>();
    parser.object(name -> {
      if (name.equals(METADATA)) {
        parser.object(key -> metadata.put(key, parser.string()));
      } else {
        tensors.add(parser.tensor(name));
      }
    });
    parser.skipSpace();
    if (parser.at < text.length()) {
      throw parser.expected("the end of the header");
    }
    return new Parsed(metadata, tensors);
  }

  private StoredTensor tensor(String name) {
    var info = new TensorInfo();
    object(key -> {
      switch (key) {
        case "dtype" -> info.type = type(name);
        case "shape" -> info.shape = naturals();
        case "data_offsets" -> info.offsets = naturals();
        default ->
            throw problem(
                String.format(
                    Locale.ROOT,
                    "tensor %s has the unknown key %s; known are dtype, shape and data_offsets",
                    quote(name),
                    quote(key)));
      }
    });
    if (info.type == null || info.shape == null || info.offsets == null) {
      throw problem(
          String.format(
              Locale.ROOT,
              "tensor %s lacks %s",
              quote(name),
              info.type == null ? "dtype" : info.shape == null ? "shape" : "data_offsets"));
    }
    if (info.offsets.size() != 2) {
      throw problem(
          String.format(
              Locale.ROOT,
              "tensor %s: data_offsets must be [begin, end], found %s",
              quote(name),
              info.offsets));
    }
    return new StoredTensor(
        name, info.type, info.shape, info.offsets.getFirst(), info.offsets.getLast());
  }

  private static final class TensorInfo {
    @Nullable StoredType type;
    @Nullable List<Long> shape;
    @Nullable List<Long> offsets;
  }

  private StoredType type(String name) {
    String word = string();
    for (var type : StoredType.values()) {
      if (type.name().equals(word)) {
        return type;
      }
    }
    throw problem(
        String.format(
            Locale.ROOT,
            "tensor %s has the unknown dtype %s; known are %s",
            quote(name),
            quote(word),
            Arrays.toString(StoredType.values())));
  }

  /** {@code { "key": value , ... }}, where {@code value} reads the value of the key it is given. */
  private void object(Consumer<String> value) {
    expect('{');
    if (take('}')) {
      return;
    }
    var seen = new HashSet<String>();
    do {
      skipSpace();
      String key = string();
      if (!seen.add(key)) {
        throw problem("the key " + quote(key) + " occurs twice");
      }
      expect(':');
      skipSpace();
      value.accept(key);
    } while (take(','));
    expect('}');
  }

  private List<Long> naturals() {
    expect('[');
    var numbers = new ArrayList<Long>();
    if (take(']')) {
      return numbers;
    }
    do {
      numbers.add(natural());
    } while (take(','));
    expect(']');
    return numbers;
  }

  /** A JSON number that is a natural number: no sign, fraction, exponent or leading zero. */
  private long natural() {
    skipSpace();
    int start = at;
    while (at < text.length() && text.charAt(at) >= '0' && text.charAt(at) <= '9') {
      at++;
    }
    String digits = text.substring(start, at);
    boolean more = at < text.length() && "+-.eE".indexOf(text.charAt(at)) >= 0;
    if (digits.isEmpty() || more || (digits.length() > 1 && digits.startsWith("0"))) {
      at = start;
      throw expected("a whole number of 0 or more");
    }
    try {
      return Long.parseLong(digits);
    } catch (NumberFormatException tooLarge) {
      throw problem("the number " + abridge(digits) + " does not fit in 63 bits");
    }
  }

  private String string() {
    skipSpace();
    if (at >= text.length() || text.charAt(at) != '"') {
      throw expected("a string");
    }
    at++;
    int start = at;
    int simple = text.indexOf('"', start);
    if (simple >= 0 && plain(start, simple)) {
      at = simple + 1;
      return text.substring(start, simple);
    }
    var out = new StringBuilder();
    while (at < text.length()) {
      char c = text.charAt(at++);
      if (c == '"') {
        return wellFormed(out.toString());
      }
      if (c < 0x20) {
        at--;
        throw expected("a character; control characters must be written as escapes");
      }
      out.append(c == '\\' ? escape() : c);
    }
    throw problem(String.format(Locale.ROOT, "a string that begins at %d has no end", start - 1));
  }

  private boolean plain(int from, int to) {
    for (int i = from; i < to; i++) {
      if (text.charAt(i) == '\\' || text.charAt(i) < 0x20) {
        return false;
      }
    }
    return true;
  }

  private char escape() {
    if (at >= text.length()) {
      throw expected("an escape");
    }
    char c = text.charAt(at++);
    return switch (c) {
      case '"', '\\', '/' -> c;
      case 'b' -> '\b';
      case 'f' -> '\f';
      case 'n' -> '\n';
      case 'r' -> '\r';
      case 't' -> '\t';
      case 'u' -> unicode();
      default -> {
        at--;
        throw expected("one of \" \\ / b f n r t u after a backslash");
      }
    };
  }

  private char unicode() {
    int code = 0;
    for (int i = 0; i < 4; i++) {
      int digit =
          at < text.length() && text.charAt(at) < 0x80 ? Character.digit(text.charAt(at), 16) : -1;
      if (digit < 0) {
        throw expected("four hexadecimal digits");
      }
      code = code * 16 + digit;
      at++;
    }
    return (char) code;
  }

  private String wellFormed(String string) {
    boolean broken = string.codePoints().anyMatch(c -> c >= 0xD800 && c <= 0xDFFF);
    if (broken) {
      throw problem("a string holds half of a surrogate pair");
    }
    return string;
  }

  private void expect(char c) {
    if (!take(c)) {
      throw expected("'" + c + "'");
    }
  }

  private boolean take(char c) {
    skipSpace();
    if (at >= text.length() || text.charAt(at) != c) {
      return false;
    }
    at++;
    return true;
  }

  private void skipSpace() {
    while (at < text.length() && " \t\n\r".indexOf(text.charAt(at)) >= 0) {
      at++;
    }
  }

  private SafetensorsException expected(String what) {
    String found =
        at < text.length() ? quote(text.substring(at, text.offsetByCodePoints(at, 1))) : "the end";
    return problem(String.format(Locale.ROOT, "expected %s, found %s", what, found));
  }

  private SafetensorsException problem(String what) {
    return new SafetensorsException(
        file, String.format(Locale.ROOT, "header, character %d: %s", at, what));
  }

  /** A name as it may stand in a message: abridged, and with nothing that could move the cursor. */
  static String quote(String name) {
    var shown = new StringBuilder("\"");
    abridge(name)
        .codePoints()
        .forEach(c -> {
          if (Character.isISOControl(c)) {
            shown.append(String.format(Locale.ROOT, "\\u%04x", c));
          } else {
            shown.appendCodePoint(c);
          }
        });
    return shown.append('"').toString();
  }

  private static String abridge(String string) {
    int limit = 80;
    if (string.length() <= limit) {
      return string;
    }
    return string.substring(0, string.offsetByCodePoints(0, limit / 2)) + "…";
  }
}
