package carousel.nn.data;

import java.util.function.Consumer;

/** What a token is: how a line falls apart, and how tokens are joined again. */
public enum TokenLevel {
  /** Words: what stands between {@linkplain #isSpace white space}. */
  WORD {
    @Override
    void split(String line, Consumer<String> tokens) {
      int start = -1;
      for (int i = 0; i < line.length(); i++) {
        // All white space lies in the basic plane, so chars may stand for code points here.
        char c = line.charAt(i);
        if (isSpace(c)) {
          if (start >= 0) {
            tokens.accept(line.substring(start, i));
          }
          start = -1;
        } else if (start < 0) {
          start = i;
        }
      }
      if (start >= 0) {
        tokens.accept(line.substring(start));
      }
    }
  },

  /** Characters: the code points of the line, white space included. */
  CHARACTER {
    @Override
    void split(String line, Consumer<String> tokens) {
      for (int i = 0, next; i < line.length(); i = next) {
        next = line.offsetByCodePoints(i, 1);
        tokens.accept(line.substring(i, next));
      }
    }
  };

  /** U+0085, the next line of EBCDIC and ISO 6429: white space to Unicode, and not to Java. */
  private static final int NEXT_LINE = 0x85;

  /**
   * Whether a character parts words: white space in Unicode's sense, no-break spaces included, and what Java
   * calls white space beside. Vocabularies, prompts and what is written by a model have this one notion.
   *
   * @param c a code point
   * @return whether it is white space
   */
  public static boolean isSpace(int c) {
    return Character.isWhitespace(c) || Character.isSpaceChar(c) || c == NEXT_LINE;
  }

  /** Gives the tokens of a line, which has no line end, from left to right. */
  abstract void split(String line, Consumer<String> tokens);
}
