package carousel.zoo.data.grammar;

import java.util.List;
import java.util.stream.Collectors;

/**
 * One alternative of a nonterminal: {@code left → right} with a probability given {@code left}.
 *
 * @param left the nonterminal
 * @param probability above 0; those of one nonterminal sum to 1
 * @param right what it becomes; empty for the empty string
 */
record Rule(String left, double probability, List<Symbol> right) {
  Rule {
    right = List.copyOf(right);
  }

  /**
   * What stands on the right of a rule.
   *
   * @param name the word itself, or the name of the nonterminal
   * @param isWord whether it is a word
   */
  record Symbol(String name, boolean isWord) {
    @Override
    public String toString() {
      return isWord ? "'" + name + "'" : name;
    }
  }

  @Override
  public String toString() {
    String symbols = right.stream().map(Symbol::toString).collect(Collectors.joining(" "));
    return left + " = " + (symbols.isEmpty() ? "(empty)" : symbols);
  }
}
