package carousel.zoo.data.grammar;

/**
 * A grammar that cannot be used: misspelt, ambiguous, or without an end to its recursion. The
 * message names the rule and what is wrong with it.
 */
public final class GrammarException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  GrammarException(String message) {
    super(message);
  }
}
