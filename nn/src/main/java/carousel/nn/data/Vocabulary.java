package carousel.nn.data;

import carousel.nn.io.AtomicFile;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalInt;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;

/**
 * The tokens a model knows and their numbers: {@code token ↔ id}, ids {@code 0 … size − 1}.
 *
 * <p>Id 0 is {@value #UNKNOWN}, which stands for every token that is not known, and id 1 is {@value
 * #END}, which ends a line; then follow the tokens of the text, the most frequent first and equals
 * in the order of {@link String#compareTo}. So the order depends on the counts alone, never on
 * where a token stood. Other names for these two, and tokens for padding and for a start, come with {@link
 * #withSpecials}.
 *
 * <p>Immutable.
 */
public final class Vocabulary {
  /** Stands for a token that is not in the vocabulary. */
  public static final String UNKNOWN = "<unk>";

  /** Ends a line. */
  public static final String END = "<eos>";

  /** The id of {@link #UNKNOWN}. */
  public static final int UNKNOWN_ID = 0;

  /** The id of {@link #END}. */
  public static final int END_ID = 1;

  /** An unknown character, as Unicode writes it. */
  private static final String REPLACEMENT = "\uFFFD";

  private final TokenLevel level;
  private final SpecialTokens specials;
  private final List<String> tokens;
  private final Map<String, Integer> ids;

  private Vocabulary(TokenLevel level, SpecialTokens specials, List<String> tokens) {
    this.level = level;
    this.specials = specials;
    this.tokens = List.copyOf(tokens);
    this.ids = HashMap.newHashMap(tokens.size());
    for (int id = 0; id < tokens.size(); id++) {
      String token = tokens.get(id);
      check(level, token, id, specials.names().size());
      if (ids.put(token, id) != null) {
        throw new CorpusException(
            String.format(Locale.ROOT, "vocabulary: the token \"%s\" occurs twice", token));
      }
    }
    var names = specials.names();
    if (!this.tokens.subList(0, Math.min(names.size(), tokens.size())).equals(names)) {
      throw new CorpusException("vocabulary: it must begin with " + String.join(" and ", names));
    }
    if (tokens.size() == names.size()) {
      throw new CorpusException("vocabulary: no tokens but " + String.join(" and ", names));
    }
  }

  private static void check(TokenLevel level, String token, int id, int specials) {
    if (token.codePoints().anyMatch(c -> c >= 0xD800 && c <= 0xDFFF)) {
      throw new CorpusException(
          String.format(Locale.ROOT, "vocabulary: token %d holds half of a surrogate pair", id));
    }
    if (id < specials) {
      return;
    }
    var parts = new ArrayList<String>();
    level.split(token, parts::add);
    if (!parts.equals(List.of(token))) {
      throw new CorpusException(
          String.format(
              Locale.ROOT,
              "vocabulary: token %d, \"%s\", is not one %s",
              id,
              VocabularyFile.escape(token),
              level == TokenLevel.WORD ? "word" : "character"));
    }
  }

  /**
   * A vocabulary of given tokens, in the given order.
   *
   * @param level what a token is
   * @param tokens all of them: {@link #UNKNOWN}, {@link #END}, then at least one other
   * @return the vocabulary
   * @throws CorpusException if the first two are others, a token occurs twice, or a token is not
   *     one word or one character
   */
  public static Vocabulary of(TokenLevel level, List<String> tokens) {
    return of(level, SpecialTokens.standard(), tokens);
  }

  /** The same with other special tokens, with which the list begins. */
  static Vocabulary of(TokenLevel level, SpecialTokens specials, List<String> tokens) {
    return new Vocabulary(level, specials, tokens);
  }

  /**
   * This vocabulary with other special tokens. All others keep their order, and their ids are behind these; one that has
   * the name of a special token is that token from now on.
   *
   * @param wanted what the first ids stand for
   * @return the vocabulary; it is larger by as many special tokens as there are more
   * @throws CorpusException if no other token is left
   */
  public Vocabulary withSpecials(SpecialTokens wanted) {
    var all = new ArrayList<>(wanted.names());
    for (var token : tokens.subList(specials.names().size(), tokens.size())) {
      if (!wanted.names().contains(token)) {
        all.add(token);
      }
    }
    return new Vocabulary(level, wanted, all);
  }

