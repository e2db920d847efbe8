package carousel.zoo.language;

import carousel.nn.data.TokenLevel;
import carousel.zoo.data.grammar.Grammar;
import carousel.zoo.data.grammar.Verdict;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;

/** A few lines that a model writes, and where the grammar is known how many of them are right. */
final class Samples {
  private static final int SHOWN = 5;
  private static final int JUDGED = 200;
  private static final int LONGEST_WORDS = 60;
  private static final int LONGEST_CHARACTERS = 200;

  private Samples() {}

  /** Lines to print. */
  static List<String> of(Sampler sampler, Data data, Tokenizer tokenizer) {
    var vocabulary = data.corpus().vocabulary();
    boolean words = vocabulary.level() == TokenLevel.WORD;
    var sentences =
        sampler.sentences(
            data.grammar().isPresent() ? JUDGED : SHOWN,
            words ? LONGEST_WORDS : LONGEST_CHARACTERS);
    var lines = new ArrayList<>(List.of("generated"));
    for (var ids : sentences.subList(0, SHOWN)) {
      lines.add("  " + Prose.of(vocabulary, tokenizer, ids));
    }
    data.grammar()
        .ifPresent(grammar ->
            lines.add(
                judgement(
                    grammar,
                    sentences.stream()
                        .map(ids -> Arrays.stream(ids).mapToObj(vocabulary::tokenOf).toList())
                        .toList())));
    return lines;
  }

  private static String judgement(Grammar grammar, List<List<String>> sentences) {
    var kinds = new LinkedHashMap<Verdict.Kind, Integer>();
    for (var kind : Verdict.Kind.values()) {
      kinds.put(kind, 0);
    }
    for (var sentence : sentences) {
      kinds.merge(grammar.check(sentence).kind(), 1, Integer::sum);
    }
    return String.format(
        Locale.ROOT,
        "%d of %d such sentences are grammatical; %d have a word of the wrong number, %d a word out of place, %d no end",
        kinds.get(Verdict.Kind.GRAMMATICAL),
        sentences.size(),
        kinds.get(Verdict.Kind.DISAGREEMENT),
        kinds.get(Verdict.Kind.MISPLACED),
        kinds.get(Verdict.Kind.UNFINISHED));
  }
}
