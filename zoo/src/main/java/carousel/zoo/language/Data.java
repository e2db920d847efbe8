package carousel.zoo.language;

import carousel.nn.data.Corpus;
import carousel.nn.data.Vocabulary;
import carousel.zoo.data.Known;
import carousel.zoo.data.grammar.Grammar;
import carousel.zoo.run.Failure;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * A corpus, and the grammar it was drawn from if it was.
 *
 * @param corpus the three texts
 * @param grammar knows the best perplexity there is, and which sentences are right
 */
public record Data(Corpus corpus, Optional<Grammar> grammar) {
  /** Names the text that the project generates. */
  public static final String GENERATED = "generated";

  /** What lies here is a file, perhaps, but another one for the next process. */
  private static final List<String> PASSING = List.of("/dev/stdin", "/dev/fd", "/proc");

  private static final int HELD_OUT = 20_000;

  /**
   * The generated text, or that of a folder or file.
   *
   * @param settings name the text, what a token is, and how many there are
   * @return the data, with a vocabulary of its own
   * @throws carousel.nn.data.CorpusException if the text cannot be learned from
   * @throws IOException if a file cannot be read
   */
  public static Data read(Settings settings) throws IOException {
    if (!settings.data().equals(GENERATED)) {
      var corpus =
          Corpus.read(
              Path.of(settings.data()),
              settings.level().tokens(),
              settings.vocabulary() == 0 ? Integer.MAX_VALUE : settings.vocabulary(),
              settings.minCount(),
              settings.tokenizer()::cut);
      return new Data(corpus, Optional.empty());
    }
    if (settings.level() == Level.CHAR) {
      throw Failure.usage(
          "--level char: the generated text is one of words; give a text with --data");
    }
    if (settings.vocabulary() != 0
        || settings.minCount() != 1
        || settings.tokenizer() != Tokenizer.SPACES) {
      throw Failure.usage(
          "--vocabulary, --min-count and --tokenizer are for a text of your own: the generated one has few"
              + " words, all of them frequent; give a text with --data");
    }
    return generated(settings);
  }

  private static Data generated(Settings settings) {
    var grammar = Grammar.agreement();
    int heldOut = Math.min(HELD_OUT, settings.tokens() / 4);
    return new Data(
        grammar.corpus(settings.seed(), settings.tokens(), heldOut, heldOut), Optional.of(grammar));
  }

  /**
   * The corpus with the best perplexity that anything reaches on it, where that is known.
   *
   * @return empty for a text of one's own
   */
  public Optional<Known<Corpus>> known() {
    return grammar.map(g ->
        new Known<>(
            corpus,
            g.bestPerplexity(),
            "perplexity",
            "e to the entropy of the grammar, which is computed from its rules"));
  }

  /**
   * Whether a text is gone once it is read: what comes through a pipe, a terminal, or a name that means something else
   * to every process.
   *
   * @param source {@link #GENERATED} or a path
   * @return whether nobody can read it a second time by its name
   */
  static boolean isReadOnce(String source) {
    if (source.equals(GENERATED)) {
      return false;
    }
    var path = Path.of(source);
    if (PASSING.stream().anyMatch(path::startsWith)) {
      return true;
    }
    return Files.exists(path) && !Files.isRegularFile(path) && !Files.isDirectory(path);
  }

  /**
   * A text in the vocabulary of a trained model: the one that it was trained on, or another.
   *
   * @param source {@link #GENERATED} or a path
   * @param vocabulary that of the model
   * @param settings its others
   * @return the data; words that the model does not know are {@link Vocabulary#UNKNOWN}
   * @throws Failure if the text can be read but once, and so is none to come back to
   * @throws carousel.nn.data.CorpusException if the text cannot be read as one
   * @throws IOException if a file cannot be read
   */
  public static Data read(String source, Vocabulary vocabulary, Settings settings)
      throws IOException {
    if (isReadOnce(source)) {
      throw new Failure(
          String.format(
              Locale.ROOT,
              "%s can be read but once, and the run keeps no copy of its text: put the same text into a file, and say"
                  + " with --data where it is",
              source));
    }
    if (!source.equals(GENERATED)) {
      var cut = settings.tokenizer();
      return new Data(Corpus.read(Path.of(source), vocabulary, cut::cut), Optional.empty());
    }
    var data = generated(settings);
    if (!data.corpus.vocabulary().equals(vocabulary)) {
      throw new Failure(
          "the model was not trained on the generated text and has another vocabulary;"
              + " give it a text with --data");
    }
    return data;
  }

  /**
   * Tells the texts that are trained and tuned on from any others.
   *
   * @return the SHA-256 of their tokens, in hexadecimal digits
   */
  String fingerprint() {
    try {
      var digest = MessageDigest.getInstance("SHA-256");
      for (var stream : List.of(corpus.train(), corpus.valid())) {
        var ids = stream.toArray();
        var bytes = ByteBuffer.allocate(Integer.BYTES * (ids.length + 1));
        bytes.putInt(ids.length).asIntBuffer().put(ids);
        digest.update(bytes.array());
      }
      return HexFormat.of().formatHex(digest.digest());
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java has SHA-256", e);
    }
  }
}
