package carousel.tensor.trace;

import carousel.tensor.Tensor;
import carousel.tensor.op.Binary;
import carousel.tensor.op.Cotangents;
import carousel.tensor.op.CustomOp;
import carousel.tensor.op.Vjp;
import carousel.tensor.trace.StepTrace.Seen;
import carousel.tensor.trace.Value.Kind;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Notes applications of users' ops: what forward computes, and at once what the rule makes of what will
 * arrive, so that the rule is part of what tells two graphs apart, its numbers are numbers of the graph,
 * and what it reads is given to the kernel.
 */
final class Applications {
  private final StepTrace trace;
  private final Graph graph;
  private int count;
  private boolean inside;
  private boolean inRule;

  Applications(StepTrace trace) {
    this.trace = trace;
    this.graph = trace.graph;
  }

  /** Whether this is inside of a user's op, where nothing flows but by its rule. */
  boolean isInside() {
    return inside;
  }

  /** Whether a rule is being traced. */
  boolean isInRule() {
    return inRule;
  }

  /** Applies a user's op to stand-ins, and whatever else. */
  Tensor[] of(CustomOp op, Tensor... inputs) {
    if (inside) {
      // Nothing flows here: the rule of what is around says what does.
      return forward(op, inputs);
    }
    inside = true;
    try {
      return traced(op, inputs);
    } catch (RuntimeException e) {
      throw Untraced.in(op.label(), e);
    } finally {
      inside = false;
    }
  }

  @SuppressWarnings("ConstantValue") // what users' code returns
  private static Tensor[] forward(CustomOp op, Tensor... inputs) {
    Tensor[] outputs = op.forward(inputs);
    if (outputs == null || outputs.length == 0 || Arrays.asList(outputs).contains(null)) {
      throw new Untraced("forward gives no output");
    }
    return outputs;
  }

  private Tensor[] traced(CustomOp op, Tensor... inputs) {
    boolean hasColumns = false;
    boolean hasRows = false;
    for (Tensor input : inputs) {
      Seen holds = trace.known(input);
      hasColumns |= holds != null && holds.hasColumns();
      hasRows |= holds != null && holds.hasRows();
    }
    if (!hasRows) {
      // What arrives would be what arrives from one row, and the rule need not be linear in it.
      throw new Untraced("it is applied to vectors alone");
    }
    Vjp vjp = op.vjp();
    boolean[] wanted = new boolean[inputs.length];
    List<@Nullable List<Part>> parts = new ArrayList<>();
    for (int i = 0; i < inputs.length; i++) {
      // Before the outputs, so that a gradient comes to them after these.
      parts.add(vjp.flows(i) ? parts(inputs[i], hasColumns) : null);
      wanted[i] = vjp.flows(i) && inputs[i].dtype().isFloating();
    }
    OutputParts outputs = outputs(forward(op, inputs));
    List<Application.Flow> flows = new ArrayList<>();
    if (anyOf(wanted)) {
      var rule = new RuleContext(op.label(), wanted, inputs, outputs.tensors, outputs.arriving);
      @Nullable Tensor[] pulled = inRule(() -> vjp.pull(rule, wanted));
      Cotangents.requireCount(rule, pulled);
      for (int i = 0; i < inputs.length; i++) {
        Tensor g = pulled[i];
        if (wanted[i] && g != null) {
          Cotangents.requireFit(rule, i, g);
          flow(inputs[i], parts.get(i), g, flows);
        }
      }
    }
    graph.note(new Application(outputs.values, flows));
    return outputs.tensors;
  }

  private static boolean anyOf(boolean... wanted) {
    for (boolean one : wanted) {
      if (one) {
        return true;
      }
    }
    return false;
  }

  private <R> R inRule(Supplier<R> code) {
    inRule = true;
    try {
      return code.get();
    } finally {
      inRule = false;
    }
  }

  /** The parts of an input; null of one that nothing can flow to, as it is no value of each row. */
  private @Nullable List<Part> parts(Tensor input, boolean hasColumns) {
    Seen holds = trace.known(input);
    if (holds != null) {
      return holds.parts();
    }
    if (!input.dtype().isFloating()) {
      return null;
    }
    try {
      return trace.operand(input, hasColumns).parts();
    } catch (Untraced e) {
      return null;
    }
  }

  /** What an application gives: with places of its own, but for masks. */
  private record OutputParts(Tensor[] tensors, Tensor[] arriving, List<Value> values) {}

