package carousel.zoo.language;

import carousel.nn.data.TokenLevel;

/** What a token is, as the option spells it. */
public enum Level {
  /** A word. */
  WORD(TokenLevel.WORD, "words"),
  /** A character. */
  CHAR(TokenLevel.CHARACTER, "characters");

  private final TokenLevel tokens;
  private final String unit;

  Level(TokenLevel tokens, String unit) {
    this.tokens = tokens;
    this.unit = unit;
  }

  /**
   * How a text is read.
   *
   * @return by words or by characters
   */
  public TokenLevel tokens() {
    return tokens;
  }

  /**
   * What many tokens are called.
   *
   * @return e.g. {@code words}
   */
  public String unit() {
    return unit;
  }
}
