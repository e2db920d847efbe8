package carousel.zoo.language;

import carousel.nn.data.Corpus;
import carousel.nn.data.Vocabulary;
import carousel.zoo.run.Numbers;
import java.lang.Character.UnicodeScript;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** What is likely not meant: a vocabulary that is most of the model, words that are paragraphs. */
final class Advice {
  /** More words than a text of a hundred million has after the usual preparation are rarely wanted. */
  private static final int MANY_WORDS = 50_000;

  private static final double MOST = 0.9;

  /** No language written with spaces has words of this length on average; program code comes nearest. */
  private static final double LONG_WORD = 25;

  private static final double LONG_WITHOUT_SPACES = 6;

  private Advice() {}

  /** What to say of a training before it begins, in lines: of a text that will be gone, too. */
  static List<String> of(Settings settings, Corpus corpus, long weights) {
    var lines = new ArrayList<String>();
    if (Data.isReadOnce(settings.data())) {
      lines.add(
          String.format(
              Locale.ROOT,
              "%s can be read but once: to go on with this run, or to measure its model, the same text has to be given"
                  + " in a file, with --data",
              settings.data()));
    }
    if (settings.level() != Level.WORD) {
      return lines;
    }
    words(settings, corpus, weights, lines);
    return lines;
  }

  private static void words(Settings settings, Corpus corpus, long weights, List<String> lines) {
    int before = lines.size();
    longWords(settings, corpus, lines);
    if (lines.size() == before) {
      manyWords(settings, corpus, weights, lines);
    }
  }

  private static void manyWords(
      Settings settings, Corpus corpus, long weights, List<String> lines) {
    int size = corpus.vocabulary().size();
    long ofWords = size * (2L * settings.hidden() + 1);
    if (size <= MANY_WORDS || ofWords < MOST * weights) {
      return;
    }
    var counts = counts(corpus);
    int least = settings.minCount() + 1;
    while (least < 100 && kept(counts, least) > MANY_WORDS) {
      least++;
    }
    lines.add(
        String.format(
            Locale.ROOT,
            "%s of the %s weights are those of the %s words of the vocabulary. With --min-count %d, words that"
                + " occur that often, there are %s, and %.1f %% of the text is unknown; --vocabulary N keeps the"
                + " N most frequent",
            Numbers.count(ofWords),
            Numbers.count(weights),
            Numbers.count(size),
            least,
            Numbers.count(kept(counts, least)),
            100.0 * lost(counts, least) / corpus.train().size()));
  }

  /** How often each token occurs in the training text. */
  private static long[] counts(Corpus corpus) {
    var counts = new long[corpus.vocabulary().size()];
    for (var id : corpus.train().toArray()) {
      counts[id]++;
    }
    return counts;
  }

  private static int kept(long[] counts, int least) {
    int kept = 2;
    for (int id = 2; id < counts.length; id++) {
      if (counts[id] >= least) {
        kept++;
      }
    }
    return kept;
  }

  private static long lost(long[] counts, int least) {
    long lost = counts[Vocabulary.UNKNOWN_ID];
    for (int id = 2; id < counts.length; id++) {
      if (counts[id] < least) {
        lost += counts[id];
      }
    }
    return lost;
  }

  private static void longWords(Settings settings, Corpus corpus, List<String> lines) {
    var counts = counts(corpus);
    long words = 0L;
    long characters = 0L;
    long without = 0L;
    long japanese = 0L;
    for (int id = 2; id < counts.length; id++) {
      String word = corpus.vocabulary().tokenOf(id);
      words += counts[id];
      characters += counts[id] * word.codePointCount(0, word.length());
      without += counts[id] * word.codePoints().filter(Advice::isWrittenWithoutSpaces).count();
      japanese += counts[id] * word.codePoints().filter(Advice::isKana).count();
    }
    if (words == 0) {
      return;
    }
    double length = (double) characters / words;
    boolean spaceless = without > 0.3 * characters;
    if (length <= (spaceless ? LONG_WITHOUT_SPACES : LONG_WORD)) {
      return;
    }
    String kana =
        japanese > 0.1 * characters && settings.tokenizer() == Tokenizer.SPACES
            ? ", or --tokenizer "
                + Tokenizer.KUROMOJI.label()
                + ", which knows the words of Japanese"
            : "";
    lines.add(
        String.format(
            Locale.ROOT,
            "what stands between the spaces of this text has %.0f characters on average: %s; try --level char%s",
            length,
            spaceless
                ? "its language is written without spaces between words"
                : "these are hardly words",
            kana));
  }

  private static boolean isWrittenWithoutSpaces(int c) {
    return switch (UnicodeScript.of(c)) {
      case HAN, HIRAGANA, KATAKANA, THAI, LAO, KHMER, MYANMAR, TIBETAN, JAVANESE, BALINESE -> true;
      default -> false;
    };
  }

  private static boolean isKana(int c) {
    var script = UnicodeScript.of(c);
    return script == UnicodeScript.HIRAGANA || script == UnicodeScript.KATAKANA;
  }
}
