package carousel.zoo;

import carousel.nn.onnx.Chain;
import carousel.nn.onnx.Onnx;
import carousel.tensor.Device;
import carousel.tensor.Scope;
import carousel.zoo.lm.Failure;
import carousel.zoo.lm.Numbers;
import carousel.zoo.lm.Reporter;
import carousel.zoo.lm.RunFolder;
import carousel.zoo.lm.Trained;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Writes a trained model for other programs. */
@Command(
    name = "export",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    header = "Writes a trained model as an ONNX file.",
    description = {
      "",
      "The model reads a window of any length, tokens [time,batch], and gives the logits of what may"
          + " come next at every place, y [time,batch,vocabulary]. It is told the states that the"
          + " window begins with, initial_h_0 and so on, zeros at the start of a text, and gives those"
          + " it ends with, final_h_0 and so on. Token k is line k + 2 of the run's vocabulary.txt.",
      ""
    })
final class ExportCommand implements Callable<Integer> {
  @Spec private @Nullable CommandSpec spec;

  @Parameters(index = "0", paramLabel = "RUN", description = "The folder that train wrote.")
  private @Nullable Path run;

  @Parameters(index = "1", paramLabel = "FILE", description = "The file to write, model.onnx say.")
  private @Nullable Path file;

  @Override
  public Integer call() throws IOException {
    var folder = Objects.requireNonNull(run);
    var target = Objects.requireNonNull(file);
    var parent = target.toAbsolutePath().getParent();
    if (parent != null && !Files.isDirectory(parent)) {
      throw new Failure(
          String.format(Locale.ROOT, "cannot write %s: there is no folder %s", target, parent));
    }
    var out = Objects.requireNonNull(spec).commandLine().getOut();
    try (var scope = Scope.open(Device.of(RunFolder.open(folder).settings().device()))) {
      var model = Trained.load(folder).model();
      Onnx.save(target, Chain.of(model.embed(), model.stack(), model.head()), Onnx.Input.STATES);
      out.println(
          String.format(
              Locale.ROOT,
              "%s  %s weights",
              Reporter.visible(target.toString()),
              Numbers.count(model.parameters().count())));
      return 0;
    }
  }
}
