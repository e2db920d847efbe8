package carousel.tensor.trace;

import carousel.tensor.Draws;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import carousel.tensor.op.Composite;
import carousel.tensor.op.Interpreter;
import carousel.tensor.trace.Value.Kind;
import java.util.ArrayList;
import java.util.List;

/**
 * What the body of a composite computes now, if that is pointwise: elementwise rows over blocks of the
 * last axes of its inputs, {@code [N,4H]} being four blocks of one width.
 *
 * <p>A body that reads a tensor which is none of its inputs has no kernel, as the gradient by that tensor
 * would be lost.
 *
 * @param graph the values, each of {@code width} columns
 * @param width columns of a block
 * @param outputs the blocks of each output
 * @param signature what is computed, in words, whatever the numbers of the graph are
 */
public record RowTrace(Graph graph, int width, List<List<Value>> outputs, String signature) {
  /** Blocks of all inputs, above which nothing is gained. */
  private static final int MOST_BLOCKS = 16;

  private static final int MOST_ROUNDS = 64;

  /** A body computes of its inputs, and of numbers. */
  private static final class Inputs extends Captured {
    Inputs(TensorScope scope, Graph graph) {
      super(Interpreter.current(), scope, graph);
    }

    @Override
    void requireTaken(Tensor tensor) {
      throw new Untraced("it reads a tensor that is none of its inputs, " + tensor.shape());
    }
  }

  /**
   * Traces a body.
   *
   * @param body the body
   * @param rows the axes of rows
   * @param isVector which inputs are vectors {@code [C]}, for all rows; the others are {@code [rows,C]}
   * @param inputs its inputs
   * @return the trace
   * @throws Untraced if it is not pointwise
   */
  public static RowTrace of(Composite.Body body, Shape rows, boolean[] isVector, Tensor... inputs) {
    var cuts = new Cuts();
    try (var scope = TensorScope.openUnwatched()) {
      for (int round = 0; round < MOST_ROUNDS; round++) {
        cuts.begin();
        RowTrace trace = attempt(body, rows, isVector, cuts, scope, inputs);
        if (cuts.hasMissed()) {
          continue;
        }
        if (trace.isEven()) {
          return trace;
        }
        for (int i = 0; i < inputs.length; i++) {
          Kind kind = isVector[i] ? Kind.VECTOR : Kind.INPUT;
          cuts.every(kind, i, inputs[i].dim(-1), trace.width());
        }
        trace.graph().cutOwn(cuts, trace.width());
      }
    }
    throw new Untraced("it cuts columns in too many ways");
  }

  private static RowTrace attempt(
      Composite.Body body,
      Shape rows,
      boolean[] isVector,
      Cuts cuts,
      TensorScope scope,
      Tensor... inputs) {
    var graph = new Graph();
    var captured = new Inputs(scope, graph);
    Tensor like = inputs[0];
    var trace = new StepTrace(graph, rows, like.dtype(), like.device(), cuts, captured, null);
    Tensor[] standIns = new Tensor[inputs.length];
    int blocks = 0;
    for (int i = 0; i < inputs.length; i++) {
      Kind kind = isVector[i] ? Kind.VECTOR : Kind.INPUT;
      standIns[i] = trace.given(kind, i, inputs[i].dim(-1));
      blocks += trace.of(standIns[i]).parts().size();
    }
    if (blocks > MOST_BLOCKS) {
      throw new Untraced("its inputs are more than " + MOST_BLOCKS + " blocks");
    }
    Tensor[] results =
        Draws.refused(
            () -> new Untraced("it draws random numbers"),
            () -> trace.run(() -> apply(body, standIns)));
    List<List<Value>> outputs = new ArrayList<>();
    for (Tensor result : results) {
      if (result.rank() != rows.rank() + 1 || !result.shape().without(-1).equals(rows)) {
        throw new Untraced("it gives " + result.shape() + " of rows " + rows);
      }
      List<Value> values = new ArrayList<>();
      for (Part part : trace.columns.widen(trace.operand(result, true).parts(), result.dim(-1))) {
        values.add(value(graph, part));
      }
      outputs.add(values);
    }
    int width = commonWidth(graph);
    String signature =
        graph.signature() + outputs.stream().map(o -> o.stream().map(Value::id).toList()).toList();
    return new RowTrace(graph, width, List.copyOf(outputs), signature);
  }

  private static Value value(Graph graph, Part part) {
    Value value = part.value();
    if (value.isTest()) {
      throw new Untraced("it gives a mask");
    }
    return value.isNumber() || value.width() != part.width()
        ? graph.copy(value, part.width())
        : value;
  }

  private static Tensor[] apply(Composite.Body body, Tensor... standIns) {
    try {
      return body.apply(standIns);
    } catch (RuntimeException e) {
      // What is wrong, the body says again of the inputs themselves.
      throw Untraced.of(e);
    }
  }

  /** Whether all values are of one width. */
  private boolean isEven() {
    return graph.values().stream().allMatch(v -> v.isNumber() || v.width() == width);
  }

  /** The widest blocks that all values consist of. */
  private static int commonWidth(Graph graph) {
    int width = 0;
    for (Value value : graph.values()) {
      if (value.kind() == Kind.SPREAD) {
        throw new Untraced("single columns meet more");
      }
      if (value.kind() == Kind.FOLD) {
        throw new Untraced("it folds columns");
      }
      width = gcd(width, value.width());
    }
    return width;
  }

  private static int gcd(int a, int b) {
    return b == 0 ? a : gcd(b, a % b);
  }
}
