package carousel.zoo.language;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carousel.nn.data.TokenLevel;
import carousel.nn.data.Vocabulary;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** How lines fall into words, and words are joined again. */
class TokenizerTest {
  private static String joined(Tokenizer tokenizer, String line) {
    var vocabulary = Vocabulary.ofText(TokenLevel.WORD, tokenizer.cut(line));
    return Prose.of(vocabulary, tokenizer, vocabulary.encode(tokenizer.cut(line)));
  }

  @Test
  void japaneseFallsIntoItsWords() {
    assertThat(Tokenizer.KUROMOJI.cut("すもももももももものうち。").split(" "))
        .containsExactly("すもも", "も", "もも", "も", "もも", "の", "うち", "。");
    assertThat(Tokenizer.SPACES.cut("すもももももももものうち。")).doesNotContain(" ");
  }

  @Test
  void otherLanguagesStayAsTheyAre() {
    assertThat(Tokenizer.KUROMOJI.cut("isn't  that <unk> fine?"))
        .isEqualTo("isn't  that <unk> fine?");
  }

  @ParameterizedTest
  @ValueSource(strings = {"東京に行きました。", "すもももももももものうち", "本を Java で書く"})
  void whatIsCutIsJoinedAgain(String line) {
    assertThat(joined(Tokenizer.KUROMOJI, line).replace(" ", "")).isEqualTo(line.replace(" ", ""));
    if (!line.contains(" ")) {
      assertThat(joined(Tokenizer.KUROMOJI, line)).isEqualTo(line);
    }
  }

  @ParameterizedTest
  @EnumSource(Tokenizer.class)
  void hasAName(Tokenizer tokenizer) {
    assertThat(Tokenizer.of(tokenizer.label())).isEqualTo(tokenizer);
  }

  @Test
  void aNameThatThereIsNotIsRefused() {
    assertThatThrownBy(() -> Tokenizer.of("kuromojo"))
        .hasMessageContaining("did you mean kuromoji?");
  }

  @Test
  void proseIsWhatTheVocabularyDecodes() {
    for (var level : TokenLevel.values()) {
      String text = "the cat\n\nsat\u0085on \u00a0 the mat\n  and slept ";
      var vocabulary = Vocabulary.ofText(level, text);
      var ids = vocabulary.encode(text + "\n\n");
      assertThat(Prose.of(vocabulary, Tokenizer.SPACES, ids))
          .isEqualTo(vocabulary.decode(ids).stripTrailing());
    }
  }

  /** One notion of white space: what parts words for a vocabulary parts those of a prompt and ends no text. */
  @ParameterizedTest
  @ValueSource(
      ints = {' ', '\t', 0x85, 0xA0, 0x1680, 0x2007, 0x2028, 0x202F, 0x205F, 0x3000, 0x1C, '\r'})
  void whiteSpaceIsOneNotion(int space) {
    String s = Character.toString(space);
    assertThat(TokenLevel.isSpace(space)).isTrue();
    var words = Vocabulary.ofText(TokenLevel.WORD, "a" + s + "b" + s);
    assertThat(words.tokens().subList(2, words.size())).containsExactly("a", "b");
    assertThat(words.unknown("a" + s + "c" + s + s + "b")).containsExactly("c");
    assertThat(words.encode("b" + s + "a")).containsExactly(words.idOf("b"), words.idOf("a"));
    if (space == '\r') {
      return;
    } // which ends a line before \n
    var characters = Vocabulary.ofText(TokenLevel.CHARACTER, "ab" + s + "a");
    assertThat(Prose.of(characters, Tokenizer.SPACES, characters.encode("b" + s))).isEqualTo("b");
    assertThat(Prose.of(characters, Tokenizer.SPACES, characters.encode(s + "b")))
        .isEqualTo(s + "b");
  }
}
