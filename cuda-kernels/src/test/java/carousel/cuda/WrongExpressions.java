package carousel.cuda;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;

/**
 * The ways to get an arithmetic expression of C++ wrong in one place.
 *
 * <p>Sums and differences take each other's place; of each operation, the left or the right operand is
 * left out; functions are; gates and vectors are read at a neighbour's index; a state, or its gradient,
 * is another. What decides where memory is read (indices that are not literals, conditions, arguments of
 * other functions) stays.
 */
final class WrongExpressions {
  private static final Set<String> FUNCTIONS =
      Set.of("tanh", "sigmoid", "sigmoid_slope", "tanh_slope", "exp", "log", "rsqrt", "F::of");
  private static final Set<String> TRANSPARENT = Set.of("static_cast<T>", "F::slope", "");
  private static final Pattern NAME = Pattern.compile("[A-Za-z_][\\w.:]*(<\\w+>)?|[\\d.]+");
  private static final Pattern ELEMENT =
      Pattern.compile("[sp]\\.(gates|z|u|dz|du|v|looks)\\[(\\d)]");
  private static final Pattern STATE =
      Pattern.compile("(?<=\\b[sp]\\.)(h|c|next_c|dh|dc)(?![\\w\\[])");
  private static final Pattern COMPARISON = Pattern.compile(" (<=|>) 0 \\?");

  /** Of a cell that has peepholes, whose vectors or products are one fewer. */
  private static final int MOST_GATES = 4;

  private static final int VECTORS = MOST_GATES - 1;

  private final String text;
  private final List<String> wrong = new ArrayList<>();
  private int at;

  private WrongExpressions(String text) {
    this.text = text;
  }

  /** The wrong versions of an expression of a cell with so many gates; those it cannot read have none. */
  static List<String> of(String text, int gates) {
    var expression = new WrongExpressions(text);
    if (!expression.choice() || expression.at < text.length()) {
      expression.wrong.clear();
    }
    expression.elements(gates);
    expression.states();
    return expression.wrong;
  }

  private void replace(int start, int end, String by) {
    wrong.add(text.substring(0, start) + by + text.substring(end));
  }

  private void elements(int gates) {
    Matcher found = ELEMENT.matcher(text);
    while (found.find()) {
      boolean vector = found.group(1).equals("v") || found.group(1).equals("looks");
      int size = !vector ? gates : gates == MOST_GATES ? VECTORS : 1;
      int index = Integer.parseInt(found.group(2));
      IntStream.of(index + 1, index + size - 1)
          .map(other -> other % size)
          .filter(other -> other != index)
          .distinct()
          .forEach(other -> replace(found.start(2), found.end(2), String.valueOf(other)));
    }
  }

  private void states() {
    Matcher found = STATE.matcher(text);
    while (found.find()) {
      String other =
          switch (found.group()) {
            case "h", "next_c" -> "c";
            case "c" -> "next_c";
            case "dh" -> "dc";
            default -> "dh";
          };
      replace(found.start(), found.end(), other);
    }
  }

  /** {@code condition ? sum : sum}, or a sum. */
  private boolean choice() {
    int question = text.indexOf(" ? ");
    if (question < 0) {
      return sum();
    }
    Matcher found = COMPARISON.matcher(text);
    if (found.find()) {
      replace(found.start(1), found.end(1), found.group(1).equals(">") ? "<=" : ">");
    }
    at = question + 3;
    if (!sum() || !text.startsWith(" : ", at)) {
      return false;
    }
    at += 3;
    return sum();
  }

  private boolean sum() {
    int start = at;
    boolean read = product();
    while (read && (text.startsWith(" + ", at) || text.startsWith(" - ", at))) {
      read = operation(start, text.charAt(at + 1) == '+' ? "-" : "+");
    }
    return read;
  }

  private boolean product() {
    int start = at;
    boolean read = atom();
    while (read && (text.startsWith(" * ", at) || text.startsWith(" / ", at))) {
      read = operation(start, "");
    }
    return read;
  }

  /** The rest of {@code left op right}, after the left operand. */
  private boolean operation(int start, String instead) {
    int operator = at;
    at += 3;
    boolean additive = !instead.isEmpty();
    if (!(additive ? product() : atom())) {
      return false;
    }
    replace(operator, at, "");
    replace(start, operator + 3, "");
    if (additive) {
      replace(operator + 1, operator + 2, instead);
    }
    return true;
  }

  private boolean atom() {
    int start = at;
    Matcher name = NAME.matcher(text).region(at, text.length());
    String called = name.lookingAt() ? name.group() : "";
    at += called.length();
    while (at < text.length() && text.charAt(at) == '[') {
      at = closing(at, '[', ']');
    }
    if (at < text.length() && text.charAt(at) == '(') {
      return call(start, called);
    }
    return at > start;
  }

  private boolean call(int start, String called) {
    int open = at;
    int end = closing(open, '(', ')');
    if (FUNCTIONS.contains(called) || TRANSPARENT.contains(called)) {
      at = open + 1;
      if (!sum() || at != end - 1) {
        return false;
      }
    }
    at = end;
    if (FUNCTIONS.contains(called)) {
      replace(start, open, "");
    }
    return true;
  }

  private int closing(int from, char opening, char closing) {
    int depth = 0;
    for (int i = from; i < text.length(); i++) {
      depth += text.charAt(i) == opening ? 1 : text.charAt(i) == closing ? -1 : 0;
      if (depth == 0) {
        return i + 1;
      }
    }
    return text.length();
  }
}
