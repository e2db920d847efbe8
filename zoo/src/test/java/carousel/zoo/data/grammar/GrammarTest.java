package carousel.zoo.data.grammar;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class GrammarTest {
  private static final double EXACT = 1e-12;

  @Test
  void entropyOfAGeometricLengthIsWhatTheFormulaSays() {
    // p(length n) = 2^-n: 2 choices of ln 2 nats and 2 words on average.
    var grammar = Grammar.parse("s = 0.5 'a' s | 0.5 'b'");
    assertThat(grammar.meanLength()).isCloseTo(2, within(EXACT));
    assertThat(grammar.entropyPerToken()).isCloseTo(2 * Math.log(2) / 3, within(EXACT));
    assertThat(grammar.bestPerplexity()).isCloseTo(Math.pow(2, 2.0 / 3), within(EXACT));
  }

  @Test
  void zipfWeightsAreOneOverRank() {
    var grammar = Grammar.parse("s = noun\nnoun ~ a b c");
    double harmonic = 1 + 1 / 2.0 + 1 / 3.0;
    for (int rank = 1; rank <= 3; rank++) {
      assertThat(grammar.logProbability(List.of("abc".substring(rank - 1, rank))))
          .isCloseTo(-Math.log(rank * harmonic), within(EXACT));
    }
    assertThat(grammar.words()).containsExactly("a", "b", "c");
  }

  @Test
  void weightsAreScaledAndDefaultToOne() {
    var grammar = Grammar.parse("s = 3 'a' | 'b'");
    assertThat(grammar.logProbability(List.of("a"))).isCloseTo(Math.log(0.75), within(EXACT));
    assertThat(grammar.logProbability(List.of("c"))).isEqualTo(Double.NEGATIVE_INFINITY);
    assertThat(grammar.logProbability(List.of())).isEqualTo(Double.NEGATIVE_INFINITY);
    assertThat(grammar.logProbability(List.of("a", "a"))).isEqualTo(Double.NEGATIVE_INFINITY);
  }

  @Test
  void starsStandForBothNumbers() {
    var grammar =
        Grammar.parse(
            """
            s      = 1 np.sg 'ends' | 3 np.pl 'ends'
            np.*   = noun.* verb.*
            noun.sg, noun.pl ~ dog/dogs
              cat/cats
            # a comment
            verb.sg, verb.pl ~ is/are
            """);
    assertThat(grammar.logProbability(List.of("cats", "are", "ends")))
        .isCloseTo(Math.log(0.75 / 3), within(EXACT));
    assertThat(grammar.check(List.of("cats", "is", "ends")).kind())
        .isEqualTo(Verdict.Kind.DISAGREEMENT);
  }

  @Test
  void surprisalFallsOnTheWordsThatDecide() {
    var grammar = Grammar.parse("s = 0.25 'a' | 0.75 'b' rest\nrest = 0.5 | 0.5 'c'");
    assertThat(grammar.surprisal(List.of("b", "c")))
        .containsExactly(new double[] {-Math.log(0.75), Math.log(2), 0}, within(EXACT));
    assertThat(grammar.surprisal(List.of("b")))
        .containsExactly(new double[] {-Math.log(0.75), Math.log(2)}, within(EXACT));
    assertThat(grammar.surprisal(List.of("b", "a", "c")))
        .containsExactly(
            -Math.log(0.75),
            Double.POSITIVE_INFINITY,
            Double.POSITIVE_INFINITY,
            Double.POSITIVE_INFINITY);
  }

  @Test
  void verdictsNameThePlaceAndWhatCouldStandThere() {
    var grammar = Grammar.parse("s = 0.25 'a' | 0.75 'b' rest 'd'\nrest = 0.5 | 0.5 'c'");
    assertThat(grammar.check(List.of("b", "d")).isGrammatical()).isTrue();
    assertThat(grammar.check(List.of("b", "a")))
        .isEqualTo(new Verdict(Verdict.Kind.MISPLACED, 1, Set.of("c", "d")));
    assertThat(grammar.check(List.of("b", "c")))
        .isEqualTo(new Verdict(Verdict.Kind.UNFINISHED, 2, Set.of("d")));
    assertThat(grammar.check(List.of("a", "a")))
        .isEqualTo(new Verdict(Verdict.Kind.MISPLACED, 1, Set.of("<eos>")));
    assertThat(grammar.check(List.of("a", "<eos>")).kind()).isEqualTo(Verdict.Kind.MISPLACED);
    assertThat(grammar.check(List.of()))
        .extracting(Verdict::kind, Verdict::position)
        .containsExactly(Verdict.Kind.UNFINISHED, 0);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '!',
      quoteCharacter = '`',
      value = {
        "s = s 'x' s | 'y' ! s: before 'y' both \"s = s 'x' s\" and \"s = 'y'\" apply",
        "s = 'a' | 'a' 'b' ! s: before 'a' both",
        "s = 'if' s | 'if' s 'else' s | 'x' ! two readings",
        "s = maybe 'a';maybe = | 'a' ! maybe: before 'a' both \"maybe = (empty)\" and \"maybe ="
            + " 'a'\"",
        "s = 'a' s ! s: the recursion does not end on average",
        "s = s ! the recursion does not end",
        "s = 2 'a' s s | 1 'b' ! s: the recursion does not end on average",
        "s = 'a' t ! s: t is not defined",
        "s = 'a';t = 'b' ! t is not used",
        "s = 'a';s = 'b' ! s is defined twice",
        "s 'a' ! neither '=' nor '~' in \"s 'a'\"",
        "S = 'a' ! \"S\" is no name",
        "s = a' ! s: \"a'\" is neither a name nor a 'word'",
        "s = 0 'a' | 'b' ! s: \"0\" is no weight above 0",
        "s = 1x 'a' ! s: \"1x\" is no weight above 0",
        "s = n;n ~ a/b ! n: \"a/b\" has 2 forms for 1 names",
        "s = n m;n, m ~ a ! n, m: \"a\" has 1 forms for 2 names",
        "s = n;n ~ ! has",
        "s = '<eos>' ! <eos> is no word",
        "# nothing ! a grammar needs at least one rule",
      })
  void refusesGrammarsThatCannotBeUsed(String text, String message) {
    assertThatThrownBy(() -> Grammar.parse(text.replace(';', '\n')))
        .isInstanceOf(GrammarException.class)
        .hasMessageContaining(message);
  }
}
