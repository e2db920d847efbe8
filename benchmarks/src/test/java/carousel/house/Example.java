package carousel.house;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A piece of Java in a comment or a document.
 *
 * <p>In comments, {@code <pre>} with {@code {@code ...}} in it is Java, and with {@code {@literal ...}} or
 * nothing it is not. In documents, what is fenced as {@code java} is Java, and as {@code java fragment} part
 * of a declaration that cannot stand alone. Every other way to show code is refused.
 *
 * @param file where it is, from the root
 * @param line the line of the file on which the text begins, from 1
 * @param text the Java
 */
record Example(String file, int line, String text) {
  private static final Pattern COMMENT = Pattern.compile("/\\*\\*.*?\\*/", Pattern.DOTALL);
  private static final Pattern BLOCK = Pattern.compile("<pre>(.*?)</pre>", Pattern.DOTALL);
  private static final String CODE = "{@code";

  /** Lines of Java, in blocks that claim to be something else. */
  private static final Pattern LIKE_JAVA =
      Pattern.compile("(;|\\{|->)\\s*(//.*)?$", Pattern.MULTILINE);

  /** What is found, and what is written in a way that would not be. */
  record Found(List<Example> examples, List<String> refused) {
    Found() {
      this(new ArrayList<>(), new ArrayList<>());
    }

    void addAll(Found other) {
      examples.addAll(other.examples);
      refused.addAll(other.refused);
    }
  }

  /** The examples in the comments of a Java file. */
  static Found inComments(Path root, Path source) throws IOException {
    return inComments(root.relativize(source).toString(), Files.readString(source));
  }

  /** The examples in the comments of a text. */
  static Found inComments(String file, String java) {
    var found = new Found();
    if (Pattern.compile("^\\s*///", Pattern.MULTILINE).matcher(java).find()) {
      found.refused.add(
          file + ": Markdown comments (///) are not searched for examples; write /** */");
    }
    Matcher comment = COMMENT.matcher(java);
    while (comment.find()) {
      String text = comment.group();
      int start = comment.start();
      if (text.contains("{@snippet")) {
        found.refused.add(at(file, java, start) + ": write <pre>{@code ...}</pre>, not {@snippet}");
      }
      if (text.contains("```")) {
        found.refused.add(
            at(file, java, start) + ": ``` is no mark-up here; write <pre>{@code ...}</pre>");
      }
      Matcher block = BLOCK.matcher(text);
      int blocks = 0;
      while (block.find()) {
        blocks++;
        found.addAll(block(file, java, start + block.start(1), block.group(1)));
      }
      if (blocks != text.split("<pre", -1).length - 1) {
        found.refused.add(at(file, java, start) + ": a <pre> without </pre>, or with attributes");
      }
    }
    return found;
  }

  private static Found block(String file, String java, int offset, String raw) {
    var found = new Found();
    String where = at(file, java, offset);
    String text = raw.replaceAll("\\n[ \\t]*\\* ?", "\n");
    String trimmed = text.strip();
    if (trimmed.startsWith(CODE) && trimmed.endsWith("}")) {
      String code = trimmed.substring(CODE.length(), trimmed.length() - 1);
      int line = line(java, offset) + lines(text.substring(0, text.indexOf(CODE)));
      found.examples.add(new Example(file, line, code));
    } else if (trimmed.contains(CODE)) {
      found.refused.add(where + ": {@code ...} fills its <pre>, or is not there");
    } else if (!trimmed.startsWith("{@literal")
        && LIKE_JAVA.matcher(trimmed.replaceAll("&\\w+;", "")).find()) {
      found.refused.add(where + ": is this Java? then {@code; if not, {@literal");
    }
    return found;
  }

  /** The examples in a Markdown document. */
  static Found inDocument(String file, String markdown) {
    var found = new Found();
    String[] lines = markdown.split("\n", -1);
    for (int i = 0; i < lines.length; i++) {
      if (!lines[i].strip().startsWith("```")) {
        continue;
      }
      String language = lines[i].strip().substring(3).strip();
      int from = ++i;
      while (i < lines.length && !lines[i].strip().equals("```")) {
        i++;
      }
      String text = String.join("\n", List.of(lines).subList(from, i));
      if (language.equals("java")) {
        found.examples.add(new Example(file, from + 1, text));
      } else if (!language.equals("java fragment")
          && (language.startsWith("java")
              || (language.isEmpty() && LIKE_JAVA.matcher(text).find()))) {
        found.refused.add(
            file
                + ":"
                + from
                + ": fence it as java; as java fragment if it cannot stand alone; as text if"
                + " it is no Java");
      }
    }
    return found;
  }

  private static String at(String file, String text, int offset) {
    return file + ":" + line(text, offset);
  }

  private static int line(String text, int offset) {
    return 1 + lines(text.substring(0, offset));
  }

  private static int lines(String text) {
    return (int) text.chars().filter(c -> c == '\n').count();
  }

  @Override
  public String toString() {
    return file + ":" + line;
  }
}
