package carousel.tensor.cpu.step;

import carousel.tensor.DType;
import carousel.tensor.Device;
import carousel.tensor.Scope;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import carousel.tensor.cpu.step.Value.Kind;
import carousel.tensor.op.Op;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Notes what the rule of a row makes of a cotangent: the rule runs on placeholders for values. */
final class RuleTrace {
  private final StepTrace trace;
  private final DType type;
  private final Device device;

  private RuleTrace(Graph graph, DType type, Device device) {
    this.trace = new StepTrace(graph, 1);
    this.type = type;
    this.device = device;
  }

  /** What flows back to each input of a value; null where nothing does. */
  static List<@Nullable Value> pull(
      Graph graph, Value value, Value cotangent, DType type, Device device) {
    try (var scope = Scope.openUnwatched()) {
      return new RuleTrace(graph, type, device).pull(value, cotangent);
    }
  }

  private List<@Nullable Value> pull(Value value, Value cotangent) {
    Op op = Objects.requireNonNull(value.op());
    int arity = value.inputs().size();
    Tensor g = placeholder(cotangent, type);
    Tensor y = placeholder(value, type);
    Tensor[] x = new Tensor[arity];
    boolean[] wanted = new boolean[arity];
    for (int i = 0; i < arity; i++) {
      Value input = value.inputs().get(i);
      boolean isTest = StepTrace.isTest(input);
      x[i] = placeholder(input, isTest ? DType.BOOL : type);
      wanted[i] = !isTest && input.kind() != Kind.CONSTANT && op.vjp().flows(i);
    }
    @Nullable Tensor[] pulled = trace.run(() -> op.vjp().pull(new Placeholders(g, y, x), wanted));
    @Nullable Value[] results = new Value[arity];
    for (int i = 0; i < arity; i++) {
      Tensor result = pulled[i];
      if (wanted[i] && result != null) {
        results[i] = trace.parts(result).getFirst();
      }
    }
    return Arrays.asList(results);
  }

  private Tensor placeholder(Value value, DType of) {
    Tensor tensor = Tensor.empty("scan", device, of, Shape.of(StepTrace.ROWS, 1)).fill(1);
    trace.note(tensor, List.of(value));
    return tensor;
  }
}
