package carousel.nn.data;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The text form of a vocabulary:
 *
 * <pre>
 * # vocabulary WORD 10000
 * &lt;unk&gt;
 * &lt;eos&gt;
 * the
 * ...
 * </pre>
 *
 * <p>Other special tokens than these two are said in the first line, by what they are for: {@code # vocabulary WORD 10000
 * unknown end padding start}. Their names are the first tokens.
 *
 * <p>A backslash, white space and characters that cannot be seen are written as {@code \\} or
 * <code>\</code><code>u{hex}</code>, so that every token is one line that an editor leaves alone.
 */
final class VocabularyFile {
  private static final Pattern HEADER =
      Pattern.compile(
          "# vocabulary (WORD|CHARACTER) (\\d{1,9})( unknown end( padding)?( start)?)?");
  private static final Pattern ESCAPE = Pattern.compile("\\\\(?:(\\\\)|u\\{([0-9a-f]{1,6})}|)");

  private VocabularyFile() {}

  static String format(Vocabulary vocabulary) {
    // Not by a format: that writes %d in the digits of the default locale.
    var text = new StringBuilder("# vocabulary " + vocabulary.level() + " " + vocabulary.size());
    var specials = vocabulary.specials();
    if (!specials.equals(SpecialTokens.standard())) {
      text.append(" unknown end");
      if (specials.padding().isPresent()) {
        text.append(" padding");
      }
      if (specials.start().isPresent()) {
        text.append(" start");
      }
    }
    text.append('\n');
    for (var token : vocabulary.tokens()) {
      text.append(escape(token)).append('\n');
    }
    return text.toString();
  }

  static String escape(String token) {
    var out = new StringBuilder();
    token
        .codePoints()
        .forEach(c -> {
          if (c == '\\') {
            out.append("\\\\");
          } else if (isVisible(c)) {
            out.appendCodePoint(c);
          } else {
            out.append(String.format(Locale.ROOT, "\\u{%x}", c));
          }
        });
    return out.toString();
  }

  private static boolean isVisible(int c) {
    return switch (Character.getType(c)) {
      case Character.CONTROL,
          Character.FORMAT,
          Character.SURROGATE,
          Character.SPACE_SEPARATOR,
          Character.LINE_SEPARATOR,
          Character.PARAGRAPH_SEPARATOR ->
          false;
      default -> true;
    };
  }

  private static String unescape(Path path, int line, String escaped) {
    return ESCAPE
        .matcher(escaped)
        .replaceAll(match -> {
          if (match.group(1) != null) {
            return Matcher.quoteReplacement("\\");
          }
          int code = match.group(2) == null ? -1 : Integer.parseInt(match.group(2), 16);
          if (!Character.isValidCodePoint(code)) {
            throw new CorpusException(
                String.format(
                    Locale.ROOT,
                    "%s: line %d, \"%s\": a backslash must be followed by another or by u{hex}",
                    path,
                    line,
                    escaped));
          }
          return Matcher.quoteReplacement(Character.toString(code));
        });
  }

  static Vocabulary read(Path path) throws IOException {
    try (var lines = TextLines.open(path)) {
      String first = lines.next();
      var header = HEADER.matcher(first == null ? "" : first);
      if (!header.matches()) {
        throw new CorpusException(
            path + ": not a vocabulary: it must begin with \"# vocabulary WORD\" and its size");
      }
      int size = Integer.parseInt(header.group(2));
      var tokens = new ArrayList<String>();
      for (String line = lines.next(); line != null; line = lines.next()) {
        tokens.add(unescape(path, tokens.size() + 2, line));
      }
      if (tokens.size() != size) {
        throw new CorpusException(
            String.format(
                Locale.ROOT,
                "%s: truncated or edited: it announces %d tokens and holds %d",
                path,
                size,
                tokens.size()));
      }
      return build(
          path, TokenLevel.valueOf(header.group(1)), specials(path, header, tokens), tokens);
    }
  }

  private static SpecialTokens specials(Path path, Matcher header, List<String> tokens) {
    if (header.group(3) == null) {
      return SpecialTokens.standard();
    }
    boolean padding = header.group(4) != null;
    boolean start = header.group(5) != null;
    int count = 2 + (padding ? 1 : 0) + (start ? 1 : 0);
    if (tokens.size() < count) {
      throw new CorpusException(
          String.format(
              Locale.ROOT,
              "%s: it announces %d special tokens and holds %d tokens",
              path,
              count,
              tokens.size()));
    }
    try {
      return new SpecialTokens(
          tokens.get(0),
          tokens.get(1),
          padding ? Optional.of(tokens.get(2)) : Optional.empty(),
          start ? Optional.of(tokens.get(count - 1)) : Optional.empty());
    } catch (CorpusException e) {
      throw new CorpusException(path + ": " + e.getMessage());
    }
  }

  private static Vocabulary build(
      Path path, TokenLevel level, SpecialTokens specials, List<String> tokens) {
    try {
      return Vocabulary.of(level, specials, tokens);
    } catch (CorpusException e) {
      throw new CorpusException(path + ": " + e.getMessage());
    }
  }
}
