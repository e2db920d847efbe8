package carousel.nn.onnx;

import carousel.nn.Layer;
import carousel.nn.Linear;
import carousel.nn.onnx.Value.Form;
import carousel.nn.recurrent.Recurrent;
import carousel.nn.recurrent.Sequence;
import carousel.tensor.TensorException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Nodes to layers. What the data flow through must be a chain of operators that layers here compute;
 * anything else may be in a graph, as long as no layer reads it.
 */
final class GraphReader {
  private static final String READ =
      "read are LSTM, GRU, RNN, Gather (of a table), MatMul, Add (of a bias), Gemm,"
          + " LayerNormalization, Dropout and Identity";

  private static final int MOST_LAYERS = 5_000;

  private final GraphProto graph;
  private final Weights weights;
  private final Map<String, Value> values = new HashMap<>();
  private @Nullable String data; // the input that flows through the layers
  private String lengths = ""; // sequence_lens of the recurrent operators

  private GraphReader(GraphProto graph) {
    this.graph = graph;
    this.weights = new Weights(graph.fileBytes());
  }

  /** The layers of a graph; their parameters belong to the innermost scope. */
  static Chain chain(GraphProto graph) {
    return new GraphReader(graph).chain();
  }

  private Chain chain() {
    for (var input : graph.inputs()) values.put(input, new Value.Given(input));
    // A weight that is also named as an input can be replaced in a run; it is a weight all the
    // same.
    graph.tensors().forEach((name, tensor) -> values.put(name, new Value.Constant(tensor)));
    for (var node : graph.nodes()) {
      var value = blamed(read(node));
      if (!node.output(0).isEmpty()) values.put(node.output(0), value);
      for (var i = 1; i < node.outputs().size(); i++) {
        values.put(
            node.output(i),
            value instanceof Value.Flow ? new Value.Final() : new Value.Other(node));
      }
    }
    return chain(output());
  }

  /** What cannot be read because of what it reads is that node's fault. */
  private Value blamed(Value value) {
    if (value instanceof Value.Other other) {
      for (var input : other.by().inputs()) {
        if (values.get(input) instanceof Value.Other cause) return cause;
        if (!(values.get(input) instanceof Value.Constant)) break;
      }
    }
    return value;
  }

  /** The one output that data flowed to. */
  private Value.Flow output() {
    var flows = new ArrayList<Value.Flow>();
    for (var name : graph.outputs()) {
      switch (value(name)) {
        case Value.Flow flow -> flows.add(flow);
        case Value.Other other ->
            throw other
                .by()
                .wrong(
                    "is not read, and the output %s depends on it; %s"
                        .formatted(OnnxException.quote(name), hint(other.by())));
        default -> {} // states go out with every run
      }
    }
    if (flows.size() != 1) {
      throw new OnnxException(
          "%d outputs of the graph are outputs of layers, one is wanted".formatted(flows.size()));
    }
    return flows.getFirst();
  }

  private static String hint(NodeProto node) {
    return node.operator().equals("Transpose") && node.integers("perm").equals(List.of(1L, 0L, 2L))
        ? "layers here read [T,N,D]: save the model without batch_first"
        : READ;
  }

  private static Chain chain(Value.Flow flow) {
    if (flow.layers().isEmpty()) throw new OnnxException("the graph holds no layer; " + READ);
    Chain chain;
    try {
      chain = new Chain(flow.layers());
    } catch (TensorException e) {
      throw new OnnxException("the layers do not fit each other: " + e.getMessage());
    }
    var types = chain.parameters().stream().map(named -> named.value().dtype()).distinct().toList();
    if (types.size() > 1) {
      throw new OnnxException(
          "the weights are of types %s; one model has one type".formatted(types));
    }
    return chain;
  }

  private Value value(String name) {
    var value = values.get(name);
    if (value == null) {
      throw new OnnxException(
          "%s is read and nothing gives it; nodes must be in an order in which they can run"
              .formatted(OnnxException.quote(name)));
    }
    return value;
  }

  private Value read(NodeProto node) {
    if (!node.domain().isEmpty()) return new Value.Other(node);
    return switch (node.operator()) {
      case "LSTM", "GRU", "RNN" -> {
        var before = flow(node, 0);
        if (before == null) yield new Value.Other(node);
        checkLengths(node, before);
        yield after(before, RecurrentReader.of(node, this::value, weights), Form.BY_DIRECTION);
      }
      case "Gather" -> gather(node);
      case "MatMul" -> product(node);
      case "Add" -> sum(node);
      case "Gemm" -> gemm(node);
      case "LayerNormalization" -> norm(node);
      case "Squeeze" -> reformed(node, Form.BY_DIRECTION, Form.PLAIN, isSqueezed(node));
      case "Transpose" ->
          reformed(
              node,
              Form.BY_DIRECTION,
              Form.SIDE_BY_SIDE,
              node.integers("perm").equals(List.of(0L, 2L, 1L, 3L)));
      case "Reshape" -> reformed(node, Form.SIDE_BY_SIDE, Form.PLAIN, isFlattened(node));
      case "Identity", "Dropout", "Cast" -> value(node.input(0));
      case "Constant" -> {
        var tensor = node.tensor("value");
        yield tensor == null ? new Value.Other(node) : new Value.Constant(tensor);
      }
      case "Expand" ->
          value(node.input(0)) instanceof Value.Constant row
              ? new Value.Rows(row.tensor().isZero() ? null : row.tensor())
              : new Value.Other(node);
      case "ConstantOfShape" -> zeros(node);
      case "Slice" -> // zeros cut to a layer's share are zeros
          value(node.input(0)) instanceof Value.Rows rows && rows.row() == null
              ? rows
              : new Value.Other(node);
      default -> new Value.Other(node);
    };
  }

