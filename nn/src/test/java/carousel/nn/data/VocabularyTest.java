package carousel.nn.data;

import static carousel.nn.data.TokenLevel.CHARACTER;
import static carousel.nn.data.TokenLevel.WORD;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class VocabularyTest {
  @TempDir Path folder;

  @Test
  void ordersByCountThenByName() {
    var vocabulary = Vocabulary.ofText(WORD, "c b a\nb a\nb d");
    assertThat(vocabulary.tokens()).containsExactly("<unk>", "<eos>", "b", "a", "c", "d");
    assertThat(vocabulary.size()).isEqualTo(6);
    assertThat(vocabulary.idOf("b")).isEqualTo(2);
    assertThat(vocabulary.tokenOf(3)).isEqualTo("a");
  }

  @Test
  void theOrderOfTheTextDoesNotMatter() {
    assertThat(Vocabulary.ofText(WORD, "z y x y\nw z"))
        .isEqualTo(Vocabulary.ofText(WORD, "w z\ny y z x"))
        .hasSameHashCodeAs(Vocabulary.ofText(WORD, "w z\ny y z x"))
        .isNotEqualTo(Vocabulary.ofText(WORD, "w z"));
  }

  @Test
  void specialTokensOfTheTextAreTheSpecialTokens() {
    var vocabulary = Vocabulary.ofText(WORD, "a <unk> <unk> <unk> b <eos>");
    assertThat(vocabulary.tokens()).containsExactly("<unk>", "<eos>", "a", "b");
    assertThat(vocabulary.encode("<unk> nothing b\n")).containsExactly(0, 0, 3, 1);
  }

  @Test
  void limitsSizeAndCount() {
    var counts = Map.of("a", 9L, "b", 5L, "c", 5L, "d", 1L, "<unk>", 2L);
    assertThat(Vocabulary.of(WORD, counts, 4, 1).tokens())
        .containsExactly("<unk>", "<eos>", "a", "b");
    assertThat(Vocabulary.of(WORD, counts, 100, 5).tokens())
        .containsExactly("<unk>", "<eos>", "a", "b", "c");
    assertThatThrownBy(() -> Vocabulary.of(WORD, counts, 100, 10))
        .isInstanceOf(CorpusException.class)
        .hasMessage("vocabulary: no token occurs 10 times: lower minCount");
    assertThatIllegalArgumentException().isThrownBy(() -> Vocabulary.of(WORD, counts, 2, 1));
    assertThatIllegalArgumentException().isThrownBy(() -> Vocabulary.of(WORD, counts, 9, 0));
  }

  @Test
  void wordsStandBetweenAnyWhiteSpace() {
    var vocabulary = Vocabulary.ofText(WORD, "a\u00a0b\tc\u3000d  e ");
    assertThat(vocabulary.tokens()).containsExactly("<unk>", "<eos>", "a", "b", "c", "d", "e");
  }

  @Test
  void charactersAreCodePoints() {
    var vocabulary = Vocabulary.ofText(CHARACTER, "a🎠語a\n 🎠a");
    assertThat(vocabulary.tokens()).containsExactly("<unk>", "<eos>", "a", "🎠", " ", "語");
    assertThat(vocabulary.encode("語🎠é\n")).containsExactly(5, 3, 0, 1);
    assertThat(vocabulary.decode(5, 3, 0, 1, 2)).isEqualTo("語🎠\uFFFD\na");
  }

  @Test
  void anUnknownCharacterIsReadAsItIsWritten() {
    var vocabulary = Vocabulary.ofText(CHARACTER, "a\uFFFDb\uFFFD");
    assertThat(vocabulary.tokens()).containsExactly("<unk>", "<eos>", "a", "b");
    var ids = vocabulary.encode("b\uFFFDa");
    assertThat(ids).containsExactly(3, 0, 2);
    assertThat(vocabulary.encode(vocabulary.decode(ids))).isEqualTo(ids);
    assertThat(vocabulary.unknown("b\uFFFD")).containsExactly("\uFFFD");
    // A word is what it is written as, whatever it was once.
    assertThat(Vocabulary.ofText(WORD, "a\uFFFD b").tokens()).contains("a\uFFFD");
  }

  @Test
  void decodingInvertsEncoding() {
    String text = "the cat\nsat\n\non the mat";
    for (var level : TokenLevel.values()) {
      var vocabulary = Vocabulary.ofText(level, text);
      assertThat(vocabulary.decode(vocabulary.encode(text))).as("%s", level).isEqualTo(text);
      assertThat(vocabulary.decode(vocabulary.encode(text + "\r\n"))).isEqualTo(text + "\n");
      assertThat(vocabulary.encode("")).isEmpty();
      assertThat(vocabulary.decode()).isEmpty();
    }
  }

  @Test
  void unknownTokensAndIds() {
    var vocabulary = Vocabulary.ofText(WORD, "a b");
    assertThat(vocabulary.idOf("c")).isEqualTo(Vocabulary.UNKNOWN_ID);
    assertThat(vocabulary.contains("c")).isFalse();
    assertThat(vocabulary.contains("a")).isTrue();
    assertThat(vocabulary.decode(0, 2, 1, 3)).isEqualTo("<unk> a\nb");
    assertThatThrownBy(() -> vocabulary.tokenOf(4))
        .isInstanceOf(IndexOutOfBoundsException.class)
        .hasMessage("vocabulary: id 4, there are 4 tokens");
    assertThatThrownBy(() -> vocabulary.decode(2, -1))
        .isInstanceOf(IndexOutOfBoundsException.class);
  }

  @Test
  void refusesListsThatAreNoVocabulary() {
    assertThatThrownBy(() -> Vocabulary.of(WORD, List.of("<unk>", "<eos>", "a", "b", "a")))
        .isInstanceOf(CorpusException.class)
        .hasMessage("vocabulary: the token \"a\" occurs twice");
    assertThatThrownBy(() -> Vocabulary.of(WORD, List.of("a", "b", "c")))
        .hasMessage("vocabulary: it must begin with <unk> and <eos>");
    assertThatThrownBy(() -> Vocabulary.of(WORD, List.of()))
        .hasMessageContaining("must begin with");
    assertThatThrownBy(() -> Vocabulary.of(WORD, List.of("<unk>", "<eos>")))
        .hasMessage("vocabulary: no tokens but <unk> and <eos>");
    assertThatThrownBy(() -> Vocabulary.of(WORD, List.of("<unk>", "<eos>", "two words")))
        .hasMessage("vocabulary: token 2, \"two\\u{20}words\", is not one word");
    assertThatThrownBy(() -> Vocabulary.of(CHARACTER, List.of("<unk>", "<eos>", "ab")))
        .hasMessage("vocabulary: token 2, \"ab\", is not one character");
    assertThatThrownBy(() -> Vocabulary.of(CHARACTER, List.of("<unk>", "<eos>", "\uD83C")))
        .hasMessage("vocabulary: token 2 holds half of a surrogate pair");
    assertThatThrownBy(() -> Vocabulary.ofText(WORD, " \n\n")).isInstanceOf(CorpusException.class);
  }

  @Test
  void savesAndLoadsEveryCharacter() throws IOException {
    String text = "a\\n \t\r\u0000\u00a0\u2028\u3000\uFEFF\u200b#語🎠$e\u0301\n";
    var vocabulary = Vocabulary.ofText(CHARACTER, text + "a");
    var file = folder.resolve("vocabulary.txt");
    vocabulary.save(file);
    assertThat(Vocabulary.load(file)).isEqualTo(vocabulary);
    assertThat(file)
        .content()
        .startsWith("# vocabulary CHARACTER 20\n<unk>\n<eos>\na\n")
        .contains("\n\\u{20}\n", "\n\\u{9}\n", "\n\\\\\n", "\n語\n", "\n$\n");
  }

  @Test
  void savesAndLoadsWords() throws IOException {
    var vocabulary = Vocabulary.ofText(WORD, "N <unk> $ C:\\new \\u{41} # the the");
    var file = folder.resolve("vocabulary.txt");
    vocabulary.save(file);
    var back = Vocabulary.load(file);
    assertThat(back).isEqualTo(vocabulary);
    assertThat(back.level()).isEqualTo(WORD);
    assertThat(back).hasToString("Vocabulary[WORD, 8 tokens]");
  }

  @Test
  void loadsWhatWasSavedWhereDigitsAreOthers() throws IOException {
    var vocabulary = Vocabulary.ofText(WORD, "a b c");
    var file = folder.resolve("vocabulary.txt");
    var before = Locale.getDefault();
    try {
      Locale.setDefault(Locale.forLanguageTag("ar-EG-u-nu-arab"));
      vocabulary.save(file);
    } finally {
      Locale.setDefault(before);
    }
    assertThat(Vocabulary.load(file)).isEqualTo(vocabulary);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "x | not a vocabulary",
        "# vocabulary WORD 4;<unk>;<eos>;a | truncated or edited: it announces 4 tokens and holds"
            + " 3",
        "# vocabulary WORD 3;<unk>;<eos>;a\\b | line 4, \"a\\b\": a backslash must be followed by",
        "# vocabulary WORD 3;<unk>;<eos>;\\u{110000} | line 4, \"\\u{110000}\": a backslash",
        "# vocabulary WORD 4;<unk>;<eos>;a;a | vocabulary: the token \"a\" occurs twice",
        "# vocabulary WORD 4;<unk>;<eos>;;a | token 2, \"\", is not one word",
        "# vocabulary WORD 2;<eos>;<unk> | it must begin with <unk> and <eos>",
        "# vocabulary MORA 3;<unk>;<eos>;a | not a vocabulary",
      })
  void refusesDamagedFiles(String lines, String message) throws IOException {
    var file = folder.resolve("vocabulary.txt");
    Files.writeString(file, lines.replace(';', '\n'));
    assertThatThrownBy(() -> Vocabulary.load(file))
        .isInstanceOf(CorpusException.class)
        .hasMessageStartingWith(file + ": ")
        .hasMessageContaining(message);
  }
}
