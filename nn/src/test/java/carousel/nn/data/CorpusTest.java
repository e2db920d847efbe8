package carousel.nn.data;

import static carousel.nn.data.TokenLevel.CHARACTER;
import static carousel.nn.data.TokenLevel.WORD;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CorpusTest {
  @TempDir Path folder;

  private Path write(String name, String text) throws IOException {
    return Files.writeString(folder.resolve(name), text);
  }

  private void writeThree(String train, String valid, String test) throws IOException {
    write("toy.train.txt", train);
    write("toy.valid.txt", valid);
    write("toy.test.txt", test);
  }

  @Test
  void readsAFolder() throws IOException {
    writeThree(" the cat <unk> \n the dog \n", "the cow\n", "a cat");
    write("README", "not part of it");
    var corpus = Corpus.read(folder, WORD);
    assertThat(corpus.vocabulary().tokens()).containsExactly("<unk>", "<eos>", "the", "cat", "dog");
    assertThat(corpus.train().toArray()).containsExactly(2, 3, 0, 1, 2, 4, 1);
    assertThat(corpus.valid().toArray()).containsExactly(2, 0, 1);
    assertThat(corpus.test().toArray()).containsExactly(0, 3, 1);
    assertThat(corpus.train().name()).isEqualTo(folder.resolve("toy.train.txt").toString());
  }

  @Test
  void givenTextsAreAsGoodAsFiles() throws IOException {
    writeThree("b a\nb\n\nb", "b c", "a\n");
    var read = Corpus.read(folder, WORD);
    var given = Corpus.of(WORD, "b a\nb\n\nb", "b c", "a\n");
    assertThat(given.vocabulary()).isEqualTo(read.vocabulary());
    assertThat(given.train().toArray())
        .isEqualTo(read.train().toArray())
        .containsExactly(2, 3, 1, 2, 1, 1, 2, 1);
    assertThat(given.valid().toArray()).isEqualTo(read.valid().toArray());
    assertThat(given.test().toArray()).isEqualTo(read.test().toArray());
  }

  @Test
  void endMarksOfTheTextAreNotDoubled() {
    var corpus = Corpus.of(WORD, "a b <eos>\n<eos>\na<eos>\n\nb", "a b", "a b");
    // a b <eos> | <eos> | a<eos> <eos> | <eos> | b <eos>: "a<eos>" is a word like any other.
    assertThat(corpus.train().toArray()).containsExactly(3, 2, 1, 1, 4, 1, 1, 2, 1);
  }

  @Test
  void readsCharacters() throws IOException {
    writeThree("ab a\n🎠\n", "a\n", "b語\n");
    var corpus = Corpus.read(folder, CHARACTER);
    assertThat(corpus.vocabulary().tokens()).containsExactly("<unk>", "<eos>", "a", " ", "b", "🎠");
    assertThat(corpus.train().toArray()).containsExactly(2, 4, 3, 2, 1, 5, 1);
    assertThat(corpus.test().toArray()).containsExactly(4, 0, 1);
  }

  @Test
  void limitsTheVocabulary() throws IOException {
    writeThree("a a a b b c", "a", "b");
    assertThat(Corpus.read(folder, WORD, 4, 1).train().toArray())
        .containsExactly(2, 2, 2, 3, 3, 0, 1);
    assertThat(Corpus.read(folder, WORD, 100, 3).train().toArray())
        .containsExactly(2, 2, 2, 0, 0, 0, 1);
  }

  @Test
  void readsWithTheVocabularyOfAModel() throws IOException {
    writeThree("x a y", "a", "b");
    var vocabulary = Vocabulary.ofText(WORD, "b a a");
    var corpus = Corpus.read(folder, vocabulary);
    assertThat(corpus.vocabulary()).isSameAs(vocabulary);
    assertThat(corpus.train().toArray()).containsExactly(0, 2, 0, 1);
  }

  @Test
  void cutsASingleFileAtLineEnds() throws IOException {
    // 100 lines of 4 tokens with their ends.
    var text = new StringBuilder();
    for (int i = 0; i < 100; i++) {
      text.append(String.format(Locale.ROOT, "w%d a b\n", i % 3));
    }
    var corpus = Corpus.read(write("one.txt", text.toString()), WORD);
    assertThat(corpus.train().size()).isEqualTo(360);
    assertThat(corpus.valid().size()).isEqualTo(20);
    assertThat(corpus.test().size()).isEqualTo(20);
    for (var part : new TokenStream[] {corpus.train(), corpus.valid(), corpus.test()}) {
      assertThat(part.id(part.size() - 1)).isEqualTo(Vocabulary.END_ID);
    }
    assertThat(corpus.valid().name()).endsWith("one.txt (valid part)");
  }

  @Test
  void nothingIsLostOrDoubledByTheCuts() throws IOException {
    var text = new StringBuilder();
    for (int i = 0; i < 57; i++) {
      text.append("a ".repeat(i % 7)).append("b\n");
    }
    var file = write("one.txt", text.toString());
    var corpus = Corpus.read(file, WORD);
    var all = corpus.vocabulary().encode(text.toString());
    assertThat(corpus.train().size() + corpus.valid().size() + corpus.test().size())
        .isEqualTo(all.length);
    assertThat(corpus.train().toArray()).startsWith(all[0], all[1], all[2]);
    assertThat(corpus.test().toArray()).endsWith(all[all.length - 2], all[all.length - 1]);
  }

  @Test
  void cutsOneLongLineInside() throws IOException {
    var corpus = Corpus.read(write("text8", "abcdefghij".repeat(40)), CHARACTER);
    assertThat(corpus.train().size()).isEqualTo(360);
    assertThat(corpus.valid().size()).isEqualTo(20);
    assertThat(corpus.test().size()).isEqualTo(21);
  }

  @Test
  void namesMissingFiles() throws IOException {
    assertThatThrownBy(() -> Corpus.read(folder.resolve("none"), WORD))
        .isInstanceOf(CorpusException.class)
        .hasMessageEndingWith("none: there is no such file or folder");
    assertThatThrownBy(() -> Corpus.read(folder, WORD))
        .hasMessageContaining("no file *.train.txt")
        .hasMessageContaining("it holds nothing");
    write("ptb.train.txt", "a b");
    write("ptb.dev.txt", "a b");
    assertThatThrownBy(() -> Corpus.read(folder, WORD))
        .hasMessageContaining("no file *.valid.txt")
        .hasMessageContaining("it holds ptb.dev.txt, ptb.train.txt");
    write("wiki.train.txt", "a b");
    assertThatThrownBy(() -> Corpus.read(folder, WORD)).hasMessageContaining("2 files *.train.txt");
  }

  @Test
  void refusesTextsThatTeachNothing() throws IOException {
    writeThree("", "a", "a");
    assertThatThrownBy(() -> Corpus.read(folder, WORD))
        .isInstanceOf(CorpusException.class)
        .hasMessageEndingWith("toy.train.txt: the text is empty");
    writeThree("a b", " \n\n", "a");
    assertThatThrownBy(() -> Corpus.read(folder, WORD))
        .hasMessageEndingWith("toy.valid.txt: the text is blank lines only");
    writeThree("a a\na\n", "a", "a");
    assertThatThrownBy(() -> Corpus.read(folder, WORD))
        .hasMessageContaining("a vocabulary of one: all of the training text is \"a\"");
    assertThatThrownBy(() -> Corpus.of(WORD, "a b", "", "a"))
        .hasMessage("valid: the text is empty");
    var file = write("short.txt", "a few words");
    assertThatThrownBy(() -> Corpus.read(file, WORD))
        .hasMessageEndingWith(
            "short.txt: 4 tokens are too few to be cut into train, valid and test, 40 are needed");
    assertThatThrownBy(() -> Corpus.read(write("empty.txt", ""), CHARACTER))
        .hasMessageEndingWith("empty.txt: the text is empty");
  }

  @Test
  void refusesWhatIsNotUtf8() throws IOException {
    writeThree("a b", "a", "b");
    Files.write(folder.resolve("toy.valid.txt"), new byte[] {'a', '\n', 'b', (byte) 0xFC, '\n'});
    assertThatThrownBy(() -> Corpus.read(folder, WORD))
        .isInstanceOf(CorpusException.class)
        .hasMessageEndingWith(
            "toy.valid.txt: not UTF-8: byte 0xFC at offset 3 (line 2); save it as UTF-8");
  }

  @Test
  void oneTokenIsNoStream() {
    assertThatThrownBy(() -> TokenStream.of("stdin", 5))
        .isInstanceOf(CorpusException.class)
        .hasMessageStartingWith("stdin: one token only");
    assertThatThrownBy(() -> TokenStream.of("stdin")).hasMessageStartingWith("stdin: no token");
  }
}
