package carousel.tensor.trace;

import carousel.tensor.DType;
import carousel.tensor.Device;
import carousel.tensor.Draws;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import carousel.tensor.op.Interpreter;
import carousel.tensor.op.Scan;
import carousel.tensor.trace.Value.Kind;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Traces the step of a recurrence, at every call: what the step does now is what the kernel does. It is
 * traced with the rows it will have. A step that is met for the first time, or with other numbers than the
 * last time, is traced again: what comes out different changes from step to step, and has no kernel.
 */
public final class ScanTrace {
  /** A step cuts, and adds, no more often. */
  private static final int MOST_ROUNDS = 64;

  private static final int MOST_KNOWN = 1000;

  /** Further traces of a step that is new: one that throws coins is to be found out. */
  private static final int TIMES_WHEN_NEW = 3;

  /** The numbers that steps had the last time, by signature. */
  private static final Map<String, List<Double>> KNOWN = new Recent<>(MOST_KNOWN);

  private final Scan.Step step;
  private final Scan.Given given;
  private final Captured captured;
  private final TensorScope scope;
  private final Interpreter outer = Interpreter.current();

  /** What one trace gives. */
  private record Result(Traced traced, WeightProducts products, List<Tensor> captured) {}

  private ScanTrace(Scan.Step step, Scan.Given given, TensorScope scope) {
    this.step = step;
    this.given = given;
    this.scope = scope;
    this.captured = new Captured(outer, scope, new Graph());
  }

  /**
   * Traces a step.
   *
   * @param step the step
   * @param given what it is given
   * @param scope the innermost scope, which owns what is made on the way
   * @return the step as a graph, and the inputs of its scan
   * @throws Untraced if it does what no kernel can; the message says what
   */
  public static Scan.Call of(Scan.Step step, Scan.Given given, TensorScope scope) {
    return new ScanTrace(step, given, scope).call();
  }

  private Scan.Call call() {
    requireTaken();
    Result first = trace();
    List<Double> numbers = List.copyOf(first.traced().graph().numbers());
    List<Double> last;
    synchronized (KNOWN) {
      last = KNOWN.get(first.traced().signature());
    }
    boolean made = first.captured().stream().anyMatch(scope::owns);
    if (made || !numbers.equals(last)) {
      for (int i = 0; i < (last == null ? TIMES_WHEN_NEW : 1); i++) {
        requireSame(first, trace(), made);
      }
      synchronized (KNOWN) {
        KNOWN.put(first.traced().signature(), numbers);
      }
    }
    Tensor like = given.like();
    String refusal =
        like.device().backend().refusal(first.traced(), like, given.isAffine(first.traced()));
    if (!refusal.isEmpty()) {
      throw Untraced.somewhere(refusal);
    }
    List<Tensor> sequences = new ArrayList<>();
    for (Tensor product : first.products().hoisted(new InputsOfAllSteps(), first.captured())) {
      sequences.add(outer.run(() -> product.reshape(given.steps(), given.rows(), product.dim(1))));
    }
    return Scan.Call.of(given, first.traced(), sequences, first.captured(), captured.roots());
  }

  private void requireTaken() {
    Tensor like = given.like();
    int rows = given.rows();
    if (!like.dtype().isFloating() || rows == 0 || given.steps() == 0) {
      throw Untraced.somewhere(
          String.format(
              Locale.ROOT, "there is nothing to run: %d steps of %d rows", given.steps(), rows));
    }
    for (Tensor state : given.states()) {
      boolean fits = state.rank() == 2 && state.dim(0) == rows && state.dtype() == like.dtype();
      if (!fits || state.size() == 0) {
        throw Untraced.somewhere(
            String.format(
                Locale.ROOT,
                "a tensor of its state is %s %s, not [%d,C] of one type for all",
                state.dtype(),
                state.shape(),
                rows));
      }
    }
    for (Scan.Input input : given.inputs()) {
      if (input instanceof Scan.Sequence(Tensor z) && z.dtype() != like.dtype()) {
        throw Untraced.somewhere(
            String.format(
                Locale.ROOT,
                "its projected input is %s beside a state of %s",
                z.dtype(),
                like.dtype()));
      }
      if (!input.fits(given.steps(), rows) || input.columns() == 0) {
        throw Untraced.somewhere(
            String.format(Locale.ROOT, "its input is not [%d,%d,C]", given.steps(), rows));
      }
    }
  }

  private static void requireSame(Result first, Result second, boolean made) {
    boolean same =
        first.traced().signature().equals(second.traced().signature())
            && first.traced().graph().numbers().equals(second.traced().graph().numbers())
            && first.captured().size() == second.captured().size();
    for (int i = 0; same && made && i < first.captured().size(); i++) {
      Tensor a = first.captured().get(i);
      Tensor b = second.captured().get(i);
      same = a == b || a.sameValues(b);
    }
    if (!same) {
      throw Untraced.somewhere(
          "what it computes changes from one run of the step to the next, though nothing that it is given does");
    }
  }

