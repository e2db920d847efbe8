package carousel.tensor.golden;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** As much JSON as a safetensors header holds: objects, lists, strings and whole numbers. */
final class HeaderParser {

  private final String text;
  private int at;

  private HeaderParser(String text) {
    this.text = text;
  }

  /** The object the text consists of; blanks may follow it, nothing else. */
  static Map<String, Object> parse(String text) {
    var parser = new HeaderParser(text);
    var result = parser.object();
    parser.skipBlanks();
    if (parser.at != text.length()) {
      throw parser.unexpected("the end");
    }
    return result;
  }

  private Object value() {
    return switch (peek()) {
      case '{' -> object();
      case '[' -> list();
      case '"' -> string();
      default -> number();
    };
  }

  private Map<String, Object> object() {
    var result = new LinkedHashMap<String, Object>();
    expect('{');
    while (peek() != '}') {
      if (!result.isEmpty()) {
        expect(',');
      }
      String key = string();
      expect(':');
      if (result.put(key, value()) != null) {
        throw new IllegalArgumentException("golden header: '" + key + "' twice");
      }
    }
    expect('}');
    return result;
  }

  private List<Object> list() {
    var result = new ArrayList<>();
    expect('[');
    while (peek() != ']') {
      if (!result.isEmpty()) {
        expect(',');
      }
      result.add(value());
    }
    expect(']');
    return result;
  }

  private String string() {
    expect('"');
    var result = new StringBuilder();
    while (at < text.length() && text.charAt(at) != '"') {
      char c = text.charAt(at++);
      result.append(c == '\\' ? escaped() : c);
    }
    expect('"');
    return result.toString();
  }

  private char escaped() {
    if (at == text.length()) {
      throw unexpected("an escaped character");
    }
    char c = text.charAt(at++);
    return switch (c) {
      case '"', '\\', '/' -> c;
      case 'n' -> '\n';
      case 't' -> '\t';
      case 'u' -> {
        if (at + 4 > text.length()) {
          throw unexpected("four hex digits");
        }
        at += 4;
        yield (char) Integer.parseInt(text, at - 4, at, 16);
      }
      default -> throw unexpected("an escape");
    };
  }

  private Long number() {
    int start = at;
    while (at < text.length() && "-0123456789".indexOf(text.charAt(at)) >= 0) {
      at++;
    }
    if (start == at) {
      throw unexpected("a value");
    }
    return Long.valueOf(text.substring(start, at));
  }

  private char peek() {
    skipBlanks();
    if (at == text.length()) {
      throw unexpected("more");
    }
    return text.charAt(at);
  }

  private void expect(char c) {
    if (peek() != c) {
      throw unexpected("'" + c + "'");
    }
    at++;
  }

  private void skipBlanks() {
    while (at < text.length() && Character.isWhitespace(text.charAt(at))) {
      at++;
    }
  }

  private IllegalArgumentException unexpected(String expected) {
    String found = at < text.length() ? "'" + text.charAt(at) + "'" : "the end";
    return new IllegalArgumentException(
        "golden header: expected " + expected + " at " + at + ", found " + found);
  }
}
