package carousel.cuda.family;

import static java.nio.charset.StandardCharsets.UTF_8;

import carousel.cuda.driver.KernelSource;
import carousel.tensor.DType;
import carousel.tensor.op.Formula;
import java.util.Locale;
import java.util.UUID;
import java.util.stream.Collectors;

/**
 * Writes the kernel of a {@link Formula}: the struct that {@code run_formula} of formula.cuh takes. Rows
 * are called by name, so that there is one definition of each.
 */
final class FormulaSource {
  static final String SYMBOL = "formula";

  private FormulaSource() {}

  /** How many values of a kind a formula has. */
  static int count(Formula formula, Class<? extends Formula.Expression> kind) {
    return (int) formula.values().stream().filter(kind::isInstance).count();
  }

  static KernelSource of(Formula formula, DType type) {
    var lines = new StringBuilder();
    for (int v = 0; v < formula.values().size(); v++) {
      String value = value(formula.values().get(v));
      lines.append("    T v").append(v).append(" = ").append(value).append(";\n");
    }
    for (int y = 0; y < formula.results().size(); y++) {
      lines
          .append("    y[")
          .append(y)
          .append("] = v")
          .append(formula.results().get(y))
          .append(";\n");
    }
    String text =
        String.format(
            Locale.ROOT,
            """
            #include "formula.cuh"

            struct F {
              using T = %s;
              static const int INPUTS = %d;
              static const int OUTPUTS = %d;
              static const int CONSTANTS = %d;

              static __device__ __forceinline__ void apply(const T *x, const T *c, T *y) {
            %s  }
            };

            extern "C" __global__ void %s(const i64 *parts, int count, int op, int *error) {
              run_formula<F>(parts, count, op, error);
            }
            """,
            type == DType.F32 ? "float" : type == DType.F64 ? "double" : "int",
            count(formula, Formula.Input.class),
            formula.results().size(),
            count(formula, Formula.Constant.class),
            lines,
            SYMBOL);
    return KernelSource.written("formula-" + UUID.nameUUIDFromBytes(text.getBytes(UTF_8)), text);
  }

  private static String value(Formula.Expression value) {
    return switch (value) {
      case Formula.Input input -> "x[" + input.index() + "]";
      case Formula.Constant constant -> "c[" + constant.index() + "]";
      case Formula.Apply apply ->
          apply.operands().stream()
              .map(v -> "v" + v)
              .collect(Collectors.joining(", ", "row_" + apply.row().label() + "(", ")"));
    };
  }
}
