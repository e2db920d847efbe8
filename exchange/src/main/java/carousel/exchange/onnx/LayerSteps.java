package carousel.exchange.onnx;

import carousel.exchange.onnx.Value.Constant;
import carousel.exchange.onnx.Value.Given;
import carousel.nn.Layer;
import carousel.nn.layer.Linear;
import carousel.tensor.DType;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;

/** Nodes that are layers, or parts of one together with those before them. */
final class LayerSteps {
  /** Those that are read here alone. */
  static final Set<String> OPERATORS =
      Set.of("LSTM", "GRU", "RNN", "LayerNormalization", "Dropout", "Constant");

  private final GraphReader reader;
  private final Draft draft;
  private final Weights weights;
  private final RecurrentSteps recurrent;

  LayerSteps(GraphReader reader, Draft draft, Weights weights) {
    this.reader = reader;
    this.draft = draft;
    this.weights = weights;
    this.recurrent = new RecurrentSteps(reader, draft, weights);
  }

  /** Makes steps of a node; false if it is none of a layer. */
  boolean read(NodeProto node) {
    return switch (node.operator()) {
      case "LSTM", "GRU", "RNN", "Squeeze", "Transpose", "Reshape" -> recurrent.read(node);
      case "LayerNormalization" -> norm(node);
      case "Dropout" -> dropout(node);
      case "Constant" -> constant(node);
      case "Identity" -> alias(node, node.input(0));
      case "Gather" -> gather(node);
      case "MatMul" -> product(node);
      case "Add" -> sum(node);
      case "Gemm" -> gemm(node);
      case "Cast" -> cast(node);
      case "Softmax", "LogSoftmax" -> softmax(node);
      default -> false;
    };
  }

  private boolean alias(NodeProto node, String name) {
    node.requireInputs(1);
    node.requireOnly();
    reader.put(node.output(0), reader.value(name));
    return true;
  }

  private void one(NodeProto node, Layer layer, String from) {
    if (node.outputs().size() > 1 && node.outputs().stream().skip(1).anyMatch(o -> !o.isEmpty())) {
      throw node.wrong(
          String.format(Locale.ROOT, "gives one output, %d are named", node.outputs().size()));
    }
    draft.add(layer, List.of(from), List.of(node.output(0)));
    reader.put(node.output(0), new Given(node.output(0)));
  }

  private boolean dropout(NodeProto node) {
    node.requireOnly("ratio", "seed", "is_test");
    String training = node.input(2);
    if (!training.isEmpty()
        && !(reader.value(training) instanceof Constant mode
            && mode.tensor().cast(DType.F32).abs().sum().item() == 0)) {
      throw node.wrong("training_mode is on, or computed; export the model for inference");
    }
    reader.put(node.output(0), reader.value(node.input(0)));
    return true; // the mask, a second output, is given by nothing
  }

  private boolean constant(NodeProto node) {
    node.requireOnly("value", "value_float", "value_floats", "value_int", "value_ints");
    if (node.attributes().size() != 1) {
      throw node.wrong("wants one value");
    }
    var proto = node.tensor("value");
    reader.put(node.output(0), proto != null ? weights.constant(proto, false) : number(node));
    return true;
  }

  private static Constant number(NodeProto node) {
    String name = node.output(0);
    var singles = node.singles("value_floats").stream().mapToDouble(d -> d).toArray();
    var integers = node.integers("value_ints").stream().mapToLong(n -> n).toArray();
    return switch (node.attributes().keySet().iterator().next()) {
      case "value_float" ->
          new Constant(
              name,
              DataType.FLOAT,
              false,
              false,
              () -> Tensor.full(DType.F32, node.single("value_float", 0)));
      case "value_floats" ->
          new Constant(
              name, DataType.FLOAT, false, false, () -> Tensor.of(singles).cast(DType.F32));
      case "value_int" -> whole(name, Shape.SCALAR, node.integer("value_int", 0));
      default -> whole(name, Shape.of(integers.length), integers);
    };
  }

  private static Constant whole(String name, Shape shape, long... numbers) {
    var values = LongStream.of(numbers).mapToInt(TensorProto::saturated).toArray();
    boolean isCut = LongStream.of(numbers).anyMatch(n -> n != TensorProto.saturated(n));
    return new Constant(name, DataType.INT64, false, isCut, () -> Tensor.of(shape, values));
  }

  private LayerReader layer(NodeProto node) {
    return new LayerReader(node, weights);
  }

  private static boolean isMatrix(@Nullable Constant constant) {
    return constant != null
        && constant.tensor().rank() == 2
        && constant.tensor().dtype().isFloating();
  }

  private boolean gather(NodeProto node) {
    var table = reader.constant(node, 0);
    if (table == null || !isMatrix(table) || !reader.isGiven(node, 1)) {
      return false;
    }
    if (node.integer("axis", 0) != 0) {
      return false;
    }
    node.requireOnly("axis");
    node.requireInputs(2);
    one(node, layer(node).embedding(table), draft.uncast(reader.given(node, 1)));
    return true;
  }

