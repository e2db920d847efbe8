package carousel.zoo.language;

import carousel.zoo.run.Choice;
import carousel.zoo.run.Failure;
import java.util.Arrays;
import java.util.List;

/** What parts the words of a line, and joins them again. */
public enum Tokenizer {
  /** White space, as most languages are written. */
  SPACES("spaces") {
    @Override
    public String cut(String line) {
      return line;
    }

    @Override
    boolean parts(String before, String after) {
      return true;
    }
  },

  /**
   * Kuromoji, Apache Lucene's morphological analyser of Japanese, with the IPA dictionary: lines of Japanese,
   * which is written without spaces, fall into words, those of other languages stay as they are.
   */
  KUROMOJI("kuromoji") {
    @Override
    public String cut(String line) {
      return Japanese.cut(line);
    }

    @Override
    boolean parts(String before, String after) {
      return !Japanese.isWrittenWithoutSpaces(before.codePointBefore(before.length()))
          && !Japanese.isWrittenWithoutSpaces(after.codePointAt(0));
    }
  };

  private final String label;

  Tokenizer(String label) {
    this.label = label;
  }

  /**
   * Puts spaces between words.
   *
   * @param line a line, without its end
   * @return its words with white space between them
   */
  public abstract String cut(String line);

  /** Whether a space is written between two words, neither of them empty. */
  abstract boolean parts(String before, String after);

  /**
   * The name, as the option spells it.
   *
   * @return e.g. {@code kuromoji}
   */
  public String label() {
    return label;
  }

  /**
   * All names.
   *
   * @return in order
   */
  public static List<String> labels() {
    return Arrays.stream(values()).map(Tokenizer::label).toList();
  }

  /**
   * The tokenizer of a name.
   *
   * @param label the name
   * @return the tokenizer
   * @throws Failure naming the nearest, if there is none
   */
  public static Tokenizer of(String label) {
    Choice.require("--tokenizer", label, labels());
    return Arrays.stream(values()).filter(t -> t.label.equals(label)).findFirst().orElseThrow();
  }
}
