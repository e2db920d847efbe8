package carousel.zoo.data.grammar;

import carousel.zoo.data.grammar.Rule.Symbol;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * Which rule a nonterminal takes when the next word is known: {@code (A, w) → rule}, the LL(1)
 * table.
 *
 * <p>That a grammar has such a table is the proof that each of its sentences has one derivation: at
 * every point of a left-to-right reading, the next word leaves one rule. So the probability of a
 * sentence is that of its derivation, and of a next word that of the rules taken to reach it.
 *
 * <p>Source: P. M. Lewis, R. E. Stearns, Syntax-directed transduction, J. ACM 15 (1968).
 */
final class PredictiveTable {
  private final Map<String, List<Rule>> rules;
  private final Set<String> nullable = new HashSet<>();
  private final Map<String, Set<String>> first = new HashMap<>();
  private final Map<String, Set<String>> follow = new HashMap<>();
  private final Map<String, Map<String, Rule>> table = new HashMap<>();

  /**
   * Builds the table.
   *
   * @throws GrammarException if a nonterminal has two rules for one next word
   */
  PredictiveTable(Map<String, List<Rule>> rules, String start) {
    this.rules = rules;
    for (var name : rules.keySet()) {
      first.put(name, new HashSet<>());
      follow.put(name, new HashSet<>());
      table.put(name, new HashMap<>());
    }
    while (growFirst()) {}
    at(follow, start).add(Grammar.END);
    while (growFollow()) {}
    for (var alternatives : rules.values()) {
      alternatives.forEach(this::enter);
    }
  }

  /**
   * The rule that {@code nonterminal} takes before {@code word}, null where the word cannot stand.
   */
  @Nullable Rule rule(String nonterminal, String word) {
    return at(table, nonterminal).get(word);
  }

  /** The words that can come next when these symbols are what is still to be read, top first. */
  Set<String> expected(Iterable<Symbol> pending) {
    var words = new TreeSet<String>();
    for (var symbol : pending) {
      words.addAll(firstOf(symbol));
      if (!isNullable(symbol)) {
        return words;
      }
    }
    words.add(Grammar.END);
    return words;
  }

  private boolean isNullable(Symbol symbol) {
    return !symbol.isWord() && nullable.contains(symbol.name());
  }

  private Set<String> firstOf(Symbol symbol) {
    return symbol.isWord() ? Set.of(symbol.name()) : at(first, symbol.name());
  }

  /** The words that a sequence can begin with. */
  private Set<String> firstOf(List<Symbol> sequence) {
    var words = new HashSet<String>();
    for (var symbol : sequence) {
      words.addAll(firstOf(symbol));
      if (!isNullable(symbol)) {
        break;
      }
    }
    return words;
  }

  private boolean growFirst() {
    boolean grown = false;
    for (var alternatives : rules.values()) {
      for (var rule : alternatives) {
        if (rule.right().stream().allMatch(this::isNullable)) {
          grown |= nullable.add(rule.left());
        }
        grown |= at(first, rule.left()).addAll(firstOf(rule.right()));
      }
    }
    return grown;
  }

  private boolean growFollow() {
    boolean grown = false;
    for (var alternatives : rules.values()) {
      for (var rule : alternatives) {
        for (int i = 0; i < rule.right().size(); i++) {
          var symbol = rule.right().get(i);
          if (symbol.isWord()) {
            continue;
          }
          var rest = rule.right().subList(i + 1, rule.right().size());
          var after = at(follow, symbol.name());
          grown |= after.addAll(firstOf(rest));
          if (rest.stream().allMatch(this::isNullable)) {
            grown |= after.addAll(at(follow, rule.left()));
          }
        }
      }
    }
    return grown;
  }

  private void enter(Rule rule) {
    var words = new TreeSet<>(firstOf(rule.right()));
    if (rule.right().stream().allMatch(this::isNullable)) {
      words.addAll(at(follow, rule.left()));
    }
    for (var word : words) {
      var other = at(table, rule.left()).put(word, rule);
      if (other != null) {
        throw new GrammarException(
            String.format(
                Locale.ROOT,
                "%s: before '%s' both \"%s\" and \"%s\" apply, so a sentence may have two readings",
                rule.left(),
                word,
                other,
                rule));
      }
    }
  }

  /**
   * All names were entered by the constructor, and the grammar has checked that no other occurs.
   */
  private static <V> V at(Map<String, V> map, String name) {
    var value = map.get(name);
    if (value == null) {
      throw new IllegalStateException("undefined: " + name);
    }
    return value;
  }
}
