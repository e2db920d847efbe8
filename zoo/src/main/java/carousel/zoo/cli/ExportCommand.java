package carousel.zoo.cli;

import carousel.exchange.onnx.Chain;
import carousel.exchange.onnx.Onnx;
import carousel.exchange.pytorch.StateDict;
import carousel.nn.io.Safetensors;
import carousel.tensor.Device;
import carousel.tensor.TensorScope;
import carousel.zoo.language.LanguageModel;
import carousel.zoo.language.LanguageRun;
import carousel.zoo.language.Trained;
import carousel.zoo.run.Choice;
import carousel.zoo.run.Failure;
import carousel.zoo.run.Numbers;
import carousel.zoo.run.Reporter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Writes a trained model for other programs. */
@Command(
    name = "export",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    header = "Writes a trained model for other programs: as an ONNX file, or its weights.",
    description = {
      "",
      "The model reads a window of any length, tokens [time,batch], and gives the logits of what may"
          + " come next at every place, y [time,batch,vocabulary]. It is told the states that the"
          + " window begins with, initial_h_0 and so on, zeros at the start of a text, and gives those"
          + " it ends with, final_h_0 and so on. Token k is line k + 2 of the run's vocabulary.txt.",
      "",
      "A FILE that ends in .safetensors gets the weights alone. With --names pytorch they have the names"
          + " and layouts of a module with self.embed, self.stack (nn.LSTM, nn.GRU or nn.RNN) and self.head:"
          + " model.load_state_dict(safetensors.torch.load_file(FILE)).",
      ""
    })
final class ExportCommand implements Callable<Integer> {
  private static final String SAFETENSORS = ".safetensors";
  private static final String OWN = "carousel";
  private static final String PYTORCH = "pytorch";

  @Spec private @Nullable CommandSpec spec;

  @Parameters(index = "0", paramLabel = "RUN", description = "The folder that train wrote.")
  private @Nullable Path run;

  @Parameters(index = "1", paramLabel = "FILE", description = "The file to write, model.onnx say.")
  private @Nullable Path file;

  @Option(
      names = "--names",
      paramLabel = "NAMES",
      description =
          "Of weights in a .safetensors file: carousel, our own, if not given; pytorch for those of a"
              + " state_dict.")
  private @Nullable String names;

  @Override
  public Integer call() throws IOException {
    var folder = Objects.requireNonNull(run);
    var target = Objects.requireNonNull(file);
    var parent = target.toAbsolutePath().getParent();
    if (parent != null && !Files.isDirectory(parent)) {
      throw new Failure(
          String.format(Locale.ROOT, "cannot write %s: there is no folder %s", target, parent));
    }
    if (Files.isDirectory(target)) {
      throw new Failure(
          String.format(
              Locale.ROOT,
              "cannot write %s: it is a folder; name a file in it, %s say",
              target,
              target.resolve("model.onnx")));
    }
    if (LanguageRun.open(folder).owns(target)) {
      throw new Failure(
          String.format(
              Locale.ROOT,
              "cannot write %s: the run needs it for itself; choose another name",
              target));
    }
    boolean weights = target.toString().endsWith(SAFETENSORS);
    if (names != null) {
      Choice.require("--names", names, List.of(OWN, PYTORCH));
    }
    if (names != null && !weights) {
      throw Failure.usage(
          String.format(
              Locale.ROOT,
              "--names is about weights in a file that ends in %s; an ONNX file has names of its own",
              SAFETENSORS));
    }
    var out = Objects.requireNonNull(spec).commandLine().getOut();
    try (var scope = TensorScope.open(Device.of(LanguageRun.open(folder).settings().device()))) {
      var model = Trained.load(folder).model();
      try {
        if (weights) {
          save(target, model);
        } else {
          var chain = Chain.of(model.embed(), model.stack(), model.head());
          Onnx.save(target, chain, Onnx.Input.STATES);
        }
      } catch (IOException e) {
        throw new Failure(
            String.format(Locale.ROOT, "cannot write %s: %s", target, Failure.reason(e)), e);
      }
      out.println(
          String.format(
              Locale.ROOT,
              "%s  %s weights",
              Reporter.visible(target.toString()),
              Numbers.count(model.parameters().count())));
      return 0;
    }
  }

  private void save(Path target, LanguageModel model) throws IOException {
    if (PYTORCH.equals(names)) {
      Safetensors.save(target, StateDict.of(model), Map.of("format", "pt"));
    } else {
      Safetensors.save(target, model.parameters(), Map.of());
    }
  }
}
