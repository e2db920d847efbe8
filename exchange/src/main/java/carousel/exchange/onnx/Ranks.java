package carousel.exchange.onnx;

import carousel.exchange.onnx.Operation.Operand;
import java.util.List;
import java.util.Set;
import java.util.function.ToIntFunction;

/** How many axes operations give, as far as that can be said without running them. */
final class Ranks {
  private static final int UNKNOWN = -1;

  /** Operators whose operands are broadcast to each other. */
  private static final Set<String> BROADCAST =
      Set.of("Add", "Sub", "Mul", "Div", "Pow", "Max", "Min", "Sum", "Where", "Equal", "Less");

  /** Operators that leave axes where they are. */
  private static final Set<String> SAME = Set.of("Concat", "Slice", "Transpose", "Clip", "Split");

  private Ranks() {}

  /**
   * The rank of what an operation gives; −1 if it is not known.
   *
   * @param from the values that it is given
   * @param ranks those of values, −1 for unknown
   */
  static int of(Operation operation, List<String> from, ToIntFunction<String> ranks) {
    int first = rank(operation, 0, from, ranks);
    String operator = operation.operator();
    if (operation.keepsShape() || SAME.contains(operator)) {
      return first;
    }
    if (BROADCAST.contains(operator)) {
      return widest(operation, from, ranks);
    }
    return switch (operator) {
      case "Shape", "Range" -> 1;
      case "Size" -> 0;
      case "Flatten", "Gemm" -> 2;
      case "Squeeze" -> count(operation) < 0 || first < 0 ? UNKNOWN : first - count(operation);
      case "Unsqueeze" -> count(operation) < 0 || first < 0 ? UNKNOWN : first + count(operation);
      case "Reshape" -> count(operation);
      case "Gather" -> {
        int index = rank(operation, 1, from, ranks);
        yield first < 0 || index < 0 ? UNKNOWN : first - 1 + index;
      }
      default -> UNKNOWN;
    };
  }

  private static int widest(Operation operation, List<String> from, ToIntFunction<String> ranks) {
    int widest = 0;
    for (int i = 0; i < operation.operands().size(); i++) {
      int rank = rank(operation, i, from, ranks);
      if (rank < 0) {
        return UNKNOWN;
      }
      widest = Math.max(widest, rank);
    }
    return widest;
  }

  private static int rank(
      Operation operation, int operand, List<String> from, ToIntFunction<String> ranks) {
    return switch (operation.operands().get(operand)) {
      case Operand.Given given -> ranks.applyAsInt(from.get(given.index()));
      case Operand.Weight weight -> weight.value().value().rank();
      case Operand.Constant number -> number.value().rank();
      case Operand.Missing _ -> UNKNOWN;
    };
  }

  /** How many numbers the second operand lists. */
  private static int count(Operation operation) {
    return operation.operands().size() > 1
            && operation.operands().get(1) instanceof Operand.Constant number
        ? (int) number.value().size()
        : UNKNOWN;
  }
}
