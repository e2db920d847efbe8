package carousel.zoo.language;

import carousel.nn.data.TokenLevel;
import carousel.nn.data.Vocabulary;
import java.util.function.Consumer;

/**
 * Tokens as a text that grows with every one: words with what parts them in between, characters as they are, line
 * ends. White space is held back until something follows, so that no text ends with it.
 */
public final class Prose {
  private final Vocabulary vocabulary;
  private final Tokenizer tokenizer;
  private final Consumer<String> out;
  private final StringBuilder held = new StringBuilder();
  private String before = "";

  /**
   * No text yet.
   *
   * @param vocabulary says what the tokens are
   * @param tokenizer what parts words
   * @param out is given the text, piece by piece
   */
  public Prose(Vocabulary vocabulary, Tokenizer tokenizer, Consumer<String> out) {
    this.vocabulary = vocabulary;
    this.tokenizer = tokenizer;
    this.out = out;
  }

  /** A whole text. */
  static String of(Vocabulary vocabulary, Tokenizer tokenizer, int... ids) {
    var text = new StringBuilder();
    var prose = new Prose(vocabulary, tokenizer, text::append);
    for (var id : ids) {
      prose.add(id);
    }
    return text.toString();
  }

  /**
   * Adds a token.
   *
   * @param id its number
   */
  public void add(int id) {
    if (id == Vocabulary.END_ID) {
      held.append('\n');
      before = "";
      return;
    }
    String token = vocabulary.decode(id);
    boolean words = vocabulary.level() == TokenLevel.WORD;
    if (words && !before.isEmpty() && tokenizer.parts(before, token)) {
      held.append(' ');
    }
    before = token;
    if (token.codePoints().allMatch(TokenLevel::isSpace)) {
      held.append(token);
      return;
    }
    out.accept(held + token);
    held.setLength(0);
  }
}