  private Result trace() {
    var cuts = new Cuts();
    for (int round = 0; round < MOST_ROUNDS; round++) {
      cuts.begin();
      Result result = attempt(cuts);
      if (result != null) {
        return result;
      }
    }
    throw Untraced.somewhere("it cuts columns in too many ways");
  }

  private @Nullable Result attempt(Cuts cuts) {
    var graph = new Graph();
    captured.again(graph);
    int inputs = given.inputs().size();
    var products = new WeightProducts(graph, cuts, captured, inputs);
    Tensor like = given.like();
    var rows = Shape.of(given.rows());
    DType type = like.dtype();
    Device device = like.device();
    var trace = new StepTrace(graph, rows, type, device, cuts, captured, products);
    Tensor[] sequences = new Tensor[inputs];
    for (int i = 0; i < inputs; i++) {
      sequences[i] = trace.given(Kind.INPUT, i, given.inputs().get(i).columns());
    }
    List<Tensor> states = given.states();
    Tensor[] before = new Tensor[states.size()];
    for (int k = 0; k < before.length; k++) {
      before[k] = trace.given(Kind.STATE, k, states.get(k).dim(1));
    }
    Tensor[] results = run(trace, sequences, before);
    List<List<Value>> next = new ArrayList<>();
    List<List<Value>> state = new ArrayList<>();
    for (int k = 0; k < before.length; k++) {
      requireShape("tensor " + k + " of the state", results[k + 1], states.get(k).shape());
      List<List<Part>> both =
          trace.columns.align(List.of(parts(trace, results[k + 1]), trace.of(before[k]).parts()));
      next.add(values(graph, both.get(0)));
      state.add(both.get(1).stream().map(Part::value).toList());
    }
    requireShape("the output", results[0], rows.insert(1, results[0].dim(-1)));
    List<Value> y = values(graph, parts(trace, results[0]));
    List<Value> outputs = new ArrayList<>(y);
    next.forEach(outputs::addAll);
    Set<Value> read = graph.read(outputs);
    if (cuts.hasMissed() || trace.columns.setApart(read, readAsTheyAre(graph, read))) {
      return null;
    }
    requireComputed(read, JointGraph.live(outputs));
    return new Result(Traced.of(graph, y, next, state), products, captured.tensors());
  }

  /** Runs the step; whatever fails says why there is no kernel. The body fails in its own words. */
  private Tensor[] run(StepTrace trace, Tensor[] inputs, Tensor[] states) {
    try {
      return Draws.refused(
          () -> new Untraced("it draws random numbers at every step"),
          () -> trace.run(() -> step.apply(inputs, states)));
    } catch (RuntimeException e) {
      throw Untraced.of(e);
    }
  }

  private static List<Part> parts(StepTrace trace, Tensor result) {
    return trace.columns.widen(trace.operand(result, true).parts(), result.dim(-1));
  }

  private static void requireShape(String what, Tensor result, Shape shape) {
    if (!result.shape().equals(shape)) {
      throw Untraced.somewhere(what + " is " + result.shape() + " after a step, not " + shape);
    }
  }

  /** Results have places of their own. */
  private static List<Value> values(Graph graph, List<Part> parts) {
    List<Value> values = new ArrayList<>();
    for (Part part : parts) {
      Value value = part.value();
      if (value.isTest()) {
        throw new Untraced("a mask as a result of a step; cast it first");
      }
      boolean own = !value.isNumber() && !value.isGiven() && value.width() == part.width();
      values.add(own ? value : graph.copy(value, part.width()));
    }
    return values;
  }

  /** A gradient multiplies by weights what flows back, and nothing else. */
  private static void requireComputed(Set<Value> read, Set<Value> live) {
    for (Value value : read) {
      if (value.kind() == Kind.SUM && !live.contains(value)) {
        throw Untraced.somewhere(
            "the rule of an op of its own reads, or lets flow to, a product that its forward does not read");
      }
    }
  }

  /** Inputs that are read otherwise than as the start of a sum. */
  private static Set<Value> readAsTheyAre(Graph graph, Set<Value> read) {
    Set<Value> plain = new HashSet<>();
    for (Value value : read) {
      if (value.kind() != Kind.SUM) {
        plain.addAll(value.inputs());
      }
      value.terms().forEach(term -> plain.add(term.factor()));
      if (value.isOwn()) {
        graph.application(value).flows().forEach(flow -> plain.add(flow.to()));
      }
    }
    plain.removeIf(value -> value.kind() != Kind.INPUT);
    return plain;
  }

  /** The inputs of all steps, for products that are computed at once. */
  private final class InputsOfAllSteps implements WeightProducts.AllSteps {
    @Override
    public Tensor like() {
      return given.like();
    }

    @Override
    public Tensor columns(int input, int from, int width) {
      Tensor columns = given.inputs().get(input).narrow(from, width);
      return columns.reshape(given.steps() * given.rows(), width);
    }

    @Override
    public int steps() {
      return given.steps();
    }

    @Override
    public int rows() {
      return given.rows();
    }
  }
}
