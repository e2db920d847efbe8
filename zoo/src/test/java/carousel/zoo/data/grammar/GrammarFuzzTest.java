package carousel.zoo.data.grammar;

import static java.nio.charset.StandardCharsets.UTF_8;

import carousel.tensor.fuzz.Fuzz;
import carousel.tensor.fuzz.Reader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Damaged grammars. */
class GrammarFuzzTest {
  private static final String SMALL =
      """
      # a comment
      sentence = subject.sg verb.sg | 2 subject.pl verb.pl tail
      subject.sg = 'the' noun.sg | 0.5 'a' noun.sg
      subject.pl = 'those' noun.pl
      tail = | 3 'and' sentence
      noun.sg, noun.pl ~ cat/cats dog/dogs
        mouse/mice
      verb.sg, verb.pl ~ runs/run sits/sit
      """;

  @TempDir Path folder;

  private record GrammarReader(List<byte[]> sound) implements Reader {
    @Override
    public String name() {
      return "grammar";
    }

    @Override
    public Class<GrammarException> refusal() {
      return GrammarException.class;
    }

    @Override
    public void read(Path file) throws IOException {
      var grammar = Grammar.parse(new String(Files.readAllBytes(file), UTF_8));
      if (!(grammar.entropyPerToken() >= 0)) {
        throw new AssertionError(grammar.entropyPerToken());
      }
    }

    /** Tables of words by rules, and a square one of rules. */
    @Override
    public long heap(long size) {
      return (1L << 20) + 2000 * size;
    }

    @Override
    public int cost() {
      return 2;
    }
  }

  @Test
  void grammar() throws Exception {
    byte[] agreement;
    try (var in = Grammar.class.getResourceAsStream("agreement.grammar")) {
      agreement = java.util.Objects.requireNonNull(in).readAllBytes();
    }
    Fuzz.run(new GrammarReader(List.of(SMALL.getBytes(UTF_8), agreement)), folder);
  }
}
