package carousel.zoo.data.grammar;

import carousel.nn.data.Corpus;
import carousel.nn.data.TokenLevel;
import carousel.nn.data.TokenStream;
import carousel.nn.data.Vocabulary;
import carousel.tensor.Philox;
import carousel.zoo.data.grammar.Rule.Symbol;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/**
 * A probabilistic context-free grammar in which every sentence has one derivation, so that what a
 * perfect language model would score on its text is known exactly: {@code log p(sentence) = Σ log
 * p(rule)} over the rules of the derivation, and {@code entropyPerToken = H / (L + 1)} with H the
 * entropy of a sentence and L its mean length in words, one end mark more.
 *
 * <p>That there is one derivation is not assumed but checked when the grammar is made, by building
 * its LL(1) table. Immutable; entropies in nats.
 */
public final class Grammar {
  /** Stands after the last word of a sentence. */
  public static final String END = Vocabulary.END;

  private final Map<String, List<Rule>> rules;
  private final Map<String, String> twins;
  private final String start;
  private final PredictiveTable table;
  private final ExpectedCounts expected;
  private final Set<String> words = new LinkedHashSet<>();

  Grammar(Map<String, List<Rule>> rules, Map<String, String> twins) {
    if (rules.isEmpty()) {
      throw new GrammarException("a grammar needs at least one rule");
    }
    this.rules = new LinkedHashMap<>(rules);
    this.twins = new LinkedHashMap<>(twins);
    this.start = this.rules.keySet().iterator().next();
    checkNames();
    table = new PredictiveTable(this.rules, start);
    expected = new ExpectedCounts(this.rules, start);
  }

  /** Every name that is used is defined and every one that is defined is used. */
  private void checkNames() {
    var used = new LinkedHashSet<>(Set.of(start));
    for (var alternatives : rules.values()) {
      for (var rule : alternatives) {
        for (var symbol : rule.right()) {
          if (symbol.isWord()) {
            words.add(symbol.name());
          } else {
            used.add(symbol.name());
            if (!rules.containsKey(symbol.name())) {
              throw new GrammarException(
                  String.format(Locale.ROOT, "%s: %s is not defined", rule.left(), symbol.name()));
            }
          }
        }
      }
    }
    for (var name : rules.keySet()) {
      if (!used.contains(name)) {
        throw new GrammarException(name + " is not used");
      }
    }
    if (words.contains(END)) {
      throw new GrammarException(END + " is no word");
    }
  }

