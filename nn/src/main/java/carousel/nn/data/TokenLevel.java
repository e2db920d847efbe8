package carousel.nn.data;

import java.util.function.Consumer;

/** What a token is: how a line falls apart, and how tokens are joined again. */
public enum TokenLevel {
  /** Words: what stands between white space, in Unicode's sense, no-break spaces included. */
  WORD {
    @Override
    void split(String line, Consumer<String> tokens) {
      var start = -1;
      for (var i = 0; i < line.length(); i++) {
        // All white space lies in the basic plane, so chars may stand for code points here.
        var c = line.charAt(i);
        if (Character.isWhitespace(c) || Character.isSpaceChar(c)) {
          if (start >= 0) tokens.accept(line.substring(start, i));
          start = -1;
        } else if (start < 0) {
          start = i;
        }
      }
      if (start >= 0) tokens.accept(line.substring(start));
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

  /** Gives the tokens of a line, which has no line end, from left to right. */
  abstract void split(String line, Consumer<String> tokens);
}
