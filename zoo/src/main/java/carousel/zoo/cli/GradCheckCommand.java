package carousel.zoo.cli;

import carousel.autograd.GradCheck;
import carousel.autograd.GradReport;
import carousel.autograd.Leaf;
import carousel.nn.init.Init;
import carousel.nn.recurrent.Cells;
import carousel.nn.recurrent.Recurrent;
import carousel.nn.recurrent.RecurrentState;
import carousel.tensor.DType;
import carousel.tensor.Philox;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import carousel.zoo.run.Choice;
import carousel.zoo.run.Failure;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Checks the gradients of cells. */
@Command(
    name = "gradcheck",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    header = "Compares the gradients of cells with finite differences, in double precision.",
    description = {
      "",
      "Each cell is run over a short sequence. Order 1 is the gradient by the input, the initial state"
          + " and every weight; order 2 is the gradient of that gradient, and the directional"
          + " derivative. A slope passes if it differs by 1e-6 of its size at most, and by what the"
          + " differences are off by; the error shown is relative to its size.",
      ""
    })
final class GradCheckCommand implements Callable<Integer> {
  private static final int STEPS = 3;
  private static final int BATCH = 2;
  private static final int INPUTS = 3;
  private static final int HIDDEN = 4;

  @Spec private @Nullable CommandSpec spec;

  @Parameters(
      arity = "0..*",
      paramLabel = "CELL",
      completionCandidates = Names.OfCells.class,
      description = "One or more of ${COMPLETION-CANDIDATES}; all if none is given.")
  private List<String> cells = List.of();

  @Option(names = "--order", paramLabel = "N", description = "The highest order; 2 if not given.")
  private int order = 2;

  @Option(
      names = "--seed",
      paramLabel = "N",
      description = "Of weights and inputs; 1 if not given.")
  private long seed = 1;

  @Option(names = "--full", description = "Print the whole report of every cell.")
  private boolean full;

  @Override
  public Integer call() {
    if (order < 1 || order > 3) {
      throw Failure.usage("--order must be from 1 to 3, got " + order);
    }
    for (var cell : cells) {
      Choice.require("CELL", cell, Cells.names());
    }
    var out = Objects.requireNonNull(spec).commandLine().getOut();
    out.println(
        String.format(
            Locale.ROOT,
            "T=%d steps, N=%d rows, D=%d inputs, H=%d, F64, seed %d",
            STEPS,
            BATCH,
            INPUTS,
            HIDDEN,
            seed));
    out.println();
    out.println("cell             order    slopes   worst error   verdict");
    var failures = new ArrayList<String>();
    for (var cell : cells.isEmpty() ? Cells.names() : cells) {
      var report = check(cell);
      for (var of : report.orders()) {
        out.println(
            String.format(
                Locale.ROOT,
                "%-16s %5d %9d %13.1e   %s",
                cell,
                of.order(),
                of.compared(),
                of.error(),
                of.failed() == 0 ? "ok" : "FAILED"));
      }
      out.flush();
      if (full) {
        out.println(report);
      }
      if (!report.passed()) {
        failures.add(report.toString());
      }
    }
    out.println();
    if (failures.isEmpty()) {
      out.println("all gradients agree");
      return 0;
    }
    if (!full) {
      failures.forEach(out::println);
    }
    return 1;
  }

  private GradReport check(String name) {
    try (var scope = TensorScope.open()) {
      var rng = Philox.of(seed);
      var init = Init.uniform(0.8).as(DType.F64);
      var cell = Cells.of(name, INPUTS, HIDDEN, init, rng);
      // Biases that start at 0 would leave a mistake in their use unseen.
      for (var named : cell.parameters()) {
        Tensor value = named.value();
        named.parameter().assign(init.sample(rng, value.dtype(), value.shape()));
      }
      var leaves = new ArrayList<Leaf>();
      leaves.add(new Input("x", rng.normal(DType.F64, 0, 1, STEPS, BATCH, INPUTS)));
      var initial = new ArrayList<Tensor>();
      for (var tensor : cell.zero(BATCH).tensors()) {
        initial.add(rng.normal(DType.F64, 0, 0.5, tensor.shape().toArray()));
        leaves.add(new Input("initial state " + initial.size(), initial.getLast()));
      }
      for (var named : cell.parameters()) {
        leaves.add(named);
      }
      var layer = Recurrent.of(cell);
      return GradCheck.standard()
          .withOrder(order)
          .withSeed(seed)
          .run(name, () -> output(layer, leaves.getFirst().value(), initial), leaves);
    }
  }

  private record Input(String name, Tensor value) implements Leaf {}

  private static <S extends RecurrentState> Tensor output(
      Recurrent<S> layer, Tensor x, List<Tensor> initial) {
    return layer.run(x, RecurrentState.with(layer.cell().zero(BATCH), initial)).y();
  }
}
