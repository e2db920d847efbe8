package carousel.nn.data;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;
import java.util.Objects;
import java.util.function.UnaryOperator;

/**
 * A text as token ids, {@code ids [L]}: what a language model reads from left to right. Immutable.
 */
public final class TokenStream {
  private final String name;
  private final int[] ids;

  private TokenStream(String name, int[] ids) {
    this.name = name;
    this.ids = ids;
  }

  /**
   * A stream of given ids.
   *
   * @param name names the stream in errors, as a file name does
   * @param ids token ids, copied
   * @return the stream
   * @throws CorpusException if there are fewer than two: one token has nothing to predict
   */
  public static TokenStream of(String name, int... ids) {
    return owning(name, ids.clone());
  }

  /**
   * A file, whole: not cut in parts, as a corpus is, however short, and be it a pipe.
   *
   * @param file a file in UTF-8
   * @param vocabulary numbers the tokens; those it does not know become {@link Vocabulary#UNKNOWN}
   * @param cut what is done to a line before it falls into tokens; nothing, where words have spaces between them
   * @return the stream, named as the file
   * @throws CorpusException if there is none, it is not UTF-8, or has fewer than two tokens
   * @throws IOException if it cannot be read
   */
  public static TokenStream read(Path file, Vocabulary vocabulary, UnaryOperator<String> cut)
      throws IOException {
    var raw = new RawText(vocabulary.level(), cut);
    var ids = raw.translate(raw.read(file), vocabulary);
    return owning(file.toString(), ids);
  }

  /** As {@link #of}, without the copy: the caller forgets the array. */
  static TokenStream owning(String name, int[] ids) {
    if (ids.length < 2) {
      throw new CorpusException(
          String.format(
              Locale.ROOT,
              "%s: %s: a language model predicts a token from the one before it, so it needs 2 or more",
              name,
              ids.length == 0 ? "no token" : "one token only"));
    }
    return new TokenStream(Objects.requireNonNull(name), ids);
  }

  /**
   * The name that stands in errors.
   *
   * @return as given
   */
  public String name() {
    return name;
  }

  /**
   * The number of tokens, L.
   *
   * @return at least 2
   */
  public int size() {
    return ids.length;
  }

  /**
   * One token.
   *
   * @param index from 0 to {@code L − 1}
   * @return its id
   * @throws IndexOutOfBoundsException if there is none
   */
  public int id(int index) {
    return ids[Objects.checkIndex(index, ids.length)];
  }

  /**
   * A copy of the ids.
   *
   * @return [L]
   */
  public int[] toArray() {
    return ids.clone();
  }

  /**
   * The stream as N columns side by side, for truncated BPTT: {@code [L] → [L / N, N]}.
   *
   * @param batch N, at least 1
   * @return the columns, in the innermost scope
   * @throws CorpusException if a column would have fewer than two tokens
   */
  public Batchified batchify(int batch) {
    return batchify(batch, 1);
  }

  /**
   * As {@link #batchify(int)}, for windows of T steps at least one of which must be whole.
   *
   * @param batch N, at least 1
   * @param steps T, at least 1
   * @return the columns, in the innermost scope
   * @throws CorpusException if there are fewer than {@code N · (T + 1)} tokens; the message says
   *     what fits
   */
  public Batchified batchify(int batch, int steps) {
    if (batch < 1 || steps < 1) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT, "batchify: batch %d and steps %d must be 1 or more", batch, steps));
    }
    long needed = batch * (steps + 1L);
    if (ids.length < needed) {
      throw new CorpusException(tooShort(batch, steps, needed));
    }
    return Batchified.of(ids, batch);
  }

  private String tooShort(int batch, int steps, long needed) {
    String what =
        steps == 1
            ? String.format(Locale.ROOT, "batch %d", batch)
            : String.format(Locale.ROOT, "batch %d × steps %d", batch, steps);
    var remedies = new StringBuilder();
    int fittingBatch = (int) (ids.length / (steps + 1L));
    int fittingSteps = ids.length / batch - 1;
    if (fittingBatch >= 1) {
      remedies.append(String.format(Locale.ROOT, "lower batch to %d or less, ", fittingBatch));
    }
    if (fittingSteps >= 1 && steps > 1) {
      remedies.append(String.format(Locale.ROOT, "lower steps to %d or less, ", fittingSteps));
    }
    if (remedies.isEmpty()) {
      remedies.append("lower both, ");
    }
    return String.format(
        Locale.ROOT,
        "%s: the text is too short for %s: %d tokens are needed, there are %d; %sor take a longer text",
        name,
        what,
        needed,
        ids.length,
        remedies);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof TokenStream that
        && name.equals(that.name)
        && Arrays.equals(ids, that.ids);
  }

  @Override
  public int hashCode() {
    return 31 * name.hashCode() + Arrays.hashCode(ids);
  }

  @Override
  public String toString() {
    return String.format(Locale.ROOT, "TokenStream[%s, %d tokens]", name, ids.length);
  }
}
