package carousel.exchange.onnx;

import carousel.exchange.onnx.Value.Constant;
import carousel.exchange.onnx.Value.Given;
import carousel.tensor.DType;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/**
 * Nodes in the form that opset 17 gives them: what were attributes before are operands, and the other way
 * round for what became operands since.
 */
final class Forms {
  /** Operators that there are in a form of another. */
  static final Set<String> OPERATORS = Set.of("ConstantOfShape");

  /** Reductions whose axes opset 18 made operands, and which have them as such here. */
  private static final Set<String> REDUCTIONS =
      Set.of("ReduceMean", "ReduceSum", "ReduceMax", "ReduceMin", "ReduceL2", "ReduceSumSquare");

  private Forms() {}

  /** Whether axes are an attribute in opset 17 that is an operand here. */
  static boolean hasAxesAttribute(String operator) {
    return REDUCTIONS.contains(operator) && !operator.equals("ReduceSum");
  }

  /**
   * A node in its modern form.
   *
   * @param operator which
   * @param attributes by name
   * @param operands constants, or names of values; an empty name for what is left out
   */
  record Modern(String operator, Map<String, Object> attributes, List<Value> operands) {}

  static Modern modern(NodeProto node, long opset, Weights weights) {
    var attributes =
        node.operator().equals("ConstantOfShape") ? new HashMap<String, Object>() : node.plain();
    var operands = new ArrayList<Value>();
    for (var input : node.inputs()) {
      operands.add(new Given(input));
    }
    switch (node.operator()) {
      case "Squeeze", "Unsqueeze" -> moved(node, attributes, operands, "axes", 1);
      case "Split" -> {
        moved(node, attributes, operands, "split", 1);
        // Since opset 18 it says what the outputs say; of pieces that are not equal the row
        // complains.
        var pieces = attributes.remove("num_outputs");
        if (pieces != null && !pieces.equals((long) node.outputs().size())) {
          throw node.wrong(
              String.format(
                  Locale.ROOT,
                  "attribute num_outputs is %s, and %d outputs are named",
                  pieces,
                  node.outputs().size()));
        }
      }
      case "Slice" -> {
        if (attributes.containsKey("starts")) {
          moved(node, attributes, operands, "starts", 1);
          moved(node, attributes, operands, "ends", 2);
          moved(node, attributes, operands, "axes", 3);
        }
      }
      case "Clip" -> {
        bound(node, attributes, operands, "min", 1);
        bound(node, attributes, operands, "max", 2);
      }
      case "ConstantOfShape" -> {
        node.requireOnly("value");
        var value = node.tensor("value");
        var filled =
            value == null
                ? new Constant("value", DataType.FLOAT, false, false, () -> Tensor.zeros(DType.F32))
                : weights.constant(value, false);
        if (filled.tensor().size() != 1) {
          throw node.wrong("attribute value is not one number");
        }
        Tensor one = filled.tensor().reshape(Shape.SCALAR);
        operands.addFirst(new Constant("value", filled.type(), false, filled.isCut(), () -> one));
        return new Modern("Expand", Map.of(), operands);
      }
      case "Softmax", "LogSoftmax" -> {
        if (opset < 13 && (long) attributes.getOrDefault("axis", 1L) != -1) {
          throw node.wrong(
              String.format(
                  Locale.ROOT,
                  "attribute axis is %s: before opset 13 all axes from it on are one; -1 is read",
                  attributes.getOrDefault("axis", 1L)));
        }
      }
      default -> {
        if (REDUCTIONS.contains(node.operator())) {
          moved(node, attributes, operands, "axes", 1);
        }
      }
    }
    while (!operands.isEmpty() && operands.getLast().equals(new Given(""))) {
      operands.removeLast();
    }
    return new Modern(node.operator(), attributes, operands);
  }

  /** An attribute that is a list becomes an operand. */
  private static void moved(
      NodeProto node,
      Map<String, Object> attributes,
      List<Value> operands,
      String attribute,
      int place) {
    var value = attributes.remove(attribute);
    if (value == null) {
      return;
    }
    if (!(value instanceof List<?> list)) {
      throw node.wrong(
          String.format(Locale.ROOT, "attribute %s is %s, not a list", attribute, value));
    }
    var numbers = list.stream().mapToInt(n -> TensorProto.saturated((Long) n)).toArray();
    put(
        node,
        operands,
        place,
        new Constant(attribute, DataType.INT64, false, false, () -> Tensor.of(numbers)));
  }

  /** An attribute that is a number becomes an operand, of the type of what is clipped. */
  private static void bound(
      NodeProto node,
      Map<String, Object> attributes,
      List<Value> operands,
      String attribute,
      int place) {
    var value = attributes.remove(attribute);
    if (value == null) {
      return;
    }
    if (!(value instanceof Double bound)) {
      throw node.wrong(
          String.format(Locale.ROOT, "attribute %s is %s, not a number", attribute, value));
    }
    put(
        node,
        operands,
        place,
        new Constant(attribute, DataType.FLOAT, false, false, () -> Tensor.full(DType.F32, bound)));
  }

  private static void put(NodeProto node, List<Value> operands, int place, Constant constant) {
    while (operands.size() <= place) {
      operands.add(new Given(""));
    }
    if (!operands.get(place).equals(new Given(""))) {
      throw node.wrong(
          String.format(Locale.ROOT, "has %s as an attribute and as an input", constant.name()));
    }
    operands.set(place, constant);
  }
}
