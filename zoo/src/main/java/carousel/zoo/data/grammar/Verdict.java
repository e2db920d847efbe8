package carousel.zoo.data.grammar;

import java.util.List;
import java.util.Set;

/**
 * What a grammar says of a sentence.
 *
 * @param kind grammatical, or what is wrong first
 * @param position the index of the first word that cannot stand where it does; the length of the
 *     sentence if it ends too early or is grammatical
 * @param expected the words that could have stood there; empty if the sentence is grammatical
 */
public record Verdict(Kind kind, int position, Set<String> expected) {
  /** Copies the expected words. */
  public Verdict {
    expected = Set.copyOf(expected);
  }

  /** What may be wrong with a sentence. */
  public enum Kind {
    /** Nothing is. */
    GRAMMATICAL,
    /** A word has the wrong number: its other form would be right. */
    DISAGREEMENT,
    /** A word of another kind stands where it cannot. */
    MISPLACED,
    /** The sentence ends where it cannot. */
    UNFINISHED
  }

  /**
   * Whether nothing is wrong.
   *
   * @return true if the grammar gives the sentence a probability above 0
   */
  public boolean isGrammatical() {
    return kind == Kind.GRAMMATICAL;
  }

  static Verdict grammatical(List<String> sentence) {
    return new Verdict(Kind.GRAMMATICAL, sentence.size(), Set.of());
  }
}
