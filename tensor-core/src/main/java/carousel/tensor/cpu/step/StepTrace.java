package carousel.tensor.cpu.step;

import carousel.tensor.DType;
import carousel.tensor.Device;
import carousel.tensor.Scope;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import carousel.tensor.cpu.loop.Pointwise;
import carousel.tensor.cpu.step.Value.Kind;
import carousel.tensor.cpu.step.Value.Term;
import carousel.tensor.op.Binary;
import carousel.tensor.op.Cast;
import carousel.tensor.op.Composite;
import carousel.tensor.op.Interpreter;
import carousel.tensor.op.Joins;
import carousel.tensor.op.MatMul;
import carousel.tensor.op.Op;
import carousel.tensor.op.Scan;
import carousel.tensor.op.Ternary;
import carousel.tensor.op.Unary;
import carousel.tensor.op.Views;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Runs a step once and notes what it computes, as values of H columns: a matrix {@code [N,mH]} is m
 * values, a gate that is cut out of it is one of them.
 *
 * <p>Understood are elementwise rows, products with weights from the right, and cutting and joining
 * along the last axis at multiples of H: what a cell is made of. A step that does anything else has
 * no kernel and runs as it is written.
 */
public final class StepTrace implements Interpreter {
  /** Rows of the batch while tracing: what depends on their number is not a cell. */
  static final int ROWS = 2;

  private final Graph graph;
  private final int width;
  private final IdentityHashMap<Tensor, List<Value>> values = new IdentityHashMap<>();
  private final IdentityHashMap<Tensor, Integer> matrices = new IdentityHashMap<>();

  /** What the step made of given numbers, but for single ones. */
  private final List<Tensor> constants = new ArrayList<>();

  /** Thrown, and caught, where a step does what no kernel can. */
  public static final class NotUnderstood extends RuntimeException {
    private static final long serialVersionUID = 1;

    /** Of a piece that is cut off elsewhere than at a multiple of H; else 0. */
    public final int columns;

    /** Of something else than a cut. */
    public NotUnderstood() {
      this(0);
    }

    NotUnderstood(int columns) {
      super(null, null, false, false);
      this.columns = columns;
    }
  }

  /** A trace into a graph whose values have {@code width} columns. */
  public StepTrace(Graph graph, int width) {
    this.graph = graph;
    this.width = width;
  }

  /**
   * What a step gives: the output, and the state after it.
   *
   * @param outputs y first
   */
  record Outputs(List<Value> outputs) {}

  /** The outputs of a step in a graph; null if it is not understood. */
  static @Nullable Outputs of(Scan scan, Tensor[] inputs, Graph graph) {
    Tensor state = inputs[3];
    int width = state.rank() == 2 ? state.dim(1) : 0;
    int columns = inputs[1].dim(1);
    if (width == 0 || columns % width != 0) {
      return null;
    }
    var trace = new StepTrace(graph, width);
    try (var scope = Scope.openUnwatched()) {
      Device device = state.device();
      DType type = state.dtype();
      Tensor z = Tensor.empty("scan", device, type, Shape.of(ROWS, columns)).fill(0);
      List<Value> gates = new ArrayList<>();
      for (int block = 0; block < columns / width; block++) {
        gates.add(graph.gate(block));
      }
      trace.values.put(z, gates);
      Tensor[] states = new Tensor[scan.states()];
      for (int i = 0; i < states.length; i++) {
        if (!inputs[3 + i].shape().equals(state.shape())) {
          return null;
        }
        states[i] = Tensor.empty("scan", device, type, Shape.of(ROWS, width)).fill(0);
        trace.values.put(states[i], List.of(graph.state(i)));
      }
      int end = inputs.length - (scan.ragged() ? 1 : 0);
      for (int i = 3 + states.length; i < end; i++) {
        trace.weight(inputs[i], i);
      }
      Tensor[] outputs = trace.run(() -> scan.step().apply(z, states));
      List<Value> results = new ArrayList<>();
      for (Tensor output : outputs) {
        List<Value> parts = trace.parts(output);
        if (parts.size() != 1 || isTest(parts.getFirst())) {
          return null;
        }
        results.add(parts.getFirst());
      }
      return new Outputs(results);
    } catch (NotUnderstood e) {
      return null;
    }
  }

  private void weight(Tensor weight, int input) {
    if (weight.rank() == 1 && weight.dim(0) % width == 0 && weight.dim(0) > 0) {
      List<Value> blocks = new ArrayList<>();
      for (int block = 0; block < weight.dim(0) / width; block++) {
        blocks.add(graph.vector(input, block));
      }
      values.put(weight, blocks);
    } else {
      matrices.put(weight, input); // or anything else, which no op that is understood reads
    }
  }