  /** What layers gave, or the data; null for anything else. */
  private Value.@Nullable Flow flow(NodeProto node, int input) {
    return switch (value(node.input(input))) {
      case Value.Flow flow when flow.form() == Form.PLAIN -> flow;
      case Value.Given given -> {
        if (data != null && !data.equals(given.name())) {
          throw node.wrong(
              "layers read the input %s here and %s elsewhere; there must be one"
                  .formatted(OnnxException.quote(given.name()), OnnxException.quote(data)));
        }
        data = given.name();
        yield new Value.Flow(List.of(), Form.PLAIN);
      }
      default -> null;
    };
  }

  /** A run has lengths for all its layers or for none. */
  private void checkLengths(NodeProto node, Value.Flow before) {
    if (before.layers().stream().noneMatch(Sequence.class::isInstance)) {
      lengths = node.input(4);
    } else if (!lengths.equals(node.input(4))) {
      throw node.wrong(
          "has the sequence_lens %s, a layer before it %s; they must be the same"
              .formatted(OnnxException.quote(node.input(4)), OnnxException.quote(lengths)));
    }
  }

  private static Value.Flow after(Value.Flow before, Layer layer, Form form) {
    if (before.layers().size() == MOST_LAYERS) {
      throw new OnnxException("more than %d layers; this is no model".formatted(MOST_LAYERS));
    }
    return new Value.Flow(Stream.concat(before.layers().stream(), Stream.of(layer)).toList(), form);
  }

  private @Nullable TensorProto constant(String name) {
    return !name.isEmpty() && value(name) instanceof Value.Constant constant
        ? constant.tensor()
        : null;
  }

  private LayerReader reader(NodeProto node) {
    return new LayerReader(node, weights);
  }

  private Value gather(NodeProto node) {
    var table = constant(node.input(0));
    var indices = value(node.input(1));
    var before = table == null || indices instanceof Value.Flow ? null : flow(node, 1);
    return table == null || before == null
        ? new Value.Other(node)
        : after(before, reader(node).embedding(table), Form.PLAIN);
  }

  private Value product(NodeProto node) {
    var weight = constant(node.input(1));
    var before = weight == null ? null : flow(node, 0);
    return weight == null || before == null
        ? new Value.Other(node)
        : after(before, reader(node).product(weight), Form.PLAIN);
  }

  private Value sum(NodeProto node) {
    var first = constant(node.input(0));
    var bias = first != null ? first : constant(node.input(1));
    var other = value(node.input(first != null ? 1 : 0));
    if (bias != null
        && other instanceof Value.Flow flow
        && flow.layers().getLast() instanceof Linear product) {
      var biased = reader(node).biased(product, bias);
      var before = flow.layers().subList(0, flow.layers().size() - 1);
      if (biased != null) return after(new Value.Flow(before, Form.PLAIN), biased, Form.PLAIN);
    }
    return new Value.Other(node);
  }

  private Value gemm(NodeProto node) {
    var weight = constant(node.input(1));
    var bias = constant(node.input(2));
    var before = weight == null || isComputed(node, 2) ? null : flow(node, 0);
    return weight == null || before == null
        ? new Value.Other(node)
        : after(before, reader(node).gemm(weight, bias), Form.PLAIN);
  }

  private Value norm(NodeProto node) {
    var gain = constant(node.input(1));
    var bias = constant(node.input(2));
    var before = gain == null || isComputed(node, 2) ? null : flow(node, 0);
    return gain == null || before == null
        ? new Value.Other(node)
        : after(before, reader(node).norm(gain, bias), Form.PLAIN);
  }

  /** Whether an input is there and no tensor of the file. */
  private boolean isComputed(NodeProto node, int input) {
    return !node.input(input).isEmpty() && constant(node.input(input)) == null;
  }

  private static Value zeros(NodeProto node) {
    var value = node.tensor("value");
    return value == null || value.isZero() ? new Value.Rows(null) : new Value.Other(node);
  }

  /** The same values in another form, if the node does just that. */
  private Value reformed(NodeProto node, Form from, Form to, boolean fits) {
    return value(node.input(0)) instanceof Value.Flow flow && flow.form() == from && fits
        ? new Value.Flow(flow.layers(), to)
        : new Value.Other(node);
  }

  /** Whether it takes away the axis of directions, of which there is one. */
  private boolean isSqueezed(NodeProto node) {
    var axes = constant(node.input(1));
    var taken =
        axes == null ? node.integers("axes") : Arrays.stream(axes.toIntegers()).boxed().toList();
    return taken.equals(List.of(1L))
        && value(node.input(0)) instanceof Value.Flow flow
        && flow.layers().getLast() instanceof Recurrent<?>;
  }

  /** Whether it joins the last two axes of four. */
  private boolean isFlattened(NodeProto node) {
    var shape = constant(node.input(1));
    if (shape == null
        || node.integer("allowzero", 0) != 0
        || !(value(node.input(0)) instanceof Value.Flow flow)
        || !(flow.layers().getLast() instanceof Sequence last)) {
      return false;
    }
    var dims = Arrays.stream(shape.toIntegers()).boxed().toList();
    return dims.equals(List.of(0L, 0L, -1L)) || dims.equals(List.of(0L, 0L, (long) last.outputs()));
  }
}
