package carousel.nn.kernels;

import carousel.nn.Training;
import carousel.nn.init.Init;
import carousel.nn.layer.Dropout;
import carousel.nn.layer.Linear;
import carousel.nn.loss.CrossEntropy;
import carousel.nn.recurrent.Cell;
import carousel.nn.recurrent.Cells;
import carousel.nn.recurrent.OddCell;
import carousel.nn.recurrent.Recurrent;
import carousel.nn.recurrent.RecurrentState;
import carousel.nn.recurrent.StrangeCell;
import carousel.tensor.DType;
import carousel.tensor.Philox;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import java.util.stream.Stream;

/**
 * Whatever the CPU has a fused kernel for: all cells, over time and by the step, and the layers.
 *
 * @param type of all numbers
 * @param inputs D, and the number of classes
 * @param units H
 */
record FusedKernels(DType type, int inputs, int units) {
  /** Of weights and states: all sides of limits and tests are seen. */
  private static final double WIDE = 1.5;

  private Init init() {
    return Init.uniform(0.5).as(type);
  }

  /** By name, what kernels are given, made in the innermost scope. */
  Map<String, Supplier<List<KernelCase>>> cases() {
    Map<String, Supplier<List<KernelCase>>> kernels = new LinkedHashMap<>();
    Stream.concat(Cells.names().stream(), OddCell.names())
        .forEach(name -> {
          kernels.put(
              name + " over time",
              () -> {
                List<KernelCase> cases = new ArrayList<>(scan(name, false, 3, 3));
                cases.addAll(scan(name, true, 2, 5));
                cases.addAll(scan(name, true, 4, 4, 3, 0, 4, 1));
                return cases;
              });
          kernels.put(name + " by the step", () -> step(name));
        });
    StrangeCell.names()
        .forEach(name ->
            kernels.put(
                name + " over time",
                () -> {
                  List<KernelCase> cases = new ArrayList<>(scan(name, false, 3, 3));
                  cases.addAll(scan(name, true, 4, 4, 3, 0, 4, 1));
                  return cases;
                }));
    kernels.put(
        "linear",
        () -> all(() -> Linear.of(inputs, units, init(), Philox.of(3)).apply(random(6, inputs))));
    kernels.put(
        "dropout",
        () -> all(() -> Training.with(Philox.of(3), () -> new Dropout(1 / 3.0).apply(random(6)))));
    kernels.put(
        "cross_entropy",
        () -> {
          int last = inputs - 1;
          int[] targets = {0, last, CrossEntropy.IGNORED, last / 3, last / 3, last / 2};
          Tensor at = Tensor.of(Shape.of(6), targets);
          return all(() -> CrossEntropy.of().apply(random(6, inputs), at));
        });
    return kernels;
  }

  private Tensor random(int... dims) {
    return Philox.of(5).normal(type, 2, 3, dims);
  }

  private static List<KernelCase> all(Supplier<?> run) {
    return KernelCase.of(op -> true, run);
  }

  private Cell<?> cell(String name, int rows) {
    var rng = Philox.of(16);
    Cell<?> cell =
        name.startsWith("odd ")
            ? OddCell.of(name, inputs, units, init(), rng)
            : name.startsWith("strange ")
                ? StrangeCell.of(name, StrangeCell.Sizes.of(rows, units), inputs, init(), rng)
                : Cells.of(name, inputs, units, init(), rng);
    for (var named : cell.parameters()) {
      named.value().assign(rng.uniform(type, -WIDE, WIDE, named.value().shape().toArray()));
    }
    return cell;
  }

  private <S extends RecurrentState> S state(Cell<S> cell, int rows) {
    var rng = Philox.of(9);
    return RecurrentState.map(
        cell.zero(rows), zero -> rng.normal(type, 0, WIDE, zero.shape().toArray()));
  }

  private List<KernelCase> scan(String name, boolean reverse, int steps, int rows, int... lengths) {
    Cell<?> cell = cell(name, rows);
    Recurrent<?> layer = reverse ? Recurrent.reverse(cell) : Recurrent.of(cell);
    Tensor x = Philox.of(5).normal(type, 0, 1, steps, rows, inputs);
    Tensor ends = lengths.length == 0 ? null : Tensor.of(lengths);
    Supplier<?> run = () -> layer.run(x, List.of(state(cell, rows)), ends);
    return cell instanceof StrangeCell || cell instanceof OddCell
        ? KernelCase.ofGraphs(run)
        : KernelCase.of(op -> op.label().endsWith(".scan"), run);
  }

  /** The composites of one step. */
  private List<KernelCase> step(String name) {
    return all(() -> step(cell(name, 3)));
  }

  private <S extends RecurrentState> S step(Cell<S> cell) {
    Tensor x = Philox.of(5).normal(type, 0, 1, 1, 3, inputs);
    return cell.step(cell.project(x).select(0, 0), state(cell, 3));
  }
}
