package carousel.nn.data;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * The tokens of a {@link Vocabulary} that no text has: their names are anybody's choice, and their ids are fixed. In that
 * order, from 0 on: what stands for a token that is not known, what ends a line, and, if they are wanted, what fills up
 * rows that are shorter than others, and what starts a sequence.
 *
 * <pre>{@code
 * var specials = SpecialTokens.standard().withPadding("<pad>").withStart("<s>").withEnd("</s>");
 * var vocabulary = Vocabulary.ofText(TokenLevel.WORD, "to be or not").withSpecials(specials);
 * Embedding.padded(vocabulary.size(), 64, vocabulary.padding().getAsInt(), init, rng);
 * int[] ids = vocabulary.encodeSequence("to be"); // <s> to be </s>
 * String text = vocabulary.decodeSequence(ids); // to be
 * }</pre>
 *
 * @param unknown id 0
 * @param end id 1
 * @param padding id 2, if there is one
 * @param start the next id, if there is one
 */
public record SpecialTokens(
    String unknown, String end, Optional<String> padding, Optional<String> start) {
  private static final SpecialTokens STANDARD =
      new SpecialTokens(Vocabulary.UNKNOWN, Vocabulary.END, Optional.empty(), Optional.empty());

  /** Checks that the names are names, and differ. */
  public SpecialTokens {
    var names = names(unknown, end, padding, start);
    for (var name : names) {
      if (name.isEmpty() || name.codePoints().anyMatch(c -> c >= 0xD800 && c <= 0xDFFF)) {
        throw new CorpusException(
            String.format(
                Locale.ROOT,
                "special tokens: \"%s\" is no name: it is empty, or holds half of a surrogate pair",
                VocabularyFile.escape(name)));
      }
    }
    if (new HashSet<>(names).size() < names.size()) {
      throw new CorpusException(
          String.format(Locale.ROOT, "special tokens: two have one name in %s", names));
    }
  }

  /**
   * Those that every vocabulary has: {@value Vocabulary#UNKNOWN} and {@value Vocabulary#END}.
   *
   * @return no padding and no start
   */
  public static SpecialTokens standard() {
    return STANDARD;
  }

  /**
   * These with another name for what is not known.
   *
   * @param name e.g. {@code [UNK]}
   * @return the tokens
   */
  public SpecialTokens withUnknown(String name) {
    return new SpecialTokens(name, end, padding, start);
  }

  /**
   * These with another name for the end of a line.
   *
   * @param name e.g. {@code </s>}
   * @return the tokens
   */
  public SpecialTokens withEnd(String name) {
    return new SpecialTokens(unknown, name, padding, start);
  }

  /**
   * These with a token that fills up short rows.
   *
   * @param name e.g. {@code <pad>}
   * @return the tokens
   */
  public SpecialTokens withPadding(String name) {
    return new SpecialTokens(unknown, end, Optional.of(name), start);
  }

  /**
   * These with a token that starts a sequence.
   *
   * @param name e.g. {@code <s>}
   * @return the tokens
   */
  public SpecialTokens withStart(String name) {
    return new SpecialTokens(unknown, end, padding, Optional.of(name));
  }

  /**
   * Returns all of them.
   *
   * @return the names in the order of their ids
   */
  public List<String> names() {
    return names(unknown, end, padding, start);
  }

  private static List<String> names(
      String unknown, String end, Optional<String> padding, Optional<String> start) {
    var names = new ArrayList<>(List.of(unknown, end));
    padding.ifPresent(names::add);
    start.ifPresent(names::add);
    return List.copyOf(names);
  }
}