  @Override
  public Tensor[] apply(Op op, Tensor... inputs) {
    if (op instanceof Composite composite) {
      return composite.body().apply(inputs);
    }
    Tensor[] results = op.evaluate(inputs);
    switch (op) {
      case Unary _, Binary _, Ternary _ -> note(results[0], elementwise(op, inputs));
      case Cast cast ->
          note(results[0], parts(inputs[0]).stream().map(x -> number(x, cast.to())).toList());
      case MatMul _ -> note(results[0], product(inputs[0], inputs[1]));
      case Views.Split split -> {
        List<Value> all = columns(inputs[0], split.axis());
        int from = 0;
        for (int i = 0; i < results.length; i++) {
          int to = from + blocks(split.sizes().get(i));
          note(results[i], all.subList(from, to));
          from = to;
        }
      }
      case Views.Slice slice when slice.step() == 1 -> {
        int from = blocks(slice.start());
        List<Value> all = columns(inputs[0], slice.axis());
        note(results[0], all.subList(from, from + blocks(slice.count())));
      }
      case Joins.Concat concat -> {
        List<Value> all = new ArrayList<>();
        for (Tensor input : inputs) {
          all.addAll(columns(input, concat.axis()));
        }
        note(results[0], all);
      }
      case Views.Expand _ -> note(results[0], parts(inputs[0]));
      default -> throw new NotUnderstood();
    }
    return results;
  }

  /** Says what a tensor holds, from left to right. */
  public void note(Tensor tensor, List<Value> parts) {
    values.put(tensor, List.copyOf(parts));
  }

  private int blocks(int columns) {
    if (columns % width != 0) {
      throw new NotUnderstood(columns);
    }
    return columns / width;
  }

  /** The values of a tensor that is cut or joined along its last axis. */
  private List<Value> columns(Tensor tensor, int axis) {
    List<Value> parts = parts(tensor);
    if (axis != tensor.rank() - 1 || parts.size() * width != tensor.dim(axis)) {
      throw new NotUnderstood();
    }
    return parts;
  }

  /** What a tensor holds, from left to right. */
  public List<Value> parts(Tensor tensor) {
    List<Value> parts = values.get(tensor);
    if (parts == null) {
      parts = List.of(constant(tensor));
      values.put(tensor, parts);
    }
    return parts;
  }

  /** Tensors that were taken for constants. */
  public List<Tensor> constants() {
    return constants;
  }

  /** A tensor that the step made: one number, in all places. */
  private Value constant(Tensor tensor) {
    String origin = tensor.storage().origin();
    // Not what a generator drew: all equal by chance, it would be another number at the next step.
    boolean made = origin.startsWith("full ") || origin.startsWith("from ");
    if (!made
        || matrices.containsKey(tensor)
        || !tensor.dtype().isFloating()
        || tensor.size() == 0) {
      throw new NotUnderstood();
    }
    double[] numbers = tensor.toDoubleArray();
    for (double number : numbers) {
      if (Double.doubleToRawLongBits(number) != Double.doubleToRawLongBits(numbers[0])) {
        throw new NotUnderstood();
      }
    }
    if (tensor.rank() > 0) {
      constants.add(tensor);
    }
    return graph.constant(numbers[0]);
  }

  private List<Value> elementwise(Op op, Tensor... inputs) {
    List<List<Value>> operands = new ArrayList<>();
    int size = 1;
    for (Tensor input : inputs) {
      List<Value> parts = parts(input);
      operands.add(parts);
      size = Math.max(size, parts.size());
    }
    List<Value> results = new ArrayList<>();
    for (int i = 0; i < size; i++) {
      List<Value> arguments = new ArrayList<>();
      for (List<Value> parts : operands) {
        boolean number = parts.size() == 1 && parts.getFirst().kind() == Kind.CONSTANT;
        if (!number && parts.size() != size) {
          throw new NotUnderstood();
        }
        arguments.add(parts.get(number ? 0 : i));
      }
      results.add(rowOf(graph, op, arguments));
    }
    return results;
  }

  /** Applies a row, if its operands are numbers where it reads numbers and tests where it reads tests. */
  static Value rowOf(Graph graph, Op op, List<Value> arguments) {
    for (int i = 0; i < arguments.size(); i++) {
      if (isTest(arguments.get(i)) != Pointwise.readsTest(op, i)) {
        throw new NotUnderstood();
      }
    }
    return graph.apply(op, arguments);
  }

  /** Whether a value is a mask: what a comparison gives. */
  public static boolean isTest(Value value) {
    return value.op() != null && Pointwise.isTest(value.op());
  }

  /** A test as a number, 1 where it holds. */
  private Value number(Value value, DType to) {
    if (!isTest(value) || !to.isFloating()) {
      throw new NotUnderstood();
    }
    return graph.apply(Ternary.WHERE, List.of(value, graph.constant(1), graph.constant(0)));
  }

  private List<Value> product(Tensor a, Tensor b) {
    Integer weight = matrices.get(b);
    if (weight == null || b.rank() != 2 || b.dim(1) % width != 0 || a.rank() != 2) {
      throw new NotUnderstood();
    }
    List<Value> factors = parts(a);
    if (factors.size() * width != b.dim(0)) {
      throw new NotUnderstood();
    }
    List<Value> results = new ArrayList<>();
    for (int column = 0; column < b.dim(1) / width; column++) {
      List<Term> terms = new ArrayList<>();
      for (int row = 0; row < factors.size(); row++) {
        terms.add(new Term(factors.get(row), weight, row, column));
      }
      results.add(graph.sum(List.of(), terms));
    }
    return results;
  }
}
