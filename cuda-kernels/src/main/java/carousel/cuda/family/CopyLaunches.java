package carousel.cuda.family;

import static carousel.cuda.launch.ParameterType.F64;
import static carousel.cuda.launch.ParameterType.POINTER;
import static carousel.cuda.launch.ParameterType.POSITIONS_1;
import static carousel.cuda.launch.ParameterType.POSITIONS_2;

import carousel.cuda.launch.Kernel;
import carousel.cuda.launch.Launcher;
import carousel.cuda.launch.Positions;
import carousel.cuda.launch.TypedKernels;
import carousel.cuda.launch.View;
import carousel.tensor.DType;
import carousel.tensor.Engine;
import carousel.tensor.Tensor;
import java.util.EnumMap;
import java.util.Map;
import java.util.stream.Stream;

/** Copies between layouts and types, and fills: {@code copy.cu}. */
public final class CopyLaunches {
  private static final Map<DType, Map<DType, Kernel>> COPY = new EnumMap<>(DType.class);
  private static final Map<DType, Kernel> FILL =
      TypedKernels.kernels(
          type -> true,
          type ->
              new Kernel(
                  "copy.cu", "fill_" + TypedKernels.suffix(type), F64, POINTER, POSITIONS_1));

  static {
    for (DType from : DType.values()) {
      COPY.put(from, TypedKernels.kernels(to -> true, to -> copyKernel(from, to)));
    }
  }

  private final Launcher launcher;

  public CopyLaunches(Launcher launcher) {
    this.launcher = launcher;
  }

  private static Kernel copyKernel(DType from, DType to) {
    String symbol = "copy_" + TypedKernels.suffix(from) + "_" + TypedKernels.suffix(to);
    return new Kernel("copy.cu", symbol, POINTER, POINTER, POSITIONS_2);
  }

  /** All kernels of the family. */
  public static Stream<Kernel> kernels() {
    return Stream.concat(
        COPY.values().stream().flatMap(types -> types.values().stream()), FILL.values().stream());
  }

  public void copy(Tensor x, Tensor y) {
    if (x.dtype() == y.dtype()
        && Engine.layout(x).isContiguous()
        && Engine.layout(y).isContiguous()) {
      if (y.size() > 0) {
        launcher.driver().copy(Engine.address(x), Engine.address(y), y.size() * y.dtype().bytes());
      }
    } else {
      copy(View.of(x), View.of(y));
    }
  }

  /** Copies, converting if the types differ. */
  void copy(View x, View y) {
    launcher.map(TypedKernels.of(COPY, x.type(), y.type()), y, x);
  }

  public void fill(Tensor y, double value) {
    fill(View.of(y), value);
  }

  private void fill(View y, double value) {
    if (y.count() == 0) {
      return;
    }
    var at = Positions.of(y);
    if (at.rank() > Positions.MAX_RANK) {
      y.parts().forEach(part -> fill(part, value));
      return;
    }
    launcher
        .call(TypedKernels.of(FILL, y.type()))
        .f64(value)
        .pointer(y.address())
        .positions(at)
        .start(launcher.elements(at));
  }
}
