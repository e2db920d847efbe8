package carousel.zoo;

import carousel.autograd.Grad;
import carousel.autograd.GradCheck;
import carousel.nn.Init;
import carousel.nn.recurrent.Cells;
import carousel.nn.recurrent.Recurrent;
import carousel.nn.recurrent.State;
import carousel.tensor.DType;
import carousel.tensor.Philox;
import carousel.tensor.Scope;
import carousel.tensor.Tensor;
import carousel.zoo.lm.Choice;
import carousel.zoo.lm.Failure;
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
          + " and every weight; order 2 is the gradient of that gradient. An entry passes if it"
          + " differs by at most 1e-6, or 1e-6 of its size; the error shown is relative to entries"
          + " above 1.",
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

  @Override
  public Integer call() {
    if (order < 1 || order > 3) throw Failure.usage("--order must be from 1 to 3, got " + order);
    for (var cell : cells) Choice.require("CELL", cell, Cells.names());
    var out = Objects.requireNonNull(spec).commandLine().getOut();
    out.println(
        "T=%d steps, N=%d rows, D=%d inputs, H=%d, F64, seed %d"
            .formatted(STEPS, BATCH, INPUTS, HIDDEN, seed));
    out.println();
    out.println("cell             order   entries   worst error   verdict");
    var failures = new ArrayList<String>();
    for (var cell : cells.isEmpty() ? Cells.names() : cells) {
      for (var k = 1; k <= order; k++) {
        var report = check(cell, k);
        out.println(
            String.format(
                Locale.ROOT,
                "%-16s %5d %9d %13.1e   %s",
                cell,
                k,
                report.compared(),
                report.error(),
                report.passed() ? "ok" : "FAILED"));
        out.flush();
        if (!report.passed()) failures.add(report.toString());
      }
    }
    out.println();
    if (failures.isEmpty()) {
      out.println("all gradients agree");
      return 0;
    }
    failures.forEach(out::println);
    return 1;
  }

  /** The entries of one order alone. */
  private GradCheck.Report check(String name, int k) {
    try (var scope = Scope.open()) {
      var rng = Philox.of(seed);
      var init = Init.uniform(0.8).as(DType.F64);
      var cell = Cells.of(name, INPUTS, HIDDEN, init, rng);
      // Biases that start at 0 would leave a mistake in their use unseen.
      for (var named : cell.parameters()) {
        var value = named.value();
        named.parameter().assign(init.sample(rng, value.dtype(), value.shape()));
      }
      var inputs = new ArrayList<Tensor>();
      inputs.add(rng.normal(DType.F64, 0, 1, STEPS, BATCH, INPUTS));
      for (var tensor : cell.zero(BATCH).tensors()) {
        inputs.add(rng.normal(DType.F64, 0, 0.5, tensor.shape().toArray()));
      }
      for (var named : cell.parameters()) inputs.add(named.value());
      var layer = Recurrent.of(cell);
      GradCheck.Function checked = in -> output(layer, in);
      for (var below = 1; below < k; below++) checked = gradient(checked, rng.split(below).seed());
      return GradCheck.strict().withOrder(1).run(name, checked, inputs.toArray(Tensor[]::new));
    }
  }

  /** All gradients of a function, for a cotangent that is random but always the same. */
  private static GradCheck.Function gradient(GradCheck.Function f, long seed) {
    return in -> {
      try (var pullback = Grad.vjp(() -> f.apply(in), in)) {
        var shape = pullback.value().shape().toArray();
        var cotangent = Philox.of(seed).normal(DType.F64, 0, 1, shape);
        return Tensor.concat(0, pullback.pull(cotangent).stream().map(Tensor::flatten).toList());
      }
    };
  }

  private static <S extends State> Tensor output(Recurrent<S> layer, Tensor... in) {
    var zero = layer.cell().zero(BATCH);
    var state = State.with(zero, List.of(in).subList(1, 1 + zero.tensors().size()));
    return layer.run(in[0], state).y();
  }
}
