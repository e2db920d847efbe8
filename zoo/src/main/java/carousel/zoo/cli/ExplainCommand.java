package carousel.zoo.cli;

import carousel.nn.Summary;
import carousel.nn.init.Init;
import carousel.nn.recurrent.Cells;
import carousel.nn.recurrent.Recurrent;
import carousel.tensor.DType;
import carousel.tensor.Philox;
import carousel.tensor.Tensor;
import carousel.tensor.TensorException;
import carousel.tensor.TensorScope;
import carousel.zoo.run.Choice;
import carousel.zoo.run.Failure;
import java.util.Locale;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Says what runs a cell over time. */
@Command(
    name = "explain",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    header =
        "Says what weights a cell has, and what runs it over time: the stages of its kernel, or why it has none.")
final class ExplainCommand implements Callable<Integer> {
  private static final int STEPS = 2;

  @Spec private @Nullable CommandSpec spec;

  @Parameters(
      paramLabel = "CELL",
      completionCandidates = Names.OfCells.class,
      description = "One of ${COMPLETION-CANDIDATES}.")
  private String cell = "";

  @Option(
      names = "--hidden",
      paramLabel = "N",
      description = "Hidden units (default: ${DEFAULT-VALUE}).")
  private int hidden = 200;

  @Option(
      names = "--inputs",
      paramLabel = "N",
      description = "Features of the input (default: ${DEFAULT-VALUE}).")
  private int inputs = 200;

  @Option(
      names = "--batch",
      paramLabel = "N",
      description = "Rows of the batch (default: ${DEFAULT-VALUE}).")
  private int batch = 20;

  @Override
  public Integer call() {
    Choice.require("CELL", cell, Cells.names());
    CommandSpec command = Objects.requireNonNull(spec);
    for (int size : new int[] {hidden, inputs, batch}) {
      if (size < 1) {
        throw new ParameterException(command.commandLine(), "sizes must be 1 or more, got " + size);
      }
    }
    try (var scope = TensorScope.open()) {
      var made = Cells.of(cell, inputs, hidden, Init.xavierUniform(), Philox.of(1));
      Tensor x = Tensor.zeros(DType.F32, STEPS, batch, inputs);
      var out = command.commandLine().getOut();
      out.println(Summary.of(made));
      out.print(Recurrent.of(made).explain(x));
    } catch (TensorException e) {
      String first = String.valueOf(e.getMessage()).lines().findFirst().orElse("");
      throw new Failure(
          String.format(
              Locale.ROOT,
              "%s of %d inputs, %d hidden units and a batch of %d: %s",
              cell,
              inputs,
              hidden,
              batch,
              first),
          e);
    }
    return 0;
  }
}
