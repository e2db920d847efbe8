package carousel.nn.data;

import static java.nio.charset.StandardCharsets.UTF_8;

import carousel.tensor.fuzz.Fuzz;
import carousel.tensor.fuzz.Reader;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Damaged vocabularies and texts. */
class TextFilesFuzzTest {
  private static final String WORDS = "the cat sat on the mat and the dog ran off with déjà vu 二\n";

  @TempDir Path folder;

  private static List<byte[]> texts(String... texts) {
    return Stream.of(texts).map(text -> text.getBytes(UTF_8)).toList();
  }

  private static String vocabulary(TokenLevel level, String text) {
    return VocabularyFile.format(Corpus.of(level, text, text, text).vocabulary());
  }

  private record VocabularyReader(List<byte[]> sound) implements Reader {
    VocabularyReader() {
      this(
          texts(
              vocabulary(TokenLevel.WORD, WORDS),
              vocabulary(TokenLevel.CHARACTER, WORDS + "\\ \t\u00a0\u200b"),
              vocabulary(TokenLevel.WORD, "a \\b c\n")));
    }

    @Override
    public String name() {
      return "vocabulary";
    }

    @Override
    public Class<CorpusException> refusal() {
      return CorpusException.class;
    }

    @Override
    public void read(Path file) throws IOException {
      var read = Vocabulary.load(file);
      // What is read is what would be written: no two readings of one file.
      var again = VocabularyFile.format(read).lines().skip(1).collect(Collectors.toSet());
      if (again.size() != read.size()) {
        throw new AssertionError(again);
      }
    }
  }

  private record CorpusReader(TokenLevel level, List<byte[]> sound) implements Reader {
    @Override
    public String name() {
      return "corpus-" + level.name().toLowerCase(java.util.Locale.ROOT);
    }

    @Override
    public Class<CorpusException> refusal() {
      return CorpusException.class;
    }

    @Override
    public int cost() {
      return 3;
    }

    @Override
    public void read(Path file) throws IOException {
      var corpus = Corpus.read(file, level);
      var again = Corpus.read(file, corpus.vocabulary());
      if (again.train().size() != corpus.train().size()) {
        throw new AssertionError("read twice");
      }
    }
  }

  @Test
  void vocabulary() throws Exception {
    Fuzz.run(new VocabularyReader(), folder);
  }

  @Test
  void corpusOfWords() throws Exception {
    var sound = texts(WORDS.repeat(4), "\uFEFF" + WORDS.repeat(3).replace("\n", "\r\n"));
    Fuzz.run(new CorpusReader(TokenLevel.WORD, sound), folder);
  }

  @Test
  void corpusOfCharacters() throws Exception {
    var sound = texts(WORDS, WORDS.replace("\n", ""));
    Fuzz.run(new CorpusReader(TokenLevel.CHARACTER, sound), folder);
  }
}
