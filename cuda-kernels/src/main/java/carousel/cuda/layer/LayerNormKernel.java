package carousel.cuda.layer;

import static carousel.cuda.launch.ParameterType.I32;
import static carousel.cuda.launch.ParameterType.I64;
import static carousel.cuda.launch.ParameterType.POINTER;

import carousel.cuda.driver.Grid;
import carousel.cuda.launch.Kernel;
import carousel.cuda.launch.Launcher;
import carousel.cuda.launch.ParameterType;
import carousel.cuda.launch.Team;
import carousel.cuda.launch.Temporary;
import carousel.cuda.launch.TypedKernels;
import carousel.tensor.DType;
import carousel.tensor.Engine;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import carousel.tensor.op.LayerComposites;
import carousel.tensor.spi.Fused;
import carousel.tensor.spi.Memory;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * {@link LayerComposites#LAYER_NORM}: {@code (x [..,D], gain [D], bias [D], ε) → y [..,D]}, D one or more axes. Keeps the
 * mean and {@code 1/√(σ² + ε)} of each row.
 */
public final class LayerNormKernel implements Fused {
  private static final int SUMS_BYTES = 16;

  private static final Map<DType, Kernel> FORWARD =
      kernels("forward", POINTER, POINTER, POINTER, POINTER, POINTER, POINTER, I64, I64, I32);
  private static final Map<DType, Kernel> BACKWARD =
      kernels("backward", POINTER, POINTER, POINTER, POINTER, POINTER, I64, I64, I32);
  private static final Map<DType, Kernel> PARAMETERS =
      kernels(
          "parameters", POINTER, POINTER, POINTER, POINTER, POINTER, POINTER, I64, I64, I32, I64);
  private static final Map<DType, Kernel> CHUNKS =
      kernels("chunks", POINTER, POINTER, POINTER, I64, I32);

  private final Launcher launcher;
  private final Memory memory;

  public LayerNormKernel(Launcher launcher, Memory memory) {
    this.launcher = launcher;
    this.memory = memory;
  }

  private static Map<DType, Kernel> kernels(String step, ParameterType... parameters) {
    return TypedKernels.kernels(
        DType::isFloating,
        type -> {
          String symbol = "layer_norm_" + TypedKernels.suffix(type) + "_" + step;
          return new Kernel("layer_norm.cu", symbol, parameters);
        });
  }

  public static Stream<Kernel> kernels() {
    return Stream.of(FORWARD, BACKWARD, PARAMETERS, CHUNKS)
        .flatMap(types -> types.values().stream());
  }

  /** This, for dense operands that fit; everything else is the body's. */
  public @Nullable Fused offer(Tensor[] inputs) {
    Tensor x = inputs[0];
    Tensor gain = inputs[1];
    Tensor bias = inputs[2];
    Tensor epsilon = inputs[3];
    boolean takes =
        x.dtype().isFloating()
            && x.size() > 0
            && x.rank() >= gain.rank()
            && bias.shape().equals(gain.shape())
            && epsilon.rank() == 0
            && Engine.layout(x).isContiguous()
            && Engine.layout(gain).isContiguous()
            && Engine.layout(bias).isContiguous();
    for (int axis = -1; takes && axis >= -gain.rank(); axis--) {
      takes = x.dim(axis) == gain.dim(axis);
    }
    takes &= gain.dtype() == x.dtype() && bias.dtype() == x.dtype() && epsilon.dtype() == x.dtype();
    return takes ? this : null;
  }

  @Override
  public Result forward(Tensor[] inputs) {
    Tensor x = inputs[0];
    long width = inputs[1].size();
    long rows = x.size() / width;
    Tensor y = Engine.empty("layer_norm", x.device(), x.dtype(), x.shape());
    Tensor kept =
        Engine.empty("layer_norm", x.device(), DType.F64, Shape.of(Math.toIntExact(rows), 2));
    var team = Team.of(rows, width, x.dtype().bytes(), true);
    launcher
        .call(TypedKernels.of(FORWARD, x.dtype()))
        .pointer(Engine.address(x))
        .pointer(Engine.address(inputs[1]))
        .pointer(Engine.address(inputs[2]))
        .pointer(Engine.address(inputs[3]))
        .pointer(Engine.address(y))
        .pointer(Engine.address(kept))
        .i64(rows)
        .i64(width)
        .i32(team.lanes())
        .start(team.grid(rows));
    return new Result(new Tensor[] {y}, new Tensor[] {kept});
  }

  @Override
  public @Nullable Tensor[] backward(
      Tensor[] inputs, Result result, @Nullable Tensor[] cotangents, boolean[] wanted) {
    @Nullable Tensor[] gradients = new Tensor[4];
    Tensor flow = cotangents[0];
    if (flow == null) {
      return gradients;
    }
    Tensor g = flow.contiguous();
    Tensor kept = result.saved()[0];
    if (wanted[0]) {
      gradients[0] = ofInput(inputs[0], inputs[1], kept, g);
    }
    if (wanted[1] || wanted[2]) {
      Tensor gain = like(inputs[1]);
      Tensor bias = like(inputs[2]);
      ofParameters(inputs[0], kept, g, gain, bias);
      gradients[1] = wanted[1] ? gain : null;
      gradients[2] = wanted[2] ? bias : null;
    }
    if (wanted[3]) {
      gradients[3] = ofEpsilon(inputs[0], inputs[1], kept, g);
    }
    return gradients;
  }

  private static Tensor like(Tensor x) {
    return Engine.empty("layer_norm", x.device(), x.dtype(), x.shape());
  }

  private Tensor ofInput(Tensor x, Tensor gain, Tensor kept, Tensor g) {
    long width = gain.size();
    long rows = x.size() / width;
    Tensor gradient = like(x);
    var team = Team.of(rows, width, x.dtype().bytes(), true);
    launcher
        .call(TypedKernels.of(BACKWARD, x.dtype()))
        .pointer(Engine.address(x))
        .pointer(Engine.address(gain))
        .pointer(Engine.address(kept))
        .pointer(Engine.address(g))
        .pointer(Engine.address(gradient))
        .i64(rows)
        .i64(width)
        .i32(team.lanes())
        .start(team.grid(rows));
    return gradient;
  }

  private void ofParameters(Tensor x, Tensor kept, Tensor g, Tensor gain, Tensor bias) {
    long width = gain.size();
    long rows = x.size() / width;
    var team = Team.of(width, rows, x.dtype().bytes(), false);
    long chunk = team.chunk(width, rows, x.dtype().bytes());
    int chunks = Math.toIntExact(Math.ceilDiv(rows, chunk));
    long bytes = chunks == 1 ? 0 : width * chunks * SUMS_BYTES;
    try (var states = Temporary.of(memory, "layer_norm", bytes)) {
      launcher
          .call(TypedKernels.of(PARAMETERS, x.dtype()))
          .pointer(Engine.address(x))
          .pointer(Engine.address(kept))
          .pointer(Engine.address(g))
          .pointer(Engine.address(gain))
          .pointer(Engine.address(bias))
          .pointer(states.address())
          .i64(rows)
          .i64(width)
          .i32(team.lanes())
          .i64(chunk)
          .start(new Grid(team.blocks(width), chunks, Grid.THREADS, 0, false));
      if (chunks > 1) {
        launcher
            .call(TypedKernels.of(CHUNKS, x.dtype()))
            .pointer(states.address())
            .pointer(Engine.address(gain))
            .pointer(Engine.address(bias))
            .i64(width)
            .i32(chunks)
            .start(Team.WARP_EACH.grid(width));
      }
    }
  }

  /** {@code dε = −½ Σ r² g gain x̂}; hardly anyone asks for it. */
  private static Tensor ofEpsilon(Tensor x, Tensor gain, Tensor kept, Tensor g) {
    int width = Math.toIntExact(gain.size());
    int rows = kept.dim(0);
    Tensor wide = kept.narrow(1, 0, 1);
    Tensor mean = wide.cast(x.dtype());
    Tensor low = wide.sub(mean.cast(DType.F64)).cast(x.dtype());
    Tensor scale = kept.narrow(1, 1, 1).cast(x.dtype());
    Tensor normal = x.reshape(rows, width).sub(mean).sub(low).mul(scale);
    Tensor flow = g.reshape(rows, width).mul(gain.reshape(width));
    return flow.mul(normal).mul(scale.square()).sum().mul(-0.5);
  }
}
