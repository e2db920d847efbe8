package carousel.nn.onnx;

import carousel.nn.Layer;
import carousel.nn.Linear;
import carousel.nn.onnx.Value.Form;
import carousel.nn.recurrent.Recurrent;
import carousel.nn.recurrent.Sequence;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Nodes to layers. What the data flow through must be a chain of operators that layers here compute;
 * anything else may be in a graph, as long as no layer reads it.
 */
final class GraphReader {
  private static final Set<String> RECURRENT = Set.of("LSTM", "GRU", "RNN");

  /** Batch and time swapped. */
  private static final List<Long> SWAPPED = List.of(1L, 0L, 2L);

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
    for (var input : graph.inputs()) values.put(input, new Value.Given(input, false));
    // A weight that is also named as an input can be replaced in a run; it is a weight all the
    // same.
    graph.tensors().forEach((name, tensor) -> values.put(name, new Value.Constant(tensor)));
    for (var node : graph.nodes()) {
      var value = blamed(read(node));
      if (!node.output(0).isEmpty()) values.put(node.output(0), value);
      for (var i = 1; i < node.outputs().size(); i++) {
        values.put(
            node.output(i),
            value instanceof Value.Flow flow && RECURRENT.contains(node.operator())
                ? new Value.Final(flow)
                : new Value.Other(node));
      }
    }
    return new OutputReader(graph.outputs(), this::value).chain();
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

  private Value value(String name) {
    var value = values.get(name);
    if (value == null) {
      throw new OnnxException(
          String.format(
              Locale.ROOT,
              "%s is read and nothing gives it; nodes must be in an order in which they can run",
              OnnxException.quote(name)));
    }
    return value;
  }

  private Value read(NodeProto node) {
    if (!node.domain().isEmpty()) return new Value.Other(node);
    return switch (node.operator()) {
      case "LSTM", "GRU", "RNN" -> recurrent(node);
      case "Gather" -> gather(node);
      case "MatMul" -> product(node);
      case "Add" -> sum(node);
      case "Gemm" -> gemm(node);
      case "LayerNormalization" -> norm(node);
      case "Squeeze" -> squeeze(node);
      case "Transpose" -> transpose(node);
      case "Reshape" -> reshape(node);
      case "Concat" -> finals(node);
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
              String.format(
                  Locale.ROOT,
                  "layers read the input %s here and %s elsewhere; there must be one",
                  OnnxException.quote(given.name()),
                  OnnxException.quote(data)));
        }
        data = given.name();
        yield new Value.Flow(
            given.isTransposed() ? List.of(new Transpose()) : List.of(), Form.PLAIN);
      }
      default -> null;
    };
  }

  /** With {@code layout = 1} an operator reads {@code [N,T,D]} and gives {@code [N,T,directions,H]}. */
  private Value recurrent(NodeProto node) {
    var before = flow(node, 0);
    if (before == null) return new Value.Other(node);
    checkLengths(node, before);
    var layer = RecurrentReader.of(node, this::value, weights);
    return RecurrentReader.isBatchFirst(node)
        ? transposed(after(transposed(before), layer, Form.SIDE_BY_SIDE))
        : after(before, layer, Form.BY_DIRECTION);
  }

  /** The same with batch and time swapped; swapping twice is nothing. */
  private static Value.Flow transposed(Value.Flow flow) {
    var layers = flow.layers();
    return !layers.isEmpty() && layers.getLast() instanceof Transpose
        ? new Value.Flow(layers.subList(0, layers.size() - 1), flow.form())
        : after(flow, new Transpose(), flow.form());
  }

  /** A run has lengths for all its layers or for none. */
  private void checkLengths(NodeProto node, Value.Flow before) {
    if (before.layers().stream().noneMatch(Sequence.class::isInstance)) {
      lengths = node.input(4);
    } else if (!lengths.equals(node.input(4))) {
      throw node.wrong(
          String.format(
              Locale.ROOT,
              "has the sequence_lens %s, a layer before it %s; they must be the same",
              OnnxException.quote(node.input(4)),
              OnnxException.quote(lengths)));
    }
  }

  private static Value.Flow after(Value.Flow before, Layer layer, Form form) {
    if (before.layers().size() == MOST_LAYERS) {
      throw new OnnxException(
          String.format(Locale.ROOT, "more than %d layers; this is no model", MOST_LAYERS));
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

  private Value transpose(NodeProto node) {
    var perm = node.integers("perm");
    return switch (value(node.input(0))) {
      case Value.Given given when perm.equals(List.of(1L, 0L)) || perm.equals(SWAPPED) ->
          new Value.Given(given.name(), !given.isTransposed());
      case Value.Flow flow when flow.form() == Form.PLAIN && perm.equals(SWAPPED) ->
          transposed(flow);
      case Value.Flow flow
          when flow.form() == Form.BY_DIRECTION && perm.equals(List.of(0L, 2L, 1L, 3L)) ->
          new Value.Flow(flow.layers(), Form.SIDE_BY_SIDE);
      default -> new Value.Other(node);
    };
  }

  /** What takes away the axis of directions, of which there is one. */
  private Value squeeze(NodeProto node) {
    var axes = constant(node.input(1));
    var taken =
        axes == null ? node.integers("axes") : Arrays.stream(axes.toIntegers()).boxed().toList();
    if (!(value(node.input(0)) instanceof Value.Flow flow)
        || !(flow.sequence() instanceof Recurrent<?>)) {
      return new Value.Other(node);
    }
    var axis =
        switch (flow.form()) {
          case PLAIN -> List.<Long>of();
          case BY_DIRECTION -> List.of(1L);
          case SIDE_BY_SIDE -> List.of(2L);
        };
    return !axis.isEmpty() && taken.equals(axis)
        ? new Value.Flow(flow.layers(), Form.PLAIN)
        : new Value.Other(node);
  }

  /** What joins the last two axes of four. */
  private Value reshape(NodeProto node) {
    var shape = constant(node.input(1));
    if (shape == null
        || node.integer("allowzero", 0) != 0
        || !(value(node.input(0)) instanceof Value.Flow flow)
        || flow.form() != Form.SIDE_BY_SIDE) {
      return new Value.Other(node);
    }
    var last = Objects.requireNonNull(flow.sequence()); // no other layer gives this form
    var dims = Arrays.stream(shape.toIntegers()).boxed().toList();
    return dims.equals(List.of(0L, 0L, -1L)) || dims.equals(List.of(0L, 0L, (long) last.outputs()))
        ? new Value.Flow(flow.layers(), Form.PLAIN)
        : new Value.Other(node);
  }

  /** Final states of layers of one chain, one after the other, as PyTorch gives them. */
  private Value finals(NodeProto node) {
    var flows = new ArrayList<Value.Flow>();
    for (var input : Set.copyOf(node.inputs())) {
      if (!(values.get(input) instanceof Value.Final states)) return new Value.Other(node);
      flows.add(states.of());
    }
    return OutputReader.longest(flows)
        .filter(longest -> flows.stream().allMatch(longest::contains))
        .<Value>map(Value.Final::new)
        .orElseGet(() -> new Value.Other(node));
  }
}
