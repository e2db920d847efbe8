package carousel.zoo.language;

import static org.assertj.core.api.Assertions.assertThat;

import carousel.nn.data.Corpus;
import carousel.nn.data.TokenLevel;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** What is said before a training that is likely not meant. */
class AdviceTest {
  private static List<String> advice(String text, Map<String, String> more) {
    var values = Recipe.WORDS.settings();
    values.putAll(Map.of("data", "none", "hidden", "4"));
    values.putAll(more);
    var corpus = Corpus.of(TokenLevel.WORD, text, "a b", "a b");
    long weights = corpus.vocabulary().size() * 9L + 1000;
    return Advice.of(Settings.of(values, "test"), corpus, weights);
  }

  @Test
  void anOrdinaryTextNeedsNone() {
    assertThat(advice("the cat sat on the mat", Map.of())).isEmpty();
    // Cut into words, or short, as a list of names.
    assertThat(advice("東京 に 行き まし た", Map.of())).isEmpty();
  }

  @Test
  void aVocabularyThatIsMostOfTheModelIsSaid() {
    // 60,000 words: 50,000 once, 10,000 twice.
    String once =
        IntStream.range(0, 60_000).mapToObj(i -> "w" + i).collect(Collectors.joining(" "));
    String twice =
        IntStream.range(0, 10_000).mapToObj(i -> "w" + i).collect(Collectors.joining(" "));
    var lines = advice(once + " " + twice, Map.of());
    assertThat(lines).hasSize(1);
    assertThat(lines.getFirst())
        .contains("540,018 of the 541,018 weights", "the 60,002 words of the vocabulary")
        // 50,000 of 70,001 tokens, with the end of the line.
        .contains("--min-count 2", "there are 10,002, and 71.4 % of the text is unknown")
        .contains("--vocabulary N");
  }

  @Test
  void wordsThatAreParagraphsAreSaid() {
    String japanese = "吾輩は猫である。名前はまだ無い。どこで生れたかとんと見当がつかぬ。";
    assertThat(advice(japanese + " 吾輩はここで始めて人間というものを見た。", Map.of()))
        .singleElement()
        .asString()
        .contains("written without spaces", "--level char, or --tokenizer kuromoji");
    String chinese = "我们都是好朋友今天天气很好我们去公园玩吧 今天天气很好我们去公园玩吧";
    assertThat(advice(chinese, Map.of()))
        .singleElement()
        .asString()
        .contains("--level char")
        .doesNotContain("kuromoji");
    assertThat(advice(("x".repeat(60) + " ").repeat(3) + "y", Map.of()))
        .singleElement()
        .asString()
        .contains("45 characters on average", "hardly words", "--level char");
  }
}
