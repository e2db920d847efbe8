package carousel.exchange.onnx;

import carousel.exchange.onnx.Operation.Operand;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** The element types in a file of what operations give; I32 alone is two of them. */
final class Types {
  private static final Set<String> TRUTHS =
      Set.of(
          "And", "Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual", "Not", "Or", "Xor");

  private static final Set<String> SIZES = Set.of("ArgMax", "Shape", "Size");

  private Types() {}

  /**
   * The type of what an operator gives; null if it is not known.
   *
   * @param operands the types of what it reads, null for unknown
   */
  static @Nullable DataType of(
      String operator, Map<String, Object> attributes, List<@Nullable DataType> operands) {
    if (TRUTHS.contains(operator)) {
      return DataType.BOOL;
    }
    if (SIZES.contains(operator)) {
      return DataType.INT64;
    }
    if (operator.equals("Cast") && attributes.get("to") instanceof Long to) {
      return plain(DataType.of(to, "attribute to"));
    }
    int at = operator.equals("Where") ? 1 : 0;
    return at < operands.size() ? plain(operands.get(at)) : null;
  }

  static @Nullable DataType of(
      Operation operation, List<String> from, Function<String, @Nullable DataType> types) {
    var operands =
        operation.operands().stream()
            .<@Nullable DataType>map(operand ->
                switch (operand) {
                  case Operand.Given given -> types.apply(from.get(given.index()));
                  case Operand.Weight weight -> DataType.of(weight.value().value().dtype());
                  case Operand.Constant number -> number.type();
                  case Operand.Missing _ -> null;
                })
            .toList();
    return of(operation.operator(), operation.attributes(), operands);
  }

  /** What has half of FLOAT's bits is FLOAT here. */
  private static @Nullable DataType plain(@Nullable DataType type) {
    return type != null && type.isHalf() ? DataType.FLOAT : type;
  }
}
