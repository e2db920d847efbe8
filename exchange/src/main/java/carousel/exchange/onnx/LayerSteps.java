package carousel.exchange.onnx;

import carousel.exchange.onnx.RecurrentReader.Start;
import carousel.exchange.onnx.Value.Constant;
import carousel.exchange.onnx.Value.Given;
import carousel.nn.Layer;
import carousel.nn.layer.Linear;
import carousel.nn.recurrent.Sequence;
import carousel.tensor.DType;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
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

  /** Batch and time swapped. */
  private static final Set<List<Long>> SWAPPED = Set.of(List.of(1L, 0L, 2L), List.of(1L, 0L));

  private final GraphReader reader;
  private final Draft draft;
  private final Weights weights;
  private final Map<String, Sides> sides = new HashMap<>();

  /**
   * The output Y of an operator, which has an axis of directions.
   *
   * @param plain the same as layers here give it, {@code [T,N,directions·H]}
   * @param directions 1 or 2
   * @param outputs directions·H
   * @param axis where the axis of directions lies: 1, or 2
   */
  private record Sides(String plain, int directions, int outputs, int axis) {}

  LayerSteps(GraphReader reader, Draft draft, Weights weights) {
    this.reader = reader;
    this.draft = draft;
    this.weights = weights;
  }

  /** Makes steps of a node; false if it is none of a layer. */
  boolean read(NodeProto node) {
    return switch (node.operator()) {
      case "LSTM", "GRU", "RNN" -> recurrent(node);
      case "LayerNormalization" -> norm(node);
      case "Dropout" -> dropout(node);
      case "Constant" -> constant(node);
      case "Identity" -> alias(node, node.input(0));
      case "Gather" -> gather(node);
      case "MatMul" -> product(node);
      case "Add" -> sum(node);
      case "Gemm" -> gemm(node);
      case "Squeeze" -> squeeze(node);
      case "Transpose" -> transpose(node);
      case "Reshape" -> reshape(node);
      case "Cast" -> cast(node);
      case "Softmax", "LogSoftmax" -> softmax(node);
      default -> false;
    };
  }

  private boolean alias(NodeProto node, String name) {
    requireInputs(node, 1);
    node.requireOnly();
    reader.put(node.output(0), reader.value(name));
    return true;
  }

  private static void requireInputs(NodeProto node, int most) {
    if (node.inputs().size() > most || node.input(0).isEmpty()) {
      throw node.wrong(
          String.format(Locale.ROOT, "reads %d inputs, got %d", most, node.inputs().size()));
    }
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
    var training = node.input(2);
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
    var name = node.output(0);
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
    var isCut = LongStream.of(numbers).anyMatch(n -> n != TensorProto.saturated(n));
    return new Constant(name, DataType.INT64, false, isCut, () -> Tensor.of(shape, values));
  }

  private LayerReader layer(NodeProto node) {
    return new LayerReader(node, weights);
  }

  private @Nullable Constant constant(NodeProto node, int input) {
    return reader.constant(node, input);
  }

  private boolean isGiven(NodeProto node, int input) {
    return !node.input(input).isEmpty() && reader.value(node.input(input)) instanceof Given;
  }

  private String given(NodeProto node, int input) {
    return reader.given(node.input(input), node.output(0));
  }

  private static boolean isMatrix(@Nullable Constant constant) {
    return constant != null
        && constant.tensor().rank() == 2
        && constant.tensor().dtype().isFloating();
  }

  private boolean gather(NodeProto node) {
    var table = constant(node, 0);
    if (table == null || !isMatrix(table) || !isGiven(node, 1)) {
      return false;
    }
    if (node.integer("axis", 0) != 0) {
      return false;
    }
    node.requireOnly("axis");
    requireInputs(node, 2);
    one(node, layer(node).embedding(table), uncast(given(node, 1)));
    return true;
  }

  private boolean product(NodeProto node) {
    var weight = constant(node, 1);
    if (weight == null || !isMatrix(weight) || !isGiven(node, 0)) {
      return false;
    }
    node.requireOnly();
    requireInputs(node, 2);
    one(node, layer(node).product(weight), given(node, 0));
    return true;
  }

  /** The bias of the product before it, or the last of what makes a layer norm. */
  private boolean sum(NodeProto node) {
    if (node.inputs().size() != 2) {
      return false;
    }
    var first = constant(node, 0);
    var bias = first != null ? first : constant(node, 1);
    var other = first != null ? 1 : 0;
    if (bias == null || !isGiven(node, other)) {
      return false;
    }
    node.requireOnly();
    var from = given(node, other);
    var product = draft.layer(from, Linear.class);
    var step = draft.maker(from);
    if (product == null || step == null || product.bias() != null) {
      return false;
    }
    var columns = product.weight().value().dim(1);
    if (!LayerReader.isBias(bias, columns, Math.max(draft.rank(from), 1))) {
      return false;
    }
    one(node, layer(node).biased(product, bias), step.from().getFirst());
    return true;
  }

  private boolean gemm(NodeProto node) {
    node.requireOnly("alpha", "beta", "transA", "transB");
    requireInputs(node, 3);
    var weight = constant(node, 1);
    var bias = constant(node, 2);
    if (weight == null
        || !isMatrix(weight)
        || !isGiven(node, 0)
        || isGiven(node, 2)
        || node.integer("transA", 0) != 0
        || node.single("alpha", 1) != 1
        || node.single("beta", 1) != 1) {
      return false;
    }
    var columns = weight.tensor().dim(node.integer("transB", 0) == 0 ? 1 : 0);
    if (bias != null && !LayerReader.isBias(bias, columns, 2)) {
      return false;
    }
    one(node, layer(node).gemm(weight, bias), given(node, 0));
    return true;
  }

  private boolean norm(NodeProto node) {
    var gain = constant(node, 1);
    if (gain == null || isGiven(node, 2)) {
      throw node.wrong("scale and bias depend on an input of the graph; they are weights here");
    }
    requireInputs(node, 3);
    var from = given(node, 0);
    one(node, layer(node).norm(gain, constant(node, 2), draft.rank(from)), from);
    return true;
  }

  /** Looks whether what an operation gives is the end of a layer norm. */
  void normalized(String name) {
    var found = NormFinder.find(name, draft);
    if (found == null) {
      return;
    }
    var to = draft.fresh(name + ".norm");
    draft.add(found.layer(), List.of(found.from()), List.of(to));
    reader.put(name, new Given(to));
  }

  /** Only what is known not to change a number is left out. */
  private boolean cast(NodeProto node) {
    if (!isGiven(node, 0)) {
      return false;
    }
    node.requireOnly("to", "saturate");
    var from = given(node, 0);
    var to = DataType.of(node.integer("to", 0), "attribute to");
    if (!to.isHalf() && draft.type(from) == to) {
      return alias(node, from, to);
    }
    return false;
  }

  private boolean alias(NodeProto node, String from, DataType to) {
    if (to.isHalf()) {
      throw new AssertionError(to);
    }
    requireInputs(node, 1);
    reader.put(node.output(0), new Given(from));
    return true;
  }

  /** What was cast from one kind of whole numbers to the other, where both are read alike. */
  private String uncast(String name) {
    var step = draft.maker(name);
    if (step == null
        || !(step.layer() instanceof Operation operation)
        || !operation.operator().equals("Cast")
        || step.from().isEmpty()) {
      return name;
    }
    var before = draft.type(step.from().getFirst());
    var after = draft.type(name);
    if (before == null || after == null) {
      return name;
    }
    var areWhole = before.dtype() == DType.I32 && after.dtype() == DType.I32;
    return areWhole ? uncast(step.from().getFirst()) : name;
  }

  /** Before opset 13 all axes from one on, axis 1 if none is named, were folded as one. */
  private boolean softmax(NodeProto node) {
    if (reader.opset() >= 13 || !isGiven(node, 0) || node.integer("axis", 1) == -1) {
      return false;
    }
    node.requireOnly("axis");
    requireInputs(node, 1);
    var x = given(node, 0);
    var to = node.output(0);
    var axis = node.integer("axis", 1);
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

  /** With {@code layout = 1} an operator reads {@code [N,T,D]} and gives {@code [N,T,directions,H]}. */
  private boolean recurrent(NodeProto node) {
    requireInputs(node, 8);
    var isBatchFirst = RecurrentReader.isBatchFirst(node);
    var layer = RecurrentReader.of(node, reader::value, name -> start(node, name), weights);
    var from = new ArrayList<String>();
    var x = given(node, 0);
    from.add(isBatchFirst ? transposed(x) : x);
    from.add(node.input(4).isEmpty() ? "" : uncast(given(node, 4)));
    var states = Graph.states(layer);
    for (var i = 0; i < states; i++) {
      var name = node.input(5 + i);
      var isOwn = name.isEmpty() || !start(node, name).isGiven();
      var state = isOwn ? "" : given(node, 5 + i);
      from.add(isOwn || !isBatchFirst ? state : transposed(state));
    }
    while (from.size() > 1 && from.getLast().isEmpty()) {
      from.removeLast();
    }
    var base = node.name().isEmpty() ? node.outputs().getFirst() : node.name();
    var plain = draft.fresh(base + ".y");
    var to = new ArrayList<>(List.of(plain));
    for (var i = 0; i < states; i++) {
      to.add(draft.fresh(base + (i == 0 ? ".h" : ".c")));
    }
    draft.add(layer, from, to);
    finals(node, to, isBatchFirst);
    sides(node, layer, plain, isBatchFirst);
    return true;
  }

  private void finals(NodeProto node, List<String> to, boolean isBatchFirst) {
    for (var i = 1; i < node.outputs().size(); i++) {
      if (i >= to.size()) {
        throw node.wrong("gives no output " + i);
      }
      var state = isBatchFirst ? transposed(to.get(i)) : to.get(i);
      reader.put(node.output(i), new Given(state));
    }
  }

  /** Y as the operator gives it; nothing is left of that where the next node makes it plain again. */
  private void sides(NodeProto node, Sequence layer, String plain, boolean isBatchFirst) {
    var name = node.output(0);
    if (name.isEmpty()) {
      return;
    }
    var directions = Graph.directions(layer).size();
    var flat = isBatchFirst ? transposed(plain) : plain;
    var split = isBatchFirst ? name : draft.fresh(name + ".split");
    var shape = Tensor.of(0, 0, directions, layer.outputs() / directions);
    draft.add(operation("Reshape", Map.of(), shape), List.of(flat), List.of(split));
    if (!isBatchFirst) {
      draft.add(
          Operation.of("Transpose", 1, Map.of("perm", List.of(0L, 2L, 1L, 3L))),
          List.of(split),
          List.of(name));
    }
    reader.put(name, new Given(name));
    sides.put(name, new Sides(flat, directions, layer.outputs(), isBatchFirst ? 2 : 1));
  }

  private static Operation operation(
      String operator, Map<String, Object> attributes, Tensor number) {
    return new Operation(
        operator,
        attributes,
        List.of(
            new Operation.Operand.Given(0),
            new Operation.Operand.Constant(DataType.INT64, number)));
  }

  /** The same with batch and time swapped; swapping twice is nothing. */
  private String transposed(String name) {
    var step = draft.maker(name);
    if (step != null && step.layer() instanceof Transpose) {
      return step.from().getFirst();
    }
    var to = draft.fresh(name + ".swapped");
    draft.add(new Transpose(), List.of(name), List.of(to));
    return to;
  }

  /** What a layer starts from: a row of its own, or what is given. */
  private Start start(NodeProto node, String name) {
    var side = RecurrentReader.isBatchFirst(node) ? 1 : 0;
    return switch (reader.value(name)) {
      case Constant constant -> ofConstant(constant.tensor(), side);
      case Given given -> ofGiven(given.name(), side, node);
    };
  }

  /** The same row for all of a batch is a row that a layer starts from, whatever the batch. */
  private static Start ofConstant(Tensor state, int side) {
    if (state.rank() != 3 || state.size() == 0) {
      return new Start(false, state);
    }
    var isOneRow = state.eq(state.narrow(1 - side, 0, 1)).all().item() != 0;
    return new Start(!isOneRow, state);
  }

  private Start ofGiven(String name, int side, NodeProto node) {
    var step = draft.maker(name);
    if (step == null || !(step.layer() instanceof Operation operation)) {
      return Start.GIVEN;
    }
    if (operation.operator().equals("Slice") && isGivenFirst(operation)) {
      // Zeros cut to a layer's share are zeros.
      return ofGiven(step.from().getFirst(), side, node).equals(Start.ZEROS)
          ? Start.ZEROS
          : Start.GIVEN;
    }
    var row = operation.operator().equals("Expand") ? constantOf(operation) : null;
    if (row == null || !row.dtype().isFloating()) {
      return Start.GIVEN;
    }
    if (row.size() > 0 && row.abs().max().item() == 0) {
      return Start.ZEROS;
    }
    return isRow(row, side, node) ? new Start(false, row) : Start.GIVEN;
  }

  private static boolean isGivenFirst(Operation operation) {
    return operation.operands().getFirst() instanceof Operation.Operand.Given;
  }

  private static @Nullable Tensor constantOf(Operation operation) {
    return switch (operation.operands().getFirst()) {
      case Operation.Operand.Weight weight -> weight.value().value();
      case Operation.Operand.Constant number -> number.value();
      default -> null;
    };
  }

  private boolean isRow(Tensor row, int side, NodeProto node) {
    var r = constant(node, 2);
    return r != null
        && r.tensor().rank() == 3
        && row.rank() == 3
        && row.dim(1 - side) == 1
        && row.dim(side) == r.tensor().dim(0)
        && row.dim(2) == r.tensor().dim(2);
  }

  private boolean transpose(NodeProto node) {
    if (!isGiven(node, 0)) {
      return false;
    }
    var perm = node.integers("perm");
    var from = given(node, 0);
    if (SWAPPED.contains(perm) && draft.rank(from) == perm.size()) {
      node.requireOnly("perm");
      requireInputs(node, 1);
      reader.put(node.output(0), new Given(transposed(from)));
      return true;
    }
    var y = sides.get(from);
    if (y != null && perm.equals(List.of(0L, 2L, 1L, 3L))) {
      sides.put(node.output(0), new Sides(y.plain, y.directions, y.outputs, 3 - y.axis));
    }
    return false;
  }

  /** What takes away the axis of directions, of which there is one. */
  private boolean squeeze(NodeProto node) {
    var y = isGiven(node, 0) ? sides.get(given(node, 0)) : null;
    if (y == null || y.directions != 1) {
      return false;
    }
    node.requireOnly("axes");
    var axes = constant(node, 1);
    if (axes == null && !node.input(1).isEmpty()) {
      return false;
    }
    var taken = axes == null ? node.integers("axes") : longs(axes);
    if (!taken.equals(List.of((long) y.axis)) && !taken.equals(List.of(y.axis - 4L))) {
      return false;
    }
    reader.put(node.output(0), new Given(y.plain));
    return true;
  }

  private static List<Long> longs(Constant numbers) {
    return Arrays.stream(numbers.tensor().toIntArray()).asLongStream().boxed().toList();
  }

  /** What joins the last two axes of four. */
  private boolean reshape(NodeProto node) {
    var y = isGiven(node, 0) ? sides.get(given(node, 0)) : null;
    var shape = constant(node, 1);
    if (y == null || y.axis != 2 || shape == null || node.integer("allowzero", 0) != 0) {
      return false;
    }
    node.requireOnly("allowzero");
    requireInputs(node, 2);
    var dims = longs(shape);
    if (!dims.equals(List.of(0L, 0L, -1L)) && !dims.equals(List.of(0L, 0L, (long) y.outputs))) {
      return false;
    }
    reader.put(node.output(0), new Given(y.plain));
    return true;
  }
}