  /**
   * The grammar that the project trains on by default: English-like sentences of 200 words whose
   * verbs agree in number with subjects that may stand far before them, across prepositional
   * phrases and relative clauses.
   *
   * @return the grammar
   */
  public static Grammar agreement() {
    try (var input = Grammar.class.getResourceAsStream("agreement.grammar")) {
      if (input == null) {
        throw new IllegalStateException("agreement.grammar is missing");
      }
      return parse(new String(input.readAllBytes(), StandardCharsets.UTF_8));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /**
   * A grammar in the notation that is explained at the head of {@code agreement.grammar}.
   *
   * @param text the rules, the start first
   * @return the grammar
   * @throws GrammarException if it is misspelt, is not LL(1), or its recursion does not end on
   *     average
   */
  public static Grammar parse(String text) {
    return GrammarText.parse(text);
  }

  Map<String, List<Rule>> rules() {
    return rules;
  }

  /**
   * All words, in the order of the grammar, without {@link #END}.
   *
   * @return not modifiable
   */
  public List<String> words() {
    return List.copyOf(words);
  }

  /**
   * The mean length of a sentence, L.
   *
   * @return in words, the end mark not counted
   */
  public double meanLength() {
    return expected.length();
  }

  /**
   * The entropy of the text per token, {@code H / (L + 1)}: the cross-entropy of a model that knows
   * the grammar, which no model undercuts on a long text.
   *
   * @return nats per token, end marks counted as tokens
   */
  public double entropyPerToken() {
    return expected.entropy() / (expected.length() + 1);
  }

  /**
   * The perplexity of a model that knows the grammar, {@code exp(entropyPerToken)}.
   *
   * @return at least 1
   */
  public double bestPerplexity() {
    return Math.exp(entropyPerToken());
  }

  /**
   * A random sentence, drawn by the probabilities of the grammar.
   *
   * @param random makes the choices
   * @return its words
   */
  public List<String> sentence(Philox random) {
    var sentence = new ArrayList<String>();
    var pending = new ArrayDeque<Symbol>();
    pending.push(new Symbol(start, false));
    while (!pending.isEmpty()) {
      var symbol = pending.pop();
      if (symbol.isWord()) {
        sentence.add(symbol.name());
      } else {
        draw(symbol.name(), random.nextDouble()).right().reversed().forEach(pending::push);
      }
    }
    return sentence;
  }

  /**
   * Random text, one sentence per line.
   *
   * @param tokens the least number of tokens, end marks included; whole sentences are drawn until
   *     it is reached
   * @param random makes the choices
   * @return the lines
   */
  public String text(int tokens, Philox random) {
    var text = new StringBuilder();
    for (int count = 0; count < tokens; ) {
      var sentence = sentence(random);
      text.append(String.join(" ", sentence)).append('\n');
      count += sentence.size() + 1;
    }
    return text.toString();
  }

  /**
   * A corpus to train on. Its three texts are drawn from streams of their own, so that a longer
   * training text leaves the others as they are; its vocabulary is that of the grammar, so that no
   * word is unknown and {@link #entropyPerToken} is what a perfect model scores.
   *
   * @param seed decides the texts
   * @param train the least number of tokens to train on
   * @param valid the least number of tokens to tune on
   * @param test the least number of tokens to report on
   * @return the corpus
   */
  public Corpus corpus(long seed, int train, int valid, int test) {
    var tokens = new ArrayList<>(List.of(Vocabulary.UNKNOWN, Vocabulary.END));
    tokens.addAll(words);
    var vocabulary = Vocabulary.of(TokenLevel.WORD, tokens);
    var random = Philox.of(seed);
    return new Corpus(
        vocabulary,
        stream("generated train", vocabulary, text(train, random.split(0))),
        stream("generated valid", vocabulary, text(valid, random.split(1))),
        stream("generated test", vocabulary, text(test, random.split(2))));
  }

  private static TokenStream stream(String name, Vocabulary vocabulary, String text) {
    return TokenStream.of(name, vocabulary.encode(text));
  }

  private Rule draw(String name, double uniform) {
    var alternatives = rules.getOrDefault(name, List.of());
    double below = uniform;
    for (var rule : alternatives) {
      below -= rule.probability();
      if (below < 0) {
        return rule;
      }
    }
    return alternatives.getLast(); // the probabilities sum to 1 but for rounding
  }

  /**
   * How unlikely each word is given those before it: {@code −log p(w_t | w_1 … w_{t−1})}, and at
   * last that of the end mark.
   *
   * @param sentence its words, n of them
   * @return [n + 1] in nats; from the first word on that cannot stand where it does, infinite
   */
  public double[] surprisal(List<String> sentence) {
    var nats = new double[sentence.size() + 1];
    Arrays.fill(nats, Double.POSITIVE_INFINITY);
    var reading = new Reading(sentence);
    for (int t = 0; t < nats.length; t++) {
      nats[t] = reading.next();
      if (nats[t] == Double.POSITIVE_INFINITY) {
        break;
      }
    }
    return nats;
  }

  /**
   * The probability of a sentence, {@code Σ log p(rule)} over its derivation.
   *
   * @param sentence its words
   * @return in nats, negative infinity if it is not grammatical
   */
  public double logProbability(List<String> sentence) {
    return -Arrays.stream(surprisal(sentence)).sum();
  }

  /**
   * Whether a sentence is grammatical, and what is wrong with it first if not.
   *
   * @param sentence its words
   * @return the verdict
   */
  public Verdict check(List<String> sentence) {
    var reading = new Reading(sentence);
    for (int t = 0; t <= sentence.size(); t++) {
      if (reading.next() < Double.POSITIVE_INFINITY) {
        continue;
      }
      String word = t < sentence.size() ? sentence.get(t) : END;
      var possible = table.expected(reading.pending);
      String twin = twins.get(word);
      var kind =
          t == sentence.size()
              ? Verdict.Kind.UNFINISHED
              : twin != null && possible.contains(twin)
                  ? Verdict.Kind.DISAGREEMENT
                  : Verdict.Kind.MISPLACED;
      return new Verdict(kind, t, possible);
    }
    return Verdict.grammatical(sentence);
  }

  /** A sentence read from left to right; what is still to come is a stack of symbols. */
  private final class Reading {
    final ArrayDeque<Symbol> pending = new ArrayDeque<>(List.of(new Symbol(start, false)));
    private final List<String> sentence;
    private int position;

    Reading(List<String> sentence) {
      this.sentence = sentence;
    }

    /**
     * Reads the next word, or the end mark after the last, and returns its surprisal; infinite, and
     * nothing read, if it cannot stand here.
     */
    double next() {
      boolean atEnd = position == sentence.size();
      String word = atEnd ? END : sentence.get(position);
      var before = new ArrayDeque<>(pending);
      double nats = 0.0;
      while (!pending.isEmpty()) {
        var symbol = pending.pop();
        var rule = symbol.isWord() ? null : table.rule(symbol.name(), word);
        if (rule != null) {
          nats -= Math.log(rule.probability());
          rule.right().reversed().forEach(pending::push);
        } else if (symbol.isWord() && symbol.name().equals(word)) {
          position++;
          return nats;
        } else {
          return unread(before);
        }
      }
      return atEnd ? nats : unread(before);
    }

    private double unread(ArrayDeque<Symbol> before) {
      pending.clear();
      pending.addAll(before);
      return Double.POSITIVE_INFINITY;
    }
  }
}
