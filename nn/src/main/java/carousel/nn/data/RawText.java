package carousel.nn.data;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;

/**
 * Texts as numbers before a vocabulary is chosen: the distinct tokens in order of first appearance,
 * and each text as indices into them. One pass over a file gives both, and a token is held as a
 * string once.
 */
final class RawText {
  /** The index of the end mark in every raw text, so that line ends can be found again. */
  static final int END = 0;

  private final TokenLevel level;
  private final UnaryOperator<String> cut;
  private final Map<String, Integer> index = new HashMap<>();
  private final List<String> tokens = new ArrayList<>();
  private int[] ids = new int[1 << 10];
  private int size;

  /** Lines are first cut, as where nothing parts words, and then fall into tokens. */
  RawText(TokenLevel level, UnaryOperator<String> cut) {
    this.level = level;
    this.cut = cut;
    intern(Vocabulary.END);
  }

  /** A file as raw indices, an end mark after each line. */
  int[] read(Path path) throws IOException {
    size = 0;
    try (var lines = TextLines.open(path)) {
      for (String line = lines.next(); line != null; line = lines.next()) {
        add(line);
      }
    }
    return Arrays.copyOf(ids, size);
  }

  /** A text as raw indices, an end mark after each line. */
  int[] read(String text) {
    size = 0;
    TextLines.split(text, this::add, this::add);
    return Arrays.copyOf(ids, size);
  }

  private void add(String line) {
    int start = size;
    level.split(cut.apply(line), token -> append(intern(token)));
    // A text that brings its own end marks gets no second ones.
    if (size == start || ids[size - 1] != END) {
      append(END);
    }
  }

  private int intern(String token) {
    var known = index.get(token);
    if (known != null) {
      return known;
    }
    index.put(token, tokens.size());
    tokens.add(token);
    return tokens.size() - 1;
  }

  private void append(int id) {
    if (size == ids.length) {
      if (size == Integer.MAX_VALUE - 8) {
        throw new CorpusException("the text has more than 2^31 tokens: take a part of it");
      }
      ids = Arrays.copyOf(ids, (int) Math.min(2L * size, Integer.MAX_VALUE - 8));
    }
    ids[size++] = id;
  }

  /** How often each token occurs in a raw text, those that do not left out. */
  Map<String, Long> count(int[] raw) {
    var counts = new long[tokens.size()];
    for (var id : raw) {
      counts[id]++;
    }
    var named = new LinkedHashMap<String, Long>();
    for (int id = 0; id < counts.length; id++) {
      if (counts[id] > 0) {
        named.put(tokens.get(id), counts[id]);
      }
    }
    return named;
  }

  /** Rewrites raw indices, in place, as a vocabulary's ids; end marks are its own, whatever their name. */
  int[] translate(int[] raw, Vocabulary vocabulary) {
    var ids = tokens.stream().mapToInt(vocabulary::idOf).toArray();
    ids[END] = Vocabulary.END_ID;
    for (int i = 0; i < raw.length; i++) {
      raw[i] = ids[raw[i]];
    }
    return raw;
  }
}
