package carousel.zoo.cli;

import carousel.nn.data.TokenLevel;
import carousel.nn.data.Vocabulary;
import carousel.tensor.Device;
import carousel.tensor.Philox;
import carousel.tensor.TensorScope;
import carousel.zoo.language.LanguageRun;
import carousel.zoo.language.Prose;
import carousel.zoo.language.Sampler;
import carousel.zoo.language.Trained;
import carousel.zoo.run.Failure;
import carousel.zoo.run.Reporter;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Writes text by a trained model. */
@Command(
    name = "sample",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    header = "Writes text by a trained model.")
final class SampleCommand implements Callable<Integer> {
  private static final int WORDS = 100;
  private static final int CHARACTERS = 500;

  @Spec private @Nullable CommandSpec spec;

  @Parameters(paramLabel = "RUN", description = "The folder that train wrote.")
  private @Nullable Path run;

  @Option(names = "--prompt", paramLabel = "TEXT", description = "What the text begins with.")
  private String prompt = "";

  @Option(
      names = "--temperature",
      paramLabel = "X",
      description = "1: as learned, lower: safer, 0: always the most probable. 1 if not given.")
  private double temperature = 1;

  @Option(
      names = "--length",
      paramLabel = "N",
      description = "Tokens to write; 100 words or 500 characters if not given.")
  private @Nullable Integer length;

  @Option(names = "--seed", paramLabel = "N", description = "Of the choices; 1 if not given.")
  private long seed = 1;

  @Override
  public Integer call() throws IOException {
    var count = length;
    if (count != null && count < 1) {
      throw Failure.usage("--length must be 1 or more, got " + count);
    }
    var folder = Objects.requireNonNull(run);
    var line = Objects.requireNonNull(spec).commandLine();
    try (var scope = TensorScope.open(Device.of(LanguageRun.open(folder).settings().device()))) {
      var trained = Trained.load(folder);
      var vocabulary = trained.vocabulary();
      var tokenizer = trained.settings().tokenizer();
      boolean words = vocabulary.level() == TokenLevel.WORD;
      String text = prompt.lines().map(tokenizer::cut).collect(Collectors.joining("\n"));
      var given = vocabulary.encode(prompt.endsWith("\n") ? text + "\n" : text);
      for (var unknown : vocabulary.unknown(text)) {
        line.getErr()
            .println(
                Reporter.visible(
                    String.format(
                        Locale.ROOT,
                        "carousel: '%s' is not in the vocabulary; read as <unk>",
                        unknown)));
      }
      // A line begins after the end of another.
      var read = IntStream.concat(IntStream.of(Vocabulary.END_ID), IntStream.of(given)).toArray();
      var out = line.getOut();
      var prose = new Prose(vocabulary, tokenizer, out::print);
      for (var id : given) {
        prose.add(id);
      }
      new Sampler(trained.model(), temperature, Philox.of(seed))
          .continuing(
              read,
              count != null ? count : words ? WORDS : CHARACTERS,
              id -> {
                prose.add(id);
                return !out.checkError(); // which flushes: a long text is seen while it is written
              });
      out.println();
      return 0;
    }
  }
}
