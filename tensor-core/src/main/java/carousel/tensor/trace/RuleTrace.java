package carousel.tensor.trace;

import carousel.tensor.DType;
import carousel.tensor.Device;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import carousel.tensor.op.Binary;
import carousel.tensor.op.Interpreter;
import carousel.tensor.op.Op;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Notes what the rule of a row makes of a cotangent: the rule runs on placeholders for values. */
final class RuleTrace {
  /** Any number but 1, which would fit everywhere. */
  private static final int ROWS = 2;

  private final StepTrace trace;

  /** A rule reads nothing but placeholders, and its numbers are part of it. */
  private static final class Nothing extends Captured {
    private final Graph graph;

    Nothing(TensorScope scope, Graph graph) {
      super(Interpreter.EAGER, scope, graph);
      this.graph = graph;
    }

    @Override
    boolean isRule() {
      return true;
    }

    @Override
    Value number(double value) {
      return graph.constant(value);
    }

    @Override
    void requireTaken(Tensor tensor) {
      throw new Untraced("the rule of a row reads a tensor of its own, " + tensor.shape());
    }
  }

  private RuleTrace(StepTrace trace) {
    this.trace = trace;
  }

  /** What flows back to each input of a value; null where nothing does. */
  static List<@Nullable Value> pull(
      Graph graph, Value value, Value cotangent, DType type, Device device) {
    try (var scope = TensorScope.openUnwatched()) {
      var captured = new Nothing(scope, graph);
      var trace = new StepTrace(graph, Shape.of(ROWS), type, device, new Cuts(), captured, null);
      return new RuleTrace(trace).pull(value, cotangent);
    }
  }

  private List<@Nullable Value> pull(Value value, Value cotangent) {
    Op op = Objects.requireNonNull(value.op());
    int arity = value.inputs().size();
    int width = value.width();
    Tensor g = placeholder(cotangent, width);
    Tensor y = placeholder(value, width);
    Tensor[] x = new Tensor[arity];
    boolean[] wanted = new boolean[arity];
    for (int i = 0; i < arity; i++) {
      Value input = value.inputs().get(i);
      x[i] = placeholder(input, width);
      wanted[i] = !input.isTest() && !input.isNumber() && op.vjp().flows(i);
    }
    @Nullable Tensor[] pulled = trace.run(() -> op.vjp().pull(new Placeholders(g, y, x), wanted));
    @Nullable Value[] results = new Value[arity];
    for (int i = 0; i < arity; i++) {
      Tensor result = pulled[i];
      if (wanted[i] && result != null) {
        List<Part> parts = trace.operand(result, true).parts();
        results[i] = trace.graph.spread(parts.getFirst().value(), width);
      }
    }
    return Arrays.asList(results);
  }

  private Tensor placeholder(Value value, int width) {
    return trace.standIn(List.of(new Part(value, width)));
  }

  /** What flows back through a fold to the columns of its input. */
  static Value fold(Graph graph, Value value, Value cotangent) {
    Value input = value.inputs().getFirst();
    Value g = graph.spread(cotangent, input.width());
    if (value.op() == Binary.ADD) {
      return g;
    }
    // Equal shares to all that attain the extreme.
    Value hit = graph.apply(Binary.EQ, List.of(input, value));
    Value one = graph.indicator(hit);
    Value count = graph.fold(Binary.ADD, one);
    return graph.apply(Binary.DIV, List.of(graph.apply(Binary.MUL, List.of(g, one)), count));
  }
}
