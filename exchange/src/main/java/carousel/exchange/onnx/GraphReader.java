package carousel.exchange.onnx;

import carousel.exchange.onnx.Operation.Operand;
import carousel.exchange.onnx.Value.Constant;
import carousel.exchange.onnx.Value.Given;
import carousel.tensor.DType;
import carousel.tensor.Tensor;
import carousel.tensor.TensorException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Nodes to steps. What depends on the tensors of the file alone is computed here and now; of the rest
 * {@link LayerSteps} makes layers where it can, and what is left are operations.
 */
final class GraphReader {
  /** Operators whose constant operands are trained, if they are weights: the others cut and move. */
  private static final Set<String> WITH_WEIGHTS =
      Set.of(
          "Add", "Sub", "Mul", "Div", "MatMul", "Gemm", "Concat", "Identity", "Expand", "Gather");

  /** Operands that may lie beyond every axis: where a slice starts and ends. */
  private static final Set<Integer> BOUNDS = Set.of(1, 2);

  private final GraphProto graph;
  private final Weights weights;
  private final Draft draft = new Draft();
  private final Map<String, Value> values = new HashMap<>();
  private final Map<String, NodeProto> refused = new HashMap<>();
  private final LayerSteps layers;

  private GraphReader(GraphProto graph) {
    this.graph = graph;
    this.weights = new Weights(graph.fileBytes());
    this.layers = new LayerSteps(this, draft, weights);
  }

  /** The graph of a file; its parameters and constants belong to the innermost scope. */
  static Graph graph(GraphProto graph) {
    return new GraphReader(graph).graph();
  }

  private Graph graph() {
    reserve();
    for (var input : graph.inputs()) {
      // A weight that is also named as an input can be replaced in a run; it is a weight all the
      // same.
      if (!graph.tensors().containsKey(input.name())) {
        draft.input(new Graph.Input(input.name(), type("input ", input), input.dims()));
        values.put(input.name(), new Given(input.name()));
      }
    }
    graph.tensors().forEach((name, tensor) -> values.put(name, weights.constant(tensor, true)));
    for (var node : graph.nodes()) {
      read(node);
    }
    if (graph.outputs().isEmpty()) {
      throw new OnnxException("the graph has no output");
    }
    for (var output : graph.outputs()) {
      draft.output(output(output));
    }
    try {
      var whole = draft.graph();
      var type = whole.weightType(); // of one type, or refused
      if (!type.isFloating()) {
        throw new AssertionError(type);
      }
      return whole;
    } catch (TensorException e) {
      throw new OnnxException("the steps do not fit each other: " + e.getMessage());
    }
  }

  private void reserve() {
    var names = new HashSet<String>(graph.tensors().keySet());
    graph.inputs().forEach(input -> names.add(input.name()));
    for (var node : graph.nodes()) {
      for (var output : node.outputs()) {
        if (!output.isEmpty() && !names.add(output)) {
          throw node.wrong(
              String.format(
                  Locale.ROOT,
                  "gives %s, which another node, an input or a tensor of the file gives",
                  OnnxException.quote(output)));
        }
      }
    }
    draft.reserve(names);
  }

  private Graph.Output output(GraphProto.Declared output) {
    String value = given(output.name(), output.name());
    return new Graph.Output(output.name(), value, type("output ", output), output.dims());
  }

  private static DataType type(String what, GraphProto.Declared declared) {
    if (declared.type() == 0) {
      return DataType.FLOAT;
    } // most are
    var type = DataType.of(declared.type(), what + OnnxException.quote(declared.name()));
    return type.isHalf() ? DataType.FLOAT : type;
  }

  /** The version of the operators. */
  long opset() {
    return graph.opset();
  }

  /** What a name stands for. */
  Value value(String name) {
    var value = values.get(name);
    if (value != null) {
      return value;
    }
    var cause = refused.get(name);
    if (cause != null) {
      throw cause.wrong(
          String.format(
                  Locale.ROOT,
                  "is not read, and %s depends on it; read are LSTM, GRU, RNN, LayerNormalization, Dropout,",
                  OnnxException.quote(name))
              + " Constant and "
              + String.join(", ", Semantics.names()));
    }
    throw new OnnxException(
        String.format(
            Locale.ROOT,
            "%s is read and nothing gives it; nodes must be in an order in which they can run",
            OnnxException.quote(name)));
  }

  /** The constant that an input of a node is; null for what is given, and for none. */
  @Nullable Constant constant(NodeProto node, int input) {
    String name = node.input(input);
    return !name.isEmpty() && value(name) instanceof Constant constant ? constant : null;
  }

  /** Whether an input of a node is known when the model runs. */
  boolean isGiven(NodeProto node, int input) {
    return !node.input(input).isEmpty() && value(node.input(input)) instanceof Given;
  }

  /** The name of an input of a node as {@link #given(String, String)} has it. */
  String given(NodeProto node, int input) {
    return given(node.input(input), node.output(0));
  }

  /** The name of what is known when the model runs; a constant becomes a step that gives it. */
  String given(String name, String wish) {
    return switch (value(name)) {
      case Given given -> given.name();
      case Constant constant -> {
        if (constant.isCut()) {
          throw new OnnxException("the graph gives " + cut(constant));
        }
        String to = draft.fresh(wish + ".value");
        var operation = new Operation("Identity", Map.of(), List.of(operand(constant, "Identity")));
        draft.add(operation, List.of(), List.of(to));
        values.put(name, new Given(to));
        yield to;
      }
    };
  }

  void put(String name, Value value) {
    if (!name.isEmpty()) {
      values.put(name, value);
    }
  }

