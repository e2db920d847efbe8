package carousel.zoo.draw;

import carousel.autograd.Grad;
import carousel.nn.Parameters;
import carousel.nn.init.Init;
import carousel.nn.recurrent.Cell;
import carousel.nn.recurrent.Cells;
import carousel.nn.recurrent.GatedCell;
import carousel.nn.recurrent.RecurrentState;
import carousel.tensor.DType;
import carousel.tensor.Philox;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import carousel.tensor.op.GateOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * The computational graph of one step of a cell, forward and backward: from the input X, the state
 * before and the weights to the state after, and from the gradients of the state after back to those.
 */
public final class StepGraph {
  // Sizes of which every multiple that occurs tells which one it is.
  private static final int BATCH = 2;
  private static final int INPUTS = 3;
  private static final int HIDDEN = 7;

  private StepGraph() {}

  /**
   * Traces a step.
   *
   * @param cell the name of the cell
   * @param backward whether to trace the gradients too
   * @return the graph, shapes in terms of the batch N, the inputs D and the hidden size H
   */
  public static Diagram of(String cell, boolean backward) {
    try (var scope = TensorScope.open()) {
      var made = Cells.of(cell, INPUTS, HIDDEN, Init.uniform(0.5), Philox.of(1));
      return of(cell, made, backward);
    }
  }

  private static <S extends RecurrentState> Diagram of(
      String name, Cell<S> cell, boolean backward) {
    var rng = Philox.of(2);
    var tracer = new GraphTracer(StepGraph::symbolic, gates(cell));
    Tensor x = rng.uniform(DType.F32, -1, 1, 1, BATCH, INPUTS);
    var zero = cell.zero(BATCH);
    var before = RecurrentState.map(zero, t -> rng.uniform(t.dtype(), -1, 1, t.shape().toArray()));
    var names = names(before);
    tracer.source(x, "X", NodeKind.INPUT);
    for (int i = 0; i < names.size(); i++) {
      tracer.source(before.tensors().get(i), names.get(i) + "′", NodeKind.INPUT);
    }
    var parameters = cell.parameters();
    for (var named : parameters) {
      tracer.source(named.value(), named.name(), NodeKind.PARAMETER);
    }
    var leaves = leaves(x, before, parameters);
    var after = new ArrayList<Tensor>();
    return tracer.run(() -> {
      try (var pullback = Grad.vjp(() -> joined(step(cell, x, before), after), leaves)) {
        for (int i = 0; i < names.size(); i++) {
          tracer.sink(after.get(i), names.get(i), NodeKind.OUTPUT);
        }
        if (backward) {
          Tensor cotangent = pullback.value().fullLike(pullback.value().shape(), 1);
          tracer.backward(cotangent, names.stream().map(n -> "∂L/∂" + n).toList());
          var gradients = pullback.pull(cotangent);
          tracer.sink(gradients.getFirst(), "∂L/∂X", NodeKind.GRADIENT);
          for (int i = 0; i < names.size(); i++) {
            tracer.sink(gradients.get(1 + i), "∂L/∂" + names.get(i) + "′", NodeKind.GRADIENT);
          }
          int next = 1 + names.size();
          for (var named : parameters) {
            tracer.sink(gradients.get(next++), "∂L/∂" + named.name(), NodeKind.GRADIENT);
          }
        }
      }
      return tracer.diagram(title(name, backward));
    });
  }

  /** The names of the blocks of the cell's weights, if it tells. */
  private static List<GateOrder> gates(Cell<?> cell) {
    return cell instanceof GatedCell<?> gated
        ? List.of(gated.gates(), gated.products())
        : List.of();
  }

  private static String title(String name, boolean backward) {
    return String.format(
        Locale.ROOT, "One step of %s%s", name, backward ? ", forward and backward" : "");
  }

  private static Tensor[] leaves(Tensor x, RecurrentState before, Parameters parameters) {
    var leaves = new ArrayList<>(List.of(x));
    leaves.addAll(before.tensors());
    for (var named : parameters) {
      leaves.add(named.value());
    }
    return leaves.toArray(Tensor[]::new);
  }

  private static <S extends RecurrentState> List<Tensor> step(Cell<S> cell, Tensor x, S before) {
    return cell.step(cell.project(x).select(0, 0), before).tensors();
  }

  /** One tensor of all that comes out, so that one cotangent reaches all of it. */
  private static Tensor joined(List<Tensor> state, List<Tensor> noted) {
    noted.addAll(state);
    return state.size() == 1 ? state.getFirst() : Tensor.concat(state, Tensor.LAST);
  }

  private static List<String> names(RecurrentState state) {
    return Arrays.stream(state.getClass().getRecordComponents())
        .map(c -> c.getName().toUpperCase(Locale.ROOT))
        .toList();
  }

  /** {@code [2,28]} as {@code [N,4H]}. */
  private static String symbolic(Shape shape) {
    return IntStream.of(shape.toArray())
        .mapToObj(StepGraph::symbol)
        .collect(Collectors.joining(",", "[", "]"));
  }

  private static String symbol(int size) {
    if (size == BATCH) {
      return "N";
    }
    if (size == INPUTS) {
      return "D";
    }
    if (size == HIDDEN) {
      return "H";
    }
    return size > 0 && size % HIDDEN == 0 ? size / HIDDEN + "H" : Integer.toString(size);
  }
}
