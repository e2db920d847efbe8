package carousel.zoo.cli;

import carousel.nn.data.TokenStream;
import carousel.nn.data.Vocabulary;
import carousel.tensor.Device;
import carousel.tensor.TensorScope;
import carousel.zoo.language.Data;
import carousel.zoo.language.Evaluation;
import carousel.zoo.language.LanguageRun;
import carousel.zoo.language.Trained;
import carousel.zoo.run.Failure;
import carousel.zoo.run.Numbers;
import carousel.zoo.run.Reporter;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Measures a trained model. */
@Command(
    name = "eval",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    header = "Measures the perplexity of a trained model.",
    description = {
      "",
      "Predicts every token of a text but the first, which is read from its start with the state carried"
          + " along; with a --batch of N, faster, in N parts side by side, each from the state that the"
          + " tokens right before it leave.",
      ""
    })
final class EvalCommand implements Callable<Integer> {
  @Spec private @Nullable CommandSpec spec;

  @Parameters(paramLabel = "RUN", description = "The folder that train wrote.")
  private @Nullable Path run;

  @Option(
      names = "--data",
      paramLabel = "DIR|FILE",
      description =
          "A folder, whose valid and test texts are read, or one file or pipe, read as a whole. If not"
              + " given: what the model was trained on.")
  private @Nullable String data;

  @Option(names = "--batch", paramLabel = "N", description = "Parts side by side; 1 if not given.")
  private int batch = 1;

  @Option(names = "--threads", paramLabel = "N", description = "Threads of the CPU.")
  private @Nullable Integer threads;

  @Override
  public Integer call() throws IOException {
    Threads.use(threads);
    if (batch < 1) {
      throw Failure.usage("--batch must be 1 or more, got " + batch);
    }
    var folder = Objects.requireNonNull(run);
    var settings = LanguageRun.open(folder).settings();
    var out = Objects.requireNonNull(spec).commandLine().getOut();
    try (var scope = TensorScope.open(Device.of(settings.device()))) {
      var trained = Trained.load(folder);
      String source = data == null ? settings.data() : data;
      if (data != null && !source.equals(Data.GENERATED) && !Files.isDirectory(Path.of(source))) {
        var cut = settings.tokenizer();
        print(
            out,
            "text",
            trained,
            TokenStream.read(Path.of(source), trained.vocabulary(), cut::cut));
        return 0;
      }
      var texts = Data.read(source, trained.vocabulary(), settings);
      print(out, "valid", trained, texts.corpus().valid());
      print(out, "test", trained, texts.corpus().test());
      texts
          .grammar()
          .ifPresent(g ->
              out.println(
                  String.format(
                      Locale.ROOT,
                      "best    perplexity %8s  possible",
                      Numbers.figure(g.bestPerplexity()))));
      return 0;
    }
  }

  private void print(PrintWriter out, String name, Trained trained, TokenStream text) {
    var measured = Evaluation.of(trained.model(), text, batch);
    long unknown = Arrays.stream(text.toArray()).filter(id -> id == Vocabulary.UNKNOWN_ID).count();
    out.println(
        String.format(
            Locale.ROOT,
            "%-6s  perplexity %8s  %s predicted, %s of the text unknown (%s)",
            name,
            Numbers.figure(measured.perplexity()),
            Numbers.counted(measured.tokens(), "token"),
            Numbers.count(unknown),
            Reporter.visible(text.name())));
    out.flush();
  }
}
