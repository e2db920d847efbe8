package carousel.zoo.data.grammar;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import carousel.nn.data.Vocabulary;
import carousel.tensor.Philox;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class AgreementTest {
  private static final Grammar GRAMMAR = Grammar.agreement();

  @Test
  void hasTheSizeAndTheEntropyItIsMeantToHave() {
    assertThat(GRAMMAR.words()).hasSize(200).doesNotHaveDuplicates();
    assertThat(GRAMMAR.bestPerplexity()).isBetween(8.0, 15.0);
    assertThat(GRAMMAR.meanLength()).isBetween(8.0, 12.0);
  }

  /**
   * The strong law on the formula: the mean surprisal of sampled text per token is the analytic
   * entropy, within four standard errors of the ratio estimate.
   */
  @Test
  void sampledTextHasTheAnalyticEntropy() {
    var random = Philox.of(7);
    double entropy = GRAMMAR.entropyPerToken();
    int sentences = 60_000;
    double nats = 0, tokens = 0, squares = 0;
    for (int i = 0; i < sentences; i++) {
      var sentence = GRAMMAR.sentence(random);
      double surprisal = Arrays.stream(GRAMMAR.surprisal(sentence)).sum();
      assertThat(surprisal).isFinite();
      nats += surprisal;
      tokens += sentence.size() + 1;
      squares += Math.pow(surprisal - entropy * (sentence.size() + 1), 2);
    }
    double error = Math.sqrt(squares) / tokens;
    assertThat(error).isLessThan(0.002);
    assertThat(nats / tokens).isCloseTo(entropy, within(4 * error));
    assertThat(tokens / sentences - 1).isCloseTo(GRAMMAR.meanLength(), within(0.15));
  }

  /**
   * One derivation per sentence, counted: with the word lists cut to two each, every derivation of
   * at most seven words gives another sentence, and their probabilities sum to that of the lengths,
   * which is found without any sentence.
   */
  @Test
  void everyShortSentenceHasOneDerivation() throws IOException {
    var grammar = Grammar.parse(withTwoWordsPerList());
    int longest = 7;
    var derived = derivations(grammar, longest);
    assertThat(derived).hasSizeGreaterThan(20_000);
    assertThat(new HashSet<>(derived)).hasSameSizeAs(derived);
    double sum = derived.stream().mapToDouble(s -> Math.exp(grammar.logProbability(s))).sum();
    var byLength = lengths(grammar, longest);
    assertThat(sum).isCloseTo(Arrays.stream(byLength).sum(), within(1e-9)).isGreaterThan(0.1);
  }

  private static String withTwoWordsPerList() throws IOException {
    try (var input = Grammar.class.getResourceAsStream("agreement.grammar")) {
      String text =
          new String(Objects.requireNonNull(input).readAllBytes(), StandardCharsets.UTF_8);
      return text.lines()
          .filter(line -> !line.startsWith("#"))
          .collect(Collectors.joining("\n", "", "\n"))
          .replaceAll("~((?:\\s+\\S+){2})(?:\\s+[a-z]+(?:/[a-z]+)?(?=\\s))*\\n", "~$1\n");
    }
  }

  /** Every derivation of at most {@code longest} words, as the sentence it gives. */
  private static List<List<String>> derivations(Grammar grammar, int longest) {
    record State(List<String> words, List<Rule.Symbol> pending) {}
    var shortest = shortest(grammar);
    String start = grammar.rules().keySet().iterator().next();
    var open = new ArrayDeque<State>();
    open.push(new State(List.of(), List.of(new Rule.Symbol(start, false))));
    var done = new ArrayList<List<String>>();
    while (!open.isEmpty()) {
      var state = open.pop();
      int least = state.words().size();
      for (var symbol : state.pending()) {
        least += symbol.isWord() ? 1 : at(shortest, symbol.name());
      }
      if (least > longest) {
        continue;
      }
      if (state.pending().isEmpty()) {
        done.add(state.words());
        continue;
      }
      var symbol = state.pending().getFirst();
      var rest = state.pending().subList(1, state.pending().size());
      if (symbol.isWord()) {
        open.push(new State(concat(state.words(), List.of(symbol.name())), rest));
      } else {
        for (var rule : at(grammar.rules(), symbol.name())) {
          open.push(new State(state.words(), concat(rule.right(), rest)));
        }
      }
    }
    return done;
  }

  private static <T> List<T> concat(List<T> a, List<T> b) {
    var both = new ArrayList<>(a);
    both.addAll(b);
    return both;
  }

  private static <V> V at(Map<String, V> map, String key) {
    return Objects.requireNonNull(map.get(key));
  }

  private static Map<String, Integer> shortest(Grammar grammar) {
    var shortest = new HashMap<String, Integer>();
    for (var name : grammar.rules().keySet()) {
      shortest.put(name, 1000);
    }
    for (boolean changed = true; changed; ) {
      changed = false;
      for (var rules : grammar.rules().values()) {
        for (var rule : rules) {
          int sum = 0;
          for (var s : rule.right()) {
            sum += s.isWord() ? 1 : at(shortest, s.name());
          }
          if (sum < at(shortest, rule.left())) {
            shortest.put(rule.left(), sum);
            changed = true;
          }
        }
      }
    }
    return shortest;
  }

  /** p(length = k) for k up to {@code longest}, as the fixed point of the generating functions. */
  private static double[] lengths(Grammar grammar, int longest) {
    var known = new HashMap<String, double[]>();
    for (var name : grammar.rules().keySet()) {
      known.put(name, new double[longest + 1]);
    }
    for (int round = 0; round < 200; round++) {
      for (var name : grammar.rules().keySet()) {
        var total = new double[longest + 1];
        for (var rule : at(grammar.rules(), name)) {
          var product = new double[longest + 1];
          product[0] = rule.probability();
          for (var s : rule.right()) {
            var factor = new double[longest + 1];
            if (s.isWord()) {
              factor[1] = 1;
            } else {
              factor = at(known, s.name());
            }
            product = times(product, factor);
          }
          for (int k = 0; k <= longest; k++) {
            total[k] += product[k];
          }
        }
        known.put(name, total);
      }
    }
    return at(known, grammar.rules().keySet().iterator().next());
  }

  private static double[] times(double[] a, double[] b) {
    var product = new double[a.length];
    for (int i = 0; i < a.length; i++) {
      for (int j = 0; i + j < a.length; j++) {
        product[i + j] += a[i] * b[j];
      }
    }
    return product;
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "the key is rusty | GRAMMATICAL | 4",
        "the keys is rusty | DISAGREEMENT | 2",
        "the keys near the cabinet beside the doors are rusty | GRAMMATICAL | 10",
        "the keys near the cabinet beside the doors is rusty | DISAGREEMENT | 8",
        "the key near the cabinets beside the doors are rusty | DISAGREEMENT | 8",
        "many birds that the old sailor feeds sleep outside | GRAMMATICAL | 9",
        "many birds that the old sailor feeds sleeps outside | DISAGREEMENT | 7",
        "many birds that the old sailor feed sleep outside | DISAGREEMENT | 6",
        "every bird that sees the dogs sleeps and likes the garden | GRAMMATICAL | 11",
        "every bird that sees the dogs sleeps and like the garden | DISAGREEMENT | 8",
        "every birds sleep | DISAGREEMENT | 1",
        "near the door , the dogs look old | GRAMMATICAL | 8",
        "the the dog sleeps | MISPLACED | 1",
        "the dog sees | UNFINISHED | 3",
        "the dog sleeps dog | MISPLACED | 3",
        "the zebra sleeps | MISPLACED | 1",
      })
  void judgesSentences(String sentence, Verdict.Kind kind, int position) {
    var words = List.of(sentence.split(" "));
    var verdict = GRAMMAR.check(words);
    assertThat(verdict.kind()).isEqualTo(kind);
    assertThat(verdict.position()).isEqualTo(position);
    assertThat(verdict.isGrammatical()).isEqualTo(GRAMMAR.logProbability(words) > -1e9);
  }

  /** A verb in its other form is always wrong, and always found right there. */
  @Test
  void everyVerbAgrees() {
    var other = new HashMap<String, String>();
    for (var kind : List.of("transitive", "intransitive", "copula", "linking")) {
      var one = at(GRAMMAR.rules(), kind + ".sg");
      var many = at(GRAMMAR.rules(), kind + ".pl");
      for (int i = 0; i < one.size(); i++) {
        String a = one.get(i).right().getFirst().name();
        String b = many.get(i).right().getFirst().name();
        other.put(a, b);
        other.put(b, a);
      }
    }
    var random = Philox.of(11);
    int swapped = 0;
    for (int i = 0; i < 2000; i++) {
      var sentence = GRAMMAR.sentence(random);
      assertThat(GRAMMAR.check(sentence).isGrammatical()).isTrue();
      for (int t = 0; t < sentence.size(); t++) {
        String twin = other.get(sentence.get(t));
        if (twin == null) {
          continue;
        }
        var wrong = new ArrayList<>(sentence);
        wrong.set(t, twin);
        var verdict = GRAMMAR.check(wrong);
        assertThat(verdict.kind()).as("%s", wrong).isEqualTo(Verdict.Kind.DISAGREEMENT);
        assertThat(verdict.position()).isEqualTo(t);
        swapped++;
      }
    }
    assertThat(swapped).isGreaterThan(2000);
  }

  @Test
  void oneSeedGivesOneCorpus() {
    var corpus = GRAMMAR.corpus(1, 20_000, 2_000, 1_000);
    assertThat(corpus).isEqualTo(GRAMMAR.corpus(1, 20_000, 2_000, 1_000));
    assertThat(corpus.train()).isNotEqualTo(GRAMMAR.corpus(2, 20_000, 2_000, 1_000).train());
    assertThat(corpus.valid()).isEqualTo(GRAMMAR.corpus(1, 500, 2_000, 10).valid());
    assertThat(corpus.train().size()).isBetween(20_000, 20_100);
    assertThat(corpus.valid().size()).isBetween(2_000, 2_100);
    assertThat(corpus.test().size()).isBetween(1_000, 1_100);
    assertThat(corpus.vocabulary().size()).isEqualTo(202);
    assertThat(corpus.train().toArray()).doesNotContain(Vocabulary.UNKNOWN_ID);
  }

  @Test
  void theTextOfACorpusIsGrammatical() {
    var corpus = GRAMMAR.corpus(3, 10, 10, 5_000);
    String text = corpus.vocabulary().decode(corpus.test().toArray());
    assertThat(text).endsWith("\n");
    assertThat(text.lines())
        .allMatch(line -> GRAMMAR.check(List.of(line.split(" ", -1))).isGrammatical());
  }

  /**
   * What makes the task one for a recurrent network: who takes the number of the noun next before a
   * verb for that of its subject is often wrong.
   */
  @Test
  void theNearestNounIsOftenNotTheSubject() {
    var nouns = new HashMap<String, String>();
    var verbs = new HashMap<String, String>();
    for (var number : List.of(".sg", ".pl")) {
      for (var rule : at(GRAMMAR.rules(), "noun" + number)) {
        nouns.put(rule.right().getFirst().name(), number);
      }
      for (var kind : List.of("transitive", "intransitive", "copula", "linking")) {
        for (var rule : at(GRAMMAR.rules(), kind + number)) {
          verbs.put(rule.right().getFirst().name(), number);
        }
      }
    }
    var random = Philox.of(13);
    int count = 0;
    int misled = 0;
    for (int i = 0; i < 5000; i++) {
      String nearest = "";
      for (var word : GRAMMAR.sentence(random)) {
        nearest = nouns.getOrDefault(word, nearest);
        if (verbs.containsKey(word)) {
          count++;
          if (!nearest.equals(verbs.get(word))) {
            misled++;
          }
        }
      }
    }
    assertThat(misled / (double) count).isBetween(0.1, 0.5);
  }
}
