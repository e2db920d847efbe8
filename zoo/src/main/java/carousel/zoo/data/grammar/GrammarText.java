package carousel.zoo.data.grammar;

import carousel.zoo.data.grammar.Rule.Symbol;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Pattern;

/**
 * The notation of grammars, explained at the head of {@code agreement.grammar}. A statement begins
 * in the first column and goes on over indented lines.
 */
final class GrammarText {
  private static final Pattern NAME = Pattern.compile("[a-z][a-z-]*(\\.(sg|pl))?");

  private final Map<String, List<Rule>> rules = new LinkedHashMap<>();
  private final Map<String, String> twins = new LinkedHashMap<>();

  private GrammarText() {}

  /**
   * Reads a grammar; the first rule is the start.
   *
   * @throws GrammarException if a statement is misspelt or a name is defined twice
   */
  static Grammar parse(String text) {
    var reader = new GrammarText();
    var statement = new StringBuilder();
    for (var line : text.lines().toList()) {
      if (line.startsWith("#") || line.isBlank()) {
        continue;
      }
      if (!Character.isWhitespace(line.charAt(0))) {
        reader.statement(statement.toString());
        statement.setLength(0);
      }
      statement.append(' ').append(line);
    }
    reader.statement(statement.toString());
    return new Grammar(reader.rules, reader.twins);
  }

  private void statement(String statement) {
    if (statement.isBlank()) {
      return;
    }
    int words = statement.indexOf('~');
    int equals = statement.indexOf('=');
    if (words >= 0) {
      words(statement.substring(0, words).strip(), statement.substring(words + 1).strip());
    } else if (equals < 0) {
      throw new GrammarException("neither '=' nor '~' in \"" + statement.strip() + "\"");
    } else {
      String left = statement.substring(0, equals).strip();
      String right = statement.substring(equals + 1);
      if (left.endsWith(".*")) {
        for (var number : List.of(".sg", ".pl")) {
          rule(left.replace(".*", number), right.replace(".*", number));
        }
      } else {
        rule(left, right);
      }
    }
  }

  private void rule(String left, String right) {
    var weights = new ArrayList<Double>();
    var alternatives = new ArrayList<List<Symbol>>();
    for (var alternative : right.split("\\|", -1)) {
      double weight = 1.0;
      var symbols = new ArrayList<Symbol>();
      for (var item : alternative.strip().split("\\s+", -1)) {
        if (item.isEmpty()) {
          continue;
        }
        if (Character.isDigit(item.charAt(0))) {
          weight = weight(left, item);
        } else {
          symbols.add(symbol(left, item));
        }
      }
      weights.add(weight);
      alternatives.add(symbols);
    }
    define(left, weights, alternatives);
  }

  private static double weight(String left, String item) {
    try {
      double weight = Double.parseDouble(item);
      if (weight > 0 && weight < Double.POSITIVE_INFINITY) {
        return weight;
      }
    } catch (NumberFormatException misspelt) {
      // falls through to the message
    }
    throw new GrammarException(
        String.format(Locale.ROOT, "%s: \"%s\" is no weight above 0", left, item));
  }

  private static Symbol symbol(String left, String item) {
    if (item.length() > 2 && item.startsWith("'") && item.endsWith("'")) {
      return new Symbol(item.substring(1, item.length() - 1), true);
    }
    if (NAME.matcher(item).matches()) {
      return new Symbol(item, false);
    }
    throw new GrammarException(
        String.format(Locale.ROOT, "%s: \"%s\" is neither a name nor a 'word'", left, item));
  }

  private void words(String left, String list) {
    var names = left.split("\\s*,\\s*", -1);
    var words = list.split("\\s+", -1);
    var weights = new ArrayList<Double>();
    var forms = new ArrayList<List<List<Symbol>>>();
    for (var ignored : names) {
      forms.add(new ArrayList<>());
    }
    for (int rank = 1; rank <= words.length; rank++) {
      var pair = words[rank - 1].split("/", -1);
      if (pair.length != names.length || words[rank - 1].isEmpty()) {
        throw new GrammarException(
            String.format(
                Locale.ROOT,
                "%s: \"%s\" has %d forms for %d names",
                left,
                words[rank - 1],
                pair.length,
                names.length));
      }
      weights.add(1.0 / rank);
      for (int i = 0; i < pair.length; i++) {
        forms.get(i).add(List.of(new Symbol(pair[i], true)));
      }
      if (pair.length == 2) {
        twins.put(pair[0], pair[1]);
        twins.put(pair[1], pair[0]);
      }
    }
    for (int i = 0; i < names.length; i++) {
      define(names[i], weights, forms.get(i));
    }
  }

  private void define(String left, List<Double> weights, List<List<Symbol>> alternatives) {
    if (!NAME.matcher(left).matches()) {
      throw new GrammarException("\"" + left + "\" is no name");
    }
    double sum = weights.stream().mapToDouble(Double::doubleValue).sum();
    var defined = new ArrayList<Rule>();
    for (int i = 0; i < weights.size(); i++) {
      defined.add(new Rule(left, weights.get(i) / sum, alternatives.get(i)));
    }
    if (rules.put(left, List.copyOf(defined)) != null) {
      throw new GrammarException(left + " is defined twice");
    }
  }
}
