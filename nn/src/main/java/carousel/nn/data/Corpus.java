package carousel.nn.data;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.function.UnaryOperator;

/**
 * A text to train on, one to tune on, one to report on, and the vocabulary they are numbered by.
 *
 * <p>Every line is followed by {@link Vocabulary#END}. The vocabulary is that of the training text:
 * a word that occurs only in the others is {@link Vocabulary#UNKNOWN} to a model that has never
 * seen it.
 *
 * @param vocabulary numbers the tokens
 * @param train to train on
 * @param valid to tune on
 * @param test to report on
 */
public record Corpus(
    Vocabulary vocabulary, TokenStream train, TokenStream valid, TokenStream test) {
  private static final double TRAIN_PART = 0.90;
  private static final double VALID_PART = 0.05;

  /** The three texts as raw indices, with the names that stand in errors. */
  private record Raw(String name, RawText text, List<String> names, List<int[]> parts) {}

  /**
   * Reads a corpus, with all its tokens.
   *
   * @param path a folder or a file, as {@link #read(Path, TokenLevel, int, int)} takes it
   * @param level what a token is
   * @return the corpus
   * @throws CorpusException if the text cannot be learned from
   * @throws IOException if a file cannot be read
   */
  public static Corpus read(Path path, TokenLevel level) throws IOException {
    return read(path, level, Integer.MAX_VALUE, 1);
  }

  /**
   * Reads a corpus and keeps its frequent tokens.
   *
   * <p>A folder must hold exactly one file of each of {@code *.train.txt}, {@code *.valid.txt},
   * {@code *.test.txt}. A single file is cut in three, 90 % : 5 % : 5 % of its tokens, each cut
   * moved to the next line end, or left inside a line where a part would otherwise come out empty.
   *
   * @param path the folder or the file, in UTF-8
   * @param level what a token is
   * @param maxSize the largest vocabulary, at least 3
   * @param minCount how often a token must occur to be in the vocabulary, at least 1
   * @return the corpus
   * @throws CorpusException if a file is missing, empty, not UTF-8, or has one token only, or if
   *     all tokens are the same
   * @throws IOException if a file cannot be read
   */
  public static Corpus read(Path path, TokenLevel level, int maxSize, int minCount)
      throws IOException {
    return read(path, level, maxSize, minCount, UnaryOperator.identity());
  }

  /**
   * As {@link #read(Path, TokenLevel, int, int)}, of lines that are first cut into words: where a language writes
   * none of the spaces between them, an analyser puts them there.
   *
   * @param path the folder or the file, in UTF-8
   * @param level what a token is
   * @param maxSize the largest vocabulary, at least 3
   * @param minCount how often a token must occur to be in the vocabulary, at least 1
   * @param cut what is done to a line before it falls into tokens
   * @return the corpus
   * @throws CorpusException if the text cannot be learned from
   * @throws IOException if a file cannot be read
   */
  public static Corpus read(
      Path path, TokenLevel level, int maxSize, int minCount, UnaryOperator<String> cut)
      throws IOException {
    return build(raw(path, level, cut), level, maxSize, minCount);
  }

  /**
   * Reads a corpus with the vocabulary of another, as that of a trained model.
   *
   * @param path the folder or the file, as {@link #read(Path, TokenLevel, int, int)} takes it
   * @param vocabulary numbers the tokens; those it does not know become {@link Vocabulary#UNKNOWN}
   * @return the corpus
   * @throws CorpusException if the text cannot be learned from
   * @throws IOException if a file cannot be read
   */
  public static Corpus read(Path path, Vocabulary vocabulary) throws IOException {
    return read(path, vocabulary, UnaryOperator.identity());
  }

  /**
   * As {@link #read(Path, Vocabulary)}, of lines that are first cut into words.
   *
   * @param path the folder or the file
   * @param vocabulary numbers the tokens
   * @param cut what is done to a line before it falls into tokens
   * @return the corpus
   * @throws CorpusException if the text cannot be learned from
   * @throws IOException if a file cannot be read
   */
  public static Corpus read(Path path, Vocabulary vocabulary, UnaryOperator<String> cut)
      throws IOException {
    return number(raw(path, vocabulary.level(), cut), vocabulary);
  }

  /**
   * A corpus of given texts.
   *
   * @param level what a token is
   * @param train to train on
   * @param valid to tune on
   * @param test to report on
   * @return the corpus
   * @throws CorpusException if one has no tokens or one only, or if all tokens are the same
   */
  public static Corpus of(TokenLevel level, String train, String valid, String test) {
    var text = new RawText(level, UnaryOperator.identity());
    var names = List.of("train", "valid", "test");
    var parts = List.of(text.read(train), text.read(valid), text.read(test));
    for (int i = 0; i < names.size(); i++) {
      checkNotBlank(names.get(i), parts.get(i));
    }
    return build(new Raw("corpus", text, names, parts), level, Integer.MAX_VALUE, 1);
  }

  private static Raw raw(Path path, TokenLevel level, UnaryOperator<String> cut)
      throws IOException {
    if (!Files.exists(path)) {
      throw new CorpusException(path + ": there is no such file or folder");
    }
    var text = new RawText(level, cut);
    if (!Files.isDirectory(path)) {
      var whole = text.read(path);
      var names = List.of(path + " (train part)", path + " (valid part)", path + " (test part)");
      return new Raw(path.toString(), text, names, split(path, whole));
    }
    var files = List.of(only(path, "train"), only(path, "valid"), only(path, "test"));
    var parts = new ArrayList<int[]>();
    for (var file : files) {
      var part = text.read(file);
      checkNotBlank(file.toString(), part);
      parts.add(part);
    }
    return new Raw(path.toString(), text, files.stream().map(Path::toString).toList(), parts);
  }

  /** The one file of a folder whose name ends with {@code .part.txt}. */
  private static Path only(Path folder, String part) throws IOException {
    try (var files = Files.list(folder)) {
      var names = files.map(file -> file.getFileName().toString()).sorted().toList();
      var fitting = names.stream().filter(name -> name.endsWith("." + part + ".txt")).toList();
      if (fitting.size() == 1) {
        return folder.resolve(fitting.getFirst());
      }
      throw new CorpusException(
          String.format(
                  Locale.ROOT,
                  "%s: %s *.%s.txt; the folder must hold one file each of *.train.txt, *.valid.txt,",
                  folder,
                  fitting.isEmpty() ? "no file" : fitting.size() + " files",
                  part)
              + String.format(
                  Locale.ROOT,
                  " *.test.txt, and it holds %s; or give a single text file",
                  abridge(names)));
    }
  }

  private static String abridge(List<String> names) {
    if (names.isEmpty()) {
      return "nothing";
    }
    String shown = String.join(", ", names.subList(0, Math.min(8, names.size())));
    return names.size() <= 8
        ? shown
        : shown + String.format(Locale.ROOT, " and %d more", names.size() - 8);
  }

  private static void checkNotBlank(String name, int[] raw) {
    for (var id : raw) {
      if (id != RawText.END) {
        return;
      }
    }
    throw new CorpusException(
        name + (raw.length == 0 ? ": the text is empty" : ": the text is blank lines only"));
  }

  private static List<int[]> split(Path file, int[] whole) {
    checkNotBlank(file.toString(), whole);
    int least = 40; // the 5 % parts then have their two tokens
    if (whole.length < least) {
      throw new CorpusException(
          String.format(
              Locale.ROOT,
              "%s: %d tokens are too few to be cut into train, valid and test, %d are needed",
              file,
              whole.length,
              least));
    }
    int first = (int) (TRAIN_PART * whole.length);
    int second = (int) ((TRAIN_PART + VALID_PART) * whole.length);
    int firstEnd = lineEnd(whole, first);
    int secondEnd = lineEnd(whole, second);
    // One long line, as text8 is, or a last line longer than a part: cut it where it has to be cut.
    if (secondEnd - firstEnd < 2 || whole.length - secondEnd < 2) {
      firstEnd = first;
      secondEnd = second;
    }
    return List.of(
        Arrays.copyOf(whole, firstEnd),
        Arrays.copyOfRange(whole, firstEnd, secondEnd),
        Arrays.copyOfRange(whole, secondEnd, whole.length));
  }

  /** The position after the line that holds position {@code from}. */
  private static int lineEnd(int[] raw, int from) {
    int at = from;
    while (at > 0 && at < raw.length && raw[at - 1] != RawText.END) {
      at++;
    }
    return at;
  }

  private static Corpus build(Raw raw, TokenLevel level, int maxSize, int minCount) {
    var counts = raw.text().count(raw.parts().getFirst());
    var words = counts.keySet().stream().filter(token -> !token.equals(Vocabulary.END)).toList();
    if (words.size() == 1) {
      throw new CorpusException(
          String.format(
                  Locale.ROOT,
                  "%s: a vocabulary of one: all of the training text is \"%s\"; take a text with at least",
                  raw.name(),
                  VocabularyFile.escape(words.getFirst()))
              + " two different tokens");
    }
    return number(raw, Vocabulary.of(level, counts, maxSize, minCount));
  }

  private static Corpus number(Raw raw, Vocabulary vocabulary) {
    var streams = new ArrayList<TokenStream>();
    for (int i = 0; i < raw.parts().size(); i++) {
      var ids = raw.text().translate(raw.parts().get(i), vocabulary);
      streams.add(TokenStream.owning(raw.names().get(i), ids));
    }
    return new Corpus(vocabulary, streams.get(0), streams.get(1), streams.get(2));
  }
}
