package carousel.cuda.family;

import static carousel.cuda.launch.ParameterType.POINTER;
import static carousel.cuda.launch.ParameterType.POSITIONS_2;
import static carousel.cuda.launch.ParameterType.POSITIONS_3;
import static carousel.cuda.launch.ParameterType.POSITIONS_4;

import carousel.cuda.launch.Kernel;
import carousel.cuda.launch.Launcher;
import carousel.cuda.launch.ParameterType;
import carousel.cuda.launch.TypedKernels;
import carousel.tensor.DType;
import carousel.tensor.Tensor;
import carousel.tensor.op.Binary;
import carousel.tensor.op.ElementwiseOp;
import carousel.tensor.op.Ternary;
import carousel.tensor.op.Unary;
import java.util.EnumMap;
import java.util.Map;
import java.util.stream.Stream;

/** Functions of one, two and three tensors, element by element. */
public final class ElementwiseLaunches {
  private static final Map<Unary, Map<DType, Kernel>> UNARY = new EnumMap<>(Unary.class);

  private static final Map<Binary, Map<DType, Kernel>> BINARY = new EnumMap<>(Binary.class);
  private static final Map<Ternary, Map<DType, Kernel>> TERNARY = new EnumMap<>(Ternary.class);

  static {
    for (Unary row : Unary.values()) {
      UNARY.put(row, kernels("unary", row, POINTER, POINTER, POSITIONS_2));
    }
    for (Binary row : Binary.values()) {
      BINARY.put(row, kernels("binary", row, POINTER, POINTER, POINTER, POSITIONS_3));
    }
    for (Ternary row : Ternary.values()) {
      TERNARY.put(row, kernels("ternary", row, POINTER, POINTER, POINTER, POINTER, POSITIONS_4));
    }
  }

  private final Launcher launcher;

  public ElementwiseLaunches(Launcher launcher) {
    this.launcher = launcher;
  }

  /** The kernels of a row, one per type of its domain. */
  private static Map<DType, Kernel> kernels(
      String family, ElementwiseOp row, ParameterType... parameters) {
    return TypedKernels.kernels(
        row.domain()::accepts,
        type -> {
          String symbol = family + "_" + row.label() + "_" + TypedKernels.suffix(type);
          return new Kernel(family + ".cu", symbol, parameters);
        });
  }

  /** All kernels of the family. */
  public static Stream<Kernel> kernels() {
    return Stream.of(UNARY, BINARY, TERNARY)
        .flatMap(rows -> rows.values().stream())
        .flatMap(types -> types.values().stream());
  }

  public void unary(Unary op, Tensor x, Tensor y) {
    launcher.map(TypedKernels.of(UNARY, op, x.dtype()), y, x);
  }

  public void binary(Binary op, Tensor a, Tensor b, Tensor y) {
    launcher.map(TypedKernels.of(BINARY, op, a.dtype()), y, a, b);
  }

  public void ternary(Ternary op, Tensor a, Tensor b, Tensor c, Tensor y) {
    launcher.map(TypedKernels.of(TERNARY, op, b.dtype()), y, a, b, c);
  }
}