  /**
   * A vocabulary of counted tokens: those that occur {@code minCount} times or more, the most
   * frequent first, until there are {@code maxSize} with the two that are always there. The character
   * U+FFFD is none of them: it is how an unknown one is written, and is read as that.
   *
   * @param level what a token is
   * @param counts how often each token occurs; {@link #UNKNOWN} and {@link #END} may be among them
   * @param maxSize the largest size, at least 3
   * @param minCount the smallest count, at least 1
   * @return the vocabulary
   * @throws CorpusException if no token is left
   */
  public static Vocabulary of(
      TokenLevel level, Map<String, Long> counts, int maxSize, int minCount) {
    if (maxSize < 3 || minCount < 1) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "vocabulary: maxSize %d must be at least 3, minCount %d at least 1",
              maxSize,
              minCount));
    }
    var order =
        Comparator.comparing(Map.Entry<String, Long>::getValue)
            .reversed()
            .thenComparing(Map.Entry::getKey);
    var tokens = new ArrayList<>(List.of(UNKNOWN, END));
    counts.entrySet().stream()
        .filter(e -> e.getValue() >= minCount)
        .filter(e -> !e.getKey().equals(UNKNOWN) && !e.getKey().equals(END))
        .filter(e -> level == TokenLevel.WORD || !e.getKey().equals(REPLACEMENT))
        .sorted(order)
        .limit(maxSize - 2L)
        .forEach(e -> tokens.add(e.getKey()));
    if (tokens.size() == 2 && !counts.isEmpty()) {
      throw new CorpusException(
          String.format(
              Locale.ROOT, "vocabulary: no token occurs %d times: lower minCount", minCount));
    }
    return of(level, tokens);
  }

  /**
   * The vocabulary of a text, whole.
   *
   * @param level what a token is
   * @param text the text
   * @return the vocabulary
   * @throws CorpusException if the text has no tokens
   */
  public static Vocabulary ofText(TokenLevel level, String text) {
    var raw = new RawText(level, UnaryOperator.identity());
    return of(level, raw.count(raw.read(text)), Integer.MAX_VALUE, 1);
  }

  /**
   * What the first ids stand for.
   *
   * @return the special tokens
   */
  public SpecialTokens specials() {
    return specials;
  }

  /**
   * The id that fills up rows, as {@link carousel.nn.layer.Embedding} takes it.
   *
   * @return empty if there is no such token
   */
  public OptionalInt padding() {
    return specials.padding().map(this::idOf).map(OptionalInt::of).orElseGet(OptionalInt::empty);
  }

  /**
   * The id that starts a sequence.
   *
   * @return empty if there is no such token
   */
  public OptionalInt start() {
    return specials.start().map(this::idOf).map(OptionalInt::of).orElseGet(OptionalInt::empty);
  }

  /**
   * Whether an id is that of a special token.
   *
   * @param id any number
   * @return true for what is not known, the end, padding and start
   */
  public boolean isSpecial(int id) {
    return id >= 0 && id < specials.names().size();
  }

  /**
   * What a token is.
   *
   * @return word or character
   */
  public TokenLevel level() {
    return level;
  }

  /**
   * The number of tokens, {@link #UNKNOWN} and {@link #END} included.
   *
   * @return at least 3
   */
  public int size() {
    return tokens.size();
  }

  /**
   * All tokens.
   *
   * @return in the order of their ids, not modifiable
   */
  public List<String> tokens() {
    return tokens;
  }

  /**
   * The id of a token.
   *
   * @param token any token
   * @return {@link #UNKNOWN_ID} for one that is not known
   */
  public int idOf(String token) {
    return ids.getOrDefault(token, UNKNOWN_ID);
  }

  /**
   * Whether a token is known.
   *
   * @param token any token
   * @return true if it has an id of its own
   */
  public boolean contains(String token) {
    return ids.containsKey(token);
  }

  /**
   * What of a text is not known.
   *
   * @param text any text
   * @return its tokens that {@link #encode} makes {@link #UNKNOWN_ID}, each once, in order
   */
  public List<String> unknown(String text) {
    var unknown = new LinkedHashSet<String>();
    Consumer<String> look =
        line ->
            level.split(
                line,
                token -> {
                  if (!contains(token)) {
                    unknown.add(token);
                  }
                });
    TextLines.split(text, look, look);
    return List.copyOf(unknown);
  }

  /**
   * The token of an id.
   *
   * @param id from 0 to {@code size − 1}
   * @return the token
   * @throws IndexOutOfBoundsException if there is no such id
   */
  public String tokenOf(int id) {
    if (id < 0 || id >= tokens.size()) {
      throw new IndexOutOfBoundsException(
          String.format(Locale.ROOT, "vocabulary: id %d, there are %d tokens", id, tokens.size()));
    }
    return tokens.get(id);
  }

  /**
   * A text as ids, {@link #END_ID} at each line end: {@code "a b\nc" → a b <eos> c}. The end of the
   * text is a line end only where it is written, and no start token is put before it: as a language model reads a text.
   * For a sequence by itself there is {@link #encodeSequence}.
   *
   * @param text any text
   * @return the ids
   */
  public int[] encode(String text) {
    var encoded = new ArrayList<Integer>();
    TextLines.split(
        text,
        line -> {
          level.split(line, token -> encoded.add(idOf(token)));
          encoded.add(END_ID);
        },
        rest -> level.split(rest, token -> encoded.add(idOf(token))));
    return encoded.stream().mapToInt(Integer::intValue).toArray();
  }

  /**
   * One sequence as ids, from its start to its end: {@code "a b" → <s> a b <eos>}, without the first where there is no
   * {@linkplain #start start token}. A decoder reads this without its last, and is to say this without its first.
   *
   * @param text one line; a line end behind it changes nothing
   * @return the ids
   * @throws CorpusException if there is a line end within the text: its lines are sequences by themselves
   */
  public int[] encodeSequence(String text) {
    var lines = new ArrayList<String>();
    TextLines.split(text, lines::add, lines::add);
    if (lines.size() > 1) {
      throw new CorpusException(
          "vocabulary: a sequence is one line, got "
              + lines.size()
              + "; encode each by itself, or the text as a whole with encode");
    }
    var ids = IntStream.builder();
    start().ifPresent(ids::add);
    lines.forEach(line -> level.split(line, token -> ids.add(idOf(token))));
    return ids.add(END_ID).build().toArray();
  }

  /**
   * Ids as text, all of them, wherever a sequence ends: words with a space between them, characters without; {@link
   * #END_ID} as a line end, padding and start as their names, an unknown character as U+FFFD. Inverse of {@link #encode}
   * but for white space between words and for tokens that are not known. {@link #decodeSequence} stops where a sequence
   * ends.
   *
   * @param ids each from 0 to {@code size − 1}
   * @return the text
   * @throws IndexOutOfBoundsException if there is no such id
   */
  public String decode(int... ids) {
    var text = new StringBuilder();
    for (int i = 0; i < ids.length; i++) {
      String token = tokenOf(ids[i]);
      if (ids[i] == END_ID) {
        text.append('\n');
      } else if (level == TokenLevel.CHARACTER) {
        text.append(ids[i] == UNKNOWN_ID ? REPLACEMENT : token);
      } else {
        if (i > 0 && ids[i - 1] != END_ID) {
          text.append(' ');
        }
        text.append(token);
      }
    }
    return text.toString();
  }

  /**
   * The text of one sequence, up to its end: {@code <s> a b <eos> c → "a b"}. A start token at the beginning is left out,
   * and what stands behind the first {@link #END_ID} or the first padding is not looked at. Without either all is text.
   * Inverse of {@link #encodeSequence} as {@link #decode} is of {@link #encode}.
   *
   * @param ids each up to the end from 0 to {@code size − 1}
   * @return the text, without a line end
   * @throws IndexOutOfBoundsException if there is no such id
   */
  public String decodeSequence(int... ids) {
    int from = ids.length > 0 && start().equals(OptionalInt.of(ids[0])) ? 1 : 0;
    int to = from;
    while (to < ids.length && ids[to] != END_ID && !padding().equals(OptionalInt.of(ids[to]))) {
      to++;
    }
    return decode(Arrays.copyOfRange(ids, from, to));
  }

  /**
   * Ids as text without the special tokens, wherever they stand; what is behind an end is text like any other. For a
   * person to read, or to compare with a text. {@link #decodeSequence} stops at the end, and keeps what stands for a token
   * that is not known.
   *
   * @param ids each from 0 to {@code size − 1}
   * @return what {@link #decode} makes of those that are not special
   * @throws IndexOutOfBoundsException if there is no such id
   */
  public String decodePlain(int... ids) {
    return decode(Arrays.stream(ids).filter(id -> !isSpecial(id)).toArray());
  }

  /**
   * Writes the vocabulary as a text file, atomically: a first line with the level, the size and which special tokens
   * there are, then one token per line in the order of the ids, with escapes for white space and what cannot
   * be seen.
   *
   * @param path the file to create or replace
   * @throws IOException if it cannot be written; an old file is then as it was
   */
  public void save(Path path) throws IOException {
    AtomicFile.writeString(path, VocabularyFile.format(this));
  }

  /**
   * Reads what {@link #save} writes.
   *
   * @param path the file
   * @return the vocabulary
   * @throws CorpusException if the file is missing, truncated, or holds something else
   * @throws IOException if it cannot be read
   */
  public static Vocabulary load(Path path) throws IOException {
    return VocabularyFile.read(path);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Vocabulary that
        && level == that.level
        && specials.equals(that.specials)
        && tokens.equals(that.tokens);
  }

  @Override
  public int hashCode() {
    return Objects.hash(level, specials, tokens);
  }

  @Override
  public String toString() {
    return String.format(Locale.ROOT, "Vocabulary[%s, %d tokens]", level, size());
  }
}
