package carousel.zoo.system;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** How the types of options are written. */
enum Parsing {
  INTEGER("N", "a whole number"),
  LONG("N", "a whole number"),
  DOUBLE("X", "a number"),
  BOOLEAN("true|false", "true or false"),
  TEXT("NAME", "a text"),
  CONSTANT("NAME", "a name");

  final String label;
  final String wanted;

  Parsing(String label, String wanted) {
    this.label = label;
    this.wanted = wanted;
  }

  static Parsing of(Class<?> type) {
    if (type == int.class) {
      return INTEGER;
    }
    if (type == long.class) {
      return LONG;
    }
    if (type == double.class) {
      return DOUBLE;
    }
    if (type == boolean.class) {
      return BOOLEAN;
    }
    if (type == String.class) {
      return TEXT;
    }
    if (type.isEnum()) {
      return CONSTANT;
    }
    throw new IllegalArgumentException(type + " is the type of no option; see Option");
  }

  /** The value of a text; null where it is none. */
  @Nullable Object parse(Class<?> type, String text) {
    try {
      return switch (this) {
        case INTEGER -> Integer.valueOf(text);
        case LONG -> Long.valueOf(text);
        case DOUBLE -> Double.valueOf(text);
        case BOOLEAN ->
            switch (text) {
              case "true" -> true;
              case "false" -> false;
              default -> null;
            };
        case TEXT -> text;
        case CONSTANT -> constants(type).get(text);
      };
    } catch (NumberFormatException e) {
      return null;
    }
  }

  /** The text of a value, which {@link #parse} reads back to the same. */
  static String write(Object value) {
    return value instanceof Enum<?> constant ? label(constant) : value.toString();
  }

  static List<String> names(Class<?> type) {
    return List.copyOf(constants(type).keySet());
  }

  private static Map<String, Object> constants(Class<?> type) {
    var constants = new LinkedHashMap<String, Object>();
    Arrays.stream(type.getEnumConstants()).forEach(c -> constants.put(label((Enum<?>) c), c));
    return constants;
  }

  private static String label(Enum<?> constant) {
    return constant.name().toLowerCase(Locale.ROOT).replace('_', '-');
  }
}
