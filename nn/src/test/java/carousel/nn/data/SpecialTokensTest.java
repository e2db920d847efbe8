package carousel.nn.data;

import static carousel.nn.data.TokenLevel.CHARACTER;
import static carousel.nn.data.TokenLevel.WORD;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carousel.nn.init.Init;
import carousel.nn.layer.Embedding;
import carousel.tensor.Philox;
import carousel.tensor.TensorScope;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SpecialTokensTest {
  private static final SpecialTokens ALL =
      SpecialTokens.standard()
          .withPadding("<pad>")
          .withStart("<s>")
          .withEnd("</s>")
          .withUnknown("[UNK]");

  @TempDir Path folder;

  @Test
  void haveTheFirstIds() {
    var vocabulary = Vocabulary.ofText(WORD, "c b a\nb a\nb d").withSpecials(ALL);
    assertThat(vocabulary.tokens())
        .containsExactly("[UNK]", "</s>", "<pad>", "<s>", "b", "a", "c", "d");
    assertThat(vocabulary.padding()).hasValue(2);
    assertThat(vocabulary.start()).hasValue(3);
    assertThat(vocabulary.encode("a x\n")).containsExactly(5, 0, 1);
    assertThat(vocabulary.idOf("<s>")).isEqualTo(3);
    var some = vocabulary.withSpecials(SpecialTokens.standard().withStart("go"));
    assertThat(some.tokens()).containsExactly("<unk>", "<eos>", "go", "b", "a", "c", "d");
    assertThat(some.padding()).isEmpty();
    assertThat(some.start()).hasValue(2);
    var plain = Vocabulary.ofText(WORD, "a b");
    assertThat(plain.padding()).isEqualTo(OptionalInt.empty());
    assertThat(plain.specials()).isEqualTo(SpecialTokens.standard());
    assertThat(plain.withSpecials(SpecialTokens.standard())).isEqualTo(plain);
    assertThat(plain.withSpecials(ALL)).isNotEqualTo(plain);
  }

  @Test
  void areSkippedOnRequest() {
    var words = Vocabulary.ofText(WORD, "a b").withSpecials(ALL);
    int[] ids = {3, 4, 0, 5, 1, 2, 2};
    assertThat(words.decode(ids)).isEqualTo("<s> a [UNK] b\n<pad> <pad>");
    assertThat(words.decodePlain(ids)).isEqualTo("a b");
    var characters = Vocabulary.ofText(CHARACTER, "ab").withSpecials(ALL);
    assertThat(characters.decodePlain(ids)).isEqualTo("ab");
    assertThat(characters.decodePlain(1, 2)).isEmpty();
    assertThat(words.isSpecial(3)).isTrue();
    assertThat(words.isSpecial(4)).isFalse();
    assertThat(words.isSpecial(-1)).isFalse();
    assertThatThrownBy(() -> words.decodePlain(9)).isInstanceOf(IndexOutOfBoundsException.class);
  }

  @Test
  void aSequenceHasItsEnds() {
    var words = Vocabulary.ofText(WORD, "a b").withSpecials(ALL);
    for (var text : new String[] {"a x b", "a x b\n", "a x b\r\n"}) {
      assertThat(words.encodeSequence(text)).containsExactly(3, 4, 0, 5, 1);
    }
    for (var text : new String[] {"", "\n"}) {
      assertThat(words.encodeSequence(text)).containsExactly(3, 1);
    }
    var plain = Vocabulary.ofText(WORD, "a b");
    assertThat(plain.encodeSequence("a b")).containsExactly(2, 3, 1);
    assertThatThrownBy(() -> words.encodeSequence("a\nb"))
        .isInstanceOf(CorpusException.class)
        .hasMessage(
            "vocabulary: a sequence is one line, got 2; encode each by itself, or the text as a whole with encode");
    var characters = Vocabulary.ofText(CHARACTER, "ab ").withSpecials(ALL);
    assertThat(characters.encodeSequence("ab")).startsWith(3).endsWith(1).hasSize(4);
    for (var vocabulary : new Vocabulary[] {words, plain, characters}) {
      for (var text : new String[] {"", "a", "a b", "b b a"}) {
        assertThat(vocabulary.decodeSequence(vocabulary.encodeSequence(text))).isEqualTo(text);
      }
    }
  }

  /** Up to the first end or padding, also where there is none; what is behind is not even looked at. */
  @Test
  void aSequenceEndsAtItsEnd() {
    var words = Vocabulary.ofText(WORD, "a b").withSpecials(ALL);
    assertThat(words.decodeSequence(3, 4, 0, 5, 1, 4, 99)).isEqualTo("a [UNK] b");
    assertThat(words.decodeSequence(4, 5, 2, 2)).isEqualTo("a b");
    assertThat(words.decodeSequence(4, 5)).isEqualTo("a b");
    assertThat(words.decodeSequence(3, 1, 4)).isEmpty();
    assertThat(words.decodeSequence()).isEmpty();
    assertThat(words.decodeSequence(4, 3, 5)).as("no start within").isEqualTo("a <s> b");
    assertThatThrownBy(() -> words.decodeSequence(4, 99, 1))
        .isInstanceOf(IndexOutOfBoundsException.class);
    var plain = Vocabulary.ofText(WORD, "a b c");
    assertThat(plain.decodeSequence(2, 3, 1, 2)).as("2 is no padding here").isEqualTo("a b");
    var characters = Vocabulary.ofText(CHARACTER, "ab").withSpecials(ALL);
    assertThat(characters.decodeSequence(3, 4, 0, 5, 2)).isEqualTo("a\uFFFDb");
  }

  @Test
  void areInFiles() throws IOException {
    var path = folder.resolve("vocabulary.txt");
    var base = Vocabulary.ofText(WORD, "c b a\nb a");
    for (var specials :
        new SpecialTokens[] {
          ALL,
          SpecialTokens.standard(),
          SpecialTokens.standard().withStart("<s>"),
          SpecialTokens.standard().withPadding("two words"),
          SpecialTokens.standard().withEnd("\n")
        }) {
      var vocabulary = base.withSpecials(specials);
      vocabulary.save(path);
      assertThat(Vocabulary.load(path)).isEqualTo(vocabulary).hasSameHashCodeAs(vocabulary);
      assertThat(Vocabulary.load(path).specials()).isEqualTo(specials);
    }
    base.save(path);
    assertThat(Files.readString(path)).startsWith("# vocabulary WORD 5\n<unk>\n<eos>\na\n");
    base.withSpecials(ALL).save(path);
    assertThat(Files.readString(path))
        .startsWith("# vocabulary WORD 7 unknown end padding start\n[UNK]\n</s>\n<pad>\n<s>\na\n");
  }

  @Test
  void filesThatAreNoneAreRefused() throws IOException {
    refused(
        "# vocabulary WORD 3 unknown end padding start\na\nb\nc\n",
        "it announces 4 special tokens and holds 3 tokens");
    refused("# vocabulary WORD 4 unknown end padding\na\nb\na\nc\n", "two have one name");
    refused("# vocabulary WORD 4 unknown end start padding\na\nb\nc\nd\n", "not a vocabulary");
    refused("# vocabulary WORD 3 unknown end padding\na\nb\nc\n", "no tokens but a and b and c");
    refused("# vocabulary WORD 3 unknown end\n\nb\nc\n", "is no name: it is empty");
  }

  private void refused(String text, String message) throws IOException {
    var path = folder.resolve("vocabulary.txt");
    Files.writeString(path, text);
    assertThatThrownBy(() -> Vocabulary.load(path))
        .isInstanceOf(CorpusException.class)
        .hasMessageContaining(path.toString())
        .hasMessageContaining(message);
  }

  @Test
  void namesDifferAndAreNames() {
    assertThatThrownBy(() -> SpecialTokens.standard().withPadding("<eos>"))
        .isInstanceOf(CorpusException.class)
        .hasMessage("special tokens: two have one name in [<unk>, <eos>, <eos>]");
    assertThatThrownBy(() -> SpecialTokens.standard().withStart(""))
        .hasMessageContaining("is no name");
    assertThatThrownBy(() -> SpecialTokens.standard().withStart("\uD83C"))
        .hasMessageContaining("half of a surrogate pair");
    var all = SpecialTokens.standard().withPadding("a").withStart("b");
    assertThatThrownBy(() -> Vocabulary.ofText(WORD, "a b").withSpecials(all))
        .hasMessage("vocabulary: no tokens but <unk> and <eos> and a and b");
  }

  @Test
  void lineEndsOfFilesAreEndsWhateverTheirName() throws IOException {
    var vocabulary = Vocabulary.ofText(WORD, "a b").withSpecials(ALL);
    var path = folder.resolve("text.txt");
    Files.writeString(path, "a b\nb x\n");
    assertThat(TokenStream.read(path, vocabulary, line -> line).toArray())
        .containsExactly(4, 5, 1, 5, 0, 1);
  }

  @Test
  void anEmbeddingTakesItsPadding() {
    try (var scope = TensorScope.open()) {
      var vocabulary = Vocabulary.ofText(WORD, "a b").withSpecials(ALL);
      var embedding =
          Embedding.padded(
              vocabulary.size(), 3, vocabulary.padding().getAsInt(), Init.ones(), Philox.of(1));
      assertThat(embedding.weight().value().select(0, 2).max().item()).isZero();
    }
  }
}