  private boolean product(NodeProto node) {
    var weight = reader.constant(node, 1);
    if (weight == null || !isMatrix(weight) || !reader.isGiven(node, 0)) {
      return false;
    }
    node.requireOnly();
    node.requireInputs(2);
    one(node, layer(node).product(weight), reader.given(node, 0));
    return true;
  }

  /** The bias of the product before it, or the last of what makes a layer norm. */
  private boolean sum(NodeProto node) {
    if (node.inputs().size() != 2) {
      return false;
    }
    var first = reader.constant(node, 0);
    var bias = first != null ? first : reader.constant(node, 1);
    int other = first != null ? 1 : 0;
    if (bias == null || !reader.isGiven(node, other)) {
      return false;
    }
    node.requireOnly();
    String from = reader.given(node, other);
    var product = draft.layer(from, Linear.class);
    var step = draft.maker(from);
    if (product == null || step == null || product.bias() != null) {
      return false;
    }
    int columns = product.weight().value().dim(1);
    if (!LayerReader.isBias(bias, columns, Math.max(draft.rank(from), 1))) {
      return false;
    }
    one(node, layer(node).biased(product, bias), step.from().getFirst());
    return true;
  }

  private boolean gemm(NodeProto node) {
    node.requireOnly("alpha", "beta", "transA", "transB");
    node.requireInputs(3);
    var weight = reader.constant(node, 1);
    var bias = reader.constant(node, 2);
    if (weight == null
        || !isMatrix(weight)
        || !reader.isGiven(node, 0)
        || reader.isGiven(node, 2)
        || node.integer("transA", 0) != 0
        || node.single("alpha", 1) != 1
        || node.single("beta", 1) != 1) {
      return false;
    }
    int columns = weight.tensor().dim(node.integer("transB", 0) == 0 ? 1 : 0);
    if (bias != null && !LayerReader.isBias(bias, columns, 2)) {
      return false;
    }
    one(node, layer(node).gemm(weight, bias), reader.given(node, 0));
    return true;
  }

  private boolean norm(NodeProto node) {
    var gain = reader.constant(node, 1);
    if (gain == null || reader.isGiven(node, 2)) {
      throw node.wrong("scale and bias depend on an input of the graph; they are weights here");
    }
    node.requireInputs(3);
    String from = reader.given(node, 0);
    one(node, layer(node).norm(gain, reader.constant(node, 2), draft.rank(from)), from);
    return true;
  }

  /** Looks whether what an operation gives is the end of a layer norm. */
  void normalized(String name) {
    var found = NormFinder.find(name, draft);
    if (found == null) {
      return;
    }
    String to = draft.fresh(name + ".norm");
    draft.add(found.layer(), List.of(found.from()), List.of(to));
    reader.put(name, new Given(to));
  }

  /** Only what is known not to change a number is left out. */
  private boolean cast(NodeProto node) {
    if (!reader.isGiven(node, 0)) {
      return false;
    }
    node.requireOnly("to", "saturate");
    String from = reader.given(node, 0);
    var to = DataType.of(node.integer("to", 0), "attribute to");
    if (!to.isHalf() && draft.type(from) == to) {
      node.requireInputs(1);
      reader.put(node.output(0), new Given(from));
      return true;
    }
    return false;
  }

  /** Before opset 13 all axes from one on, axis 1 if none is named, were folded as one. */
  private boolean softmax(NodeProto node) {
    if (reader.opset() >= 13 || !reader.isGiven(node, 0) || node.integer("axis", 1) == -1) {
      return false;
    }
    node.requireOnly("axis");
    node.requireInputs(1);
    String x = reader.given(node, 0);
    String to = node.output(0);
    long axis = node.integer("axis", 1);
    if (axis != draft.rank(x) - 1) {
      var names =
          List.of("shape", "matrix", "folded").stream().map(n -> draft.fresh(to + n)).toList();
      draft.add(Operation.of("Shape", 1, Map.of()), List.of(x), List.of(names.get(0)));
      var flat = Operation.of("Flatten", 1, Map.of("axis", axis));
      draft.add(flat, List.of(x), List.of(names.get(1)));
      var fold = Operation.of(node.operator(), 1, Map.of("axis", -1L));
      draft.add(fold, List.of(names.get(1)), List.of(names.get(2)));
      var back = Operation.of("Reshape", 2, Map.of());
      draft.add(back, List.of(names.get(2), names.get(0)), List.of(to));
    } else {
      draft.add(Operation.of(node.operator(), 1, Map.of("axis", -1L)), List.of(x), List.of(to));
    }
    reader.put(to, new Given(to));
    return true;
  }
}