  private OutputParts outputs(Tensor... results) {
    int application = ++count;
    List<List<Part>> all = new ArrayList<>();
    int columns = 0;
    for (Tensor result : results) {
      boolean isRow = result.shape().equals(trace.rows);
      if (!isRow && (result.rank() == 0 || !result.shape().without(-1).equals(trace.rows))) {
        throw new Untraced("forward gives " + result.shape() + " of rows " + trace.rows);
      }
      Seen holds = trace.operand(result, !isRow);
      all.add(trace.columns.widen(holds.parts(), isRow ? 1 : result.dim(-1)));
      columns += width(all.getLast());
    }
    Tensor[] tensors = new Tensor[results.length];
    Tensor[] arriving = new Tensor[results.length];
    List<Value> values = new ArrayList<>();
    List<Integer> cuts = trace.cuts.ofApplication(application, columns);
    int first = 0;
    for (int k = 0; k < results.length; k++) {
      List<Part> own = new ArrayList<>();
      List<Part> gs = new ArrayList<>();
      int at = first;
      for (Part part : cut(all.get(k), first, cuts)) {
        if (part.value().isTest()) {
          own.add(part);
          gs.add(new Part(nothing(), part.width()));
        } else {
          Value value = graph.own(part.value(), part.width(), application, at);
          values.add(value);
          own.add(Part.of(value));
          gs.add(Part.of(graph.arriving(value)));
        }
        at += part.width();
      }
      boolean hasColumns = !results[k].shape().equals(trace.rows);
      tensors[k] = trace.standIn(new Seen(own, true, hasColumns));
      arriving[k] = trace.standIn(new Seen(gs, true, hasColumns));
      first = at;
    }
    return new OutputParts(tensors, arriving, values);
  }

  /** A mask that holds nowhere. */
  private Value nothing() {
    return graph.apply(Binary.NE, List.of(graph.constant(0), graph.constant(0)));
  }

  private static int width(List<Part> parts) {
    return parts.stream().mapToInt(Part::width).sum();
  }

  /** The parts of an output, cut where all outputs of the application are: they begin at a column of these. */
  private List<Part> cut(List<Part> parts, int first, List<Integer> cuts) {
    List<Part> pieces = new ArrayList<>();
    int width = width(parts);
    int from = 0;
    int at = -first;
    for (int piece : cuts) {
      at += piece;
      int to = Math.min(at, width);
      if (to > from) {
        pieces.addAll(trace.columns.slice(parts, from, to));
        from = to;
      }
    }
    return pieces;
  }

  /** Lets a result of the rule flow to the parts of an input. */
  private void flow(
      Tensor input, @Nullable List<Part> parts, Tensor result, List<Application.Flow> flows) {
    Seen holds = trace.known(result);
    boolean hasColumns = holds == null ? result.rank() > trace.rows.rank() : holds.hasColumns();
    Seen g = trace.operand(result, hasColumns);
    if (g.parts().stream().allMatch(part -> isZero(part.value()))) {
      return;
    }
    if (parts == null) {
      throw new Untraced(
          "its rule lets flow to " + input.shape() + ", which is no value for each row");
    }
    if (parts.stream().allMatch(part -> part.value().isNumber() || part.value().isTest())) {
      return;
    }
    Seen target = trace.known(input);
    boolean ofRows = target != null ? target.hasRows() : has(input, trace.rows.rank());
    boolean fromRows = holds != null ? holds.hasRows() : has(result, trace.rows.rank());
    if (!fromRows && !ofRows) {
      // Flowing from each row, it would come as often as there are rows.
      throw new Untraced("its rule gives " + result.shape() + ", the same for all rows at once");
    }
    List<Part> of = trace.columns.widen(g.parts(), hasColumns ? result.dim(-1) : 1);
    if (width(parts) == 1 && width(of) > 1) {
      add(parts.getFirst(), Part.of(trace.folds.fold(Binary.ADD, of)), flows);
      return;
    }
    List<List<Part>> both = trace.columns.align(List.of(parts, of));
    for (int i = 0; i < both.getFirst().size(); i++) {
      add(both.get(0).get(i), both.get(1).get(i), flows);
    }
  }

  /** Whether a tensor that is no stand-in has values of its own for each row. */
  private boolean has(Tensor tensor, int rank) {
    if (tensor.rank() < rank) {
      return false;
    }
    return tensor.shape().equals(trace.rows)
        || (tensor.rank() == rank + 1 && tensor.shape().without(-1).equals(trace.rows));
  }

  private static boolean isZero(Value value) {
    return value.kind() == Kind.CONSTANT && value.number() == 0;
  }

  private void add(Part to, Part g, List<Application.Flow> flows) {
    if (to.value().isNumber() || to.value().isTest() || isZero(g.value())) {
      return;
    }
    if (g.value().isTest()) {
      throw new Untraced("its rule gives a mask");
    }
    // A gradient is computed: a value of the step is none by itself.
    Value value =
        isOfArriving(g.value())
            ? graph.spread(g.value(), g.width())
            : graph.copy(g.value(), g.width());
    boolean single = to.value().width() == 1 && g.width() > 1;
    flows.add(new Application.Flow(to.value(), single ? graph.fold(Binary.ADD, value) : value));
  }

  private static boolean isOfArriving(Value value) {
    return JointGraph.live(List.of(value)).stream().anyMatch(v -> v.kind() == Kind.ARRIVING);
  }
}