  private void read(NodeProto node) {
    try {
      if (node.inputs().stream().anyMatch(refused::containsKey)) {
        // Fine for as long as nothing leads from here to an output.
        String cause =
            node.inputs().stream().filter(refused::containsKey).findFirst().orElseThrow();
        refuse(node, refused.get(cause));
      } else if (!node.domain().isEmpty() || !isKnown(node.operator())) {
        refuse(node, node);
      } else if (!layers.read(node)) {
        operation(Forms.modern(node, graph.opset(), weights), node);
      }
    } catch (TensorException e) {
      throw node.wrong(String.valueOf(e.getMessage()));
    }
  }

  private static boolean isKnown(String operator) {
    return LayerSteps.OPERATORS.contains(operator)
        || Forms.OPERATORS.contains(operator)
        || Semantics.find(operator) != null;
  }

  private void refuse(NodeProto node, @Nullable NodeProto cause) {
    for (var output : node.outputs()) {
      refused.put(output, cause == null ? node : cause);
    }
  }

  /** A node in the form of opset 17: its operands, by name or as numbers. */
  private void operation(Forms.Modern form, NodeProto node) {
    String problem =
        Semantics.problem(form.operator(), form.attributes().keySet(), form.operands().size());
    if (!problem.isEmpty()) {
      throw node.wrong(problem);
    }
    var operands = new ArrayList<@Nullable Value>();
    for (var operand : form.operands()) {
      operands.add(
          switch (operand) {
            case Constant constant -> constant;
            case Given name -> name.name().isEmpty() ? null : value(name.name());
          });
    }
    checkCut(form, operands, node);
    if (operands.stream().noneMatch(Given.class::isInstance)) {
      fold(form, operands, node);
    } else {
      step(form, operands, node);
    }
  }

  private static void checkCut(Forms.Modern form, List<@Nullable Value> operands, NodeProto node) {
    for (int i = 0; i < operands.size(); i++) {
      if (operands.get(i) instanceof Constant constant
          && constant.isCut()
          && !(form.operator().equals("Slice") && BOUNDS.contains(i))) {
        throw node.wrong("reads " + cut(constant));
      }
    }
  }

  private static String cut(Constant constant) {
    return String.format(
        Locale.ROOT,
        "numbers past 32 bits, %s, which there are not here",
        OnnxException.quote(constant.name()));
  }

  /** Computes what depends on the file alone. */
  private void fold(Forms.Modern form, List<@Nullable Value> operands, NodeProto node) {
    var row = Semantics.of(form.operator());
    var in = new ArrayList<@Nullable Tensor>();
    boolean isWeight = false;
    for (var operand : operands) {
      in.add(operand instanceof Constant constant ? constant.tensor() : null);
      isWeight |= operand instanceof Constant constant && constant.isWeight();
    }
    if (form.operator().equals("Expand")) {
      weights.count(expanded(in));
    }
    if (form.operator().equals("Range")) {
      var call = new Call(form.attributes(), in, 1);
      weights.count(8L * Shaper.count(call.x(0), call.x(1), call.x(2)));
    }
    var made = row.run(new Call(form.attributes(), in, node.outputs().size()));
    for (int i = 0; i < made.size(); i++) {
      Tensor tensor = made.get(i);
      long bytes = tensor.size() * tensor.dtype().bytes();
      if (!row.isView()) {
        weights.count(bytes);
      }
      put(
          node.output(i),
          new Constant(
              node.output(i), type(form, operands, tensor.dtype()), isWeight, false, () -> tensor));
    }
  }

  /** How many bytes an expansion has, before it is made. */
  private static long expanded(List<@Nullable Tensor> in) {
    Tensor shape = in.get(1);
    if (shape == null || shape.rank() > 1) {
      return 0;
    }
    double bytes = 8.0;
    for (var dim : shape.toIntArray()) {
      bytes *= Math.max(dim, 1);
    }
    return (long) Math.min(bytes, Long.MAX_VALUE / 4.0);
  }

  private static DataType type(Forms.Modern form, List<@Nullable Value> operands, DType dtype) {
    var types = new ArrayList<@Nullable DataType>();
    for (var operand : operands) {
      types.add(operand instanceof Constant constant ? constant.type() : null);
    }
    var type = Types.of(form.operator(), form.attributes(), types);
    return type != null && type.dtype() == dtype ? type : DataType.of(dtype);
  }

  private void step(Forms.Modern form, List<@Nullable Value> values, NodeProto node) {
    var from = new ArrayList<String>();
    var operands = new ArrayList<Operand>();
    for (var value : values) {
      operands.add(
          switch (value) {
            case null -> new Operand.Missing();
            case Constant constant -> operand(constant, form.operator());
            case Given given -> {
              from.add(given.name());
              yield new Operand.Given(from.size() - 1);
            }
          });
    }
    var operation = new Operation(form.operator(), form.attributes(), operands);
    draft.add(operation, from, node.outputs());
    for (var output : node.outputs()) {
      put(output, new Given(output));
    }
    layers.normalized(node.output(0));
  }

  private Operand operand(Constant constant, String operator) {
    Tensor tensor = constant.tensor();
    if (constant.isWeight()
        && tensor.dtype().isFloating()
        && tensor.rank() > 0
        && WITH_WEIGHTS.contains(operator)) {
      return new Operand.Weight(carousel.nn.Parameter.of(weights.tensor(constant)));
    }
    weights.count(tensor.size() * tensor.dtype().bytes());
    var type = constant.type().isHalf() ? DataType.FLOAT : constant.type();
    return new Operand.Constant(type, tensor.copy());
  }
}
