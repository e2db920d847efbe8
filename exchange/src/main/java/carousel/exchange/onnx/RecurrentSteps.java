package carousel.exchange.onnx;

import carousel.exchange.onnx.RecurrentReader.Start;
import carousel.exchange.onnx.Value.Constant;
import carousel.exchange.onnx.Value.Given;
import carousel.nn.recurrent.Sequence;
import carousel.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Operators over time, and what turns their inputs and outputs round: layers, of which no axis of directions is left. */
final class RecurrentSteps {
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

  RecurrentSteps(GraphReader reader, Draft draft, Weights weights) {
    this.reader = reader;
    this.draft = draft;
    this.weights = weights;
  }

  /** Makes steps of a node; false if it is none of a layer. */
  boolean read(NodeProto node) {
    return switch (node.operator()) {
      case "Squeeze" -> squeeze(node);
      case "Transpose" -> transpose(node);
      case "Reshape" -> reshape(node);
      default -> recurrent(node);
    };
  }

  /** With {@code layout = 1} an operator reads {@code [N,T,D]} and gives {@code [N,T,directions,H]}. */
  private boolean recurrent(NodeProto node) {
    node.requireInputs(8);
    boolean isBatchFirst = RecurrentReader.isBatchFirst(node);
    var layer = RecurrentReader.of(node, reader::value, name -> start(node, name), weights);
    var from = new ArrayList<String>();
    String x = reader.given(node, 0);
    from.add(isBatchFirst ? transposed(x) : x);
    from.add(node.input(4).isEmpty() ? "" : draft.uncast(reader.given(node, 4)));
    int states = Graph.states(layer);
    for (int i = 0; i < states; i++) {
      String name = node.input(5 + i);
      boolean isOwn = name.isEmpty() || !start(node, name).isGiven();
      String state = isOwn ? "" : reader.given(node, 5 + i);
      from.add(isOwn || !isBatchFirst ? state : transposed(state));
    }
    while (from.size() > 1 && from.getLast().isEmpty()) {
      from.removeLast();
    }
    String base = node.name().isEmpty() ? node.outputs().getFirst() : node.name();
    String plain = draft.fresh(base + ".y");
    var to = new ArrayList<>(List.of(plain));
    for (int i = 0; i < states; i++) {
      to.add(draft.fresh(base + (i == 0 ? ".h" : ".c")));
    }
    draft.add(layer, from, to);
    finals(node, to, isBatchFirst);
    sides(node, layer, plain, isBatchFirst);
    return true;
  }

  private void finals(NodeProto node, List<String> to, boolean isBatchFirst) {
    for (int i = 1; i < node.outputs().size(); i++) {
      if (i >= to.size()) {
        throw node.wrong("gives no output " + i);
      }
      String state = isBatchFirst ? transposed(to.get(i)) : to.get(i);
      reader.put(node.output(i), new Given(state));
    }
  }

  /** Y as the operator gives it; nothing is left of that where the next node makes it plain again. */
  private void sides(NodeProto node, Sequence layer, String plain, boolean isBatchFirst) {
    String name = node.output(0);
    if (name.isEmpty()) {
      return;
    }
    int directions = Graph.directions(layer).size();
    String flat = isBatchFirst ? transposed(plain) : plain;
    String split = isBatchFirst ? name : draft.fresh(name + ".split");
    Tensor shape = Tensor.of(0, 0, directions, layer.outputs() / directions);
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
    String to = draft.fresh(name + ".swapped");
    draft.add(new Transpose(), List.of(name), List.of(to));
    return to;
  }

  /** What a layer starts from: a row of its own, or what is given. */
  private Start start(NodeProto node, String name) {
    int side = RecurrentReader.isBatchFirst(node) ? 1 : 0;
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
    boolean isOneRow = state.eq(state.narrow(1 - side, 0, 1)).all().item() != 0;
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
    Tensor row = operation.operator().equals("Expand") ? constantOf(operation) : null;
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
    var r = reader.constant(node, 2);
    return r != null
        && r.tensor().rank() == 3
        && row.rank() == 3
        && row.dim(1 - side) == 1
        && row.dim(side) == r.tensor().dim(0)
        && row.dim(2) == r.tensor().dim(2);
  }

  private boolean transpose(NodeProto node) {
    if (!reader.isGiven(node, 0)) {
      return false;
    }
    var perm = node.integers("perm");
    String from = reader.given(node, 0);
    if (SWAPPED.contains(perm) && draft.rank(from) == perm.size()) {
      node.requireOnly("perm");
      node.requireInputs(1);
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
    var y = reader.isGiven(node, 0) ? sides.get(reader.given(node, 0)) : null;
    if (y == null || y.directions != 1) {
      return false;
    }
    node.requireOnly("axes");
    var axes = reader.constant(node, 1);
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
    var y = reader.isGiven(node, 0) ? sides.get(reader.given(node, 0)) : null;
    var shape = reader.constant(node, 1);
    if (y == null || y.axis != 2 || shape == null || node.integer("allowzero", 0) != 0) {
      return false;
    }
    node.requireOnly("allowzero");
    node.requireInputs(2);
    var dims = longs(shape);
    if (!dims.equals(List.of(0L, 0L, -1L)) && !dims.equals(List.of(0L, 0L, (long) y.outputs))) {
      return false;
    }
    reader.put(node.output(0), new Given(y.plain));
    return true;
  }
}
