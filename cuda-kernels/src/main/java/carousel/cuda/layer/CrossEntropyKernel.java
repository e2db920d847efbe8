package carousel.cuda.layer;

import static carousel.cuda.launch.ParameterType.I32;
import static carousel.cuda.launch.ParameterType.I64;
import static carousel.cuda.launch.ParameterType.POINTER;

import carousel.cuda.launch.DeviceErrors;
import carousel.cuda.launch.Kernel;
import carousel.cuda.launch.Launcher;
import carousel.cuda.launch.ParameterType;
import carousel.cuda.launch.Team;
import carousel.cuda.launch.TypedKernels;
import carousel.tensor.DType;
import carousel.tensor.Engine;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import carousel.tensor.op.LayerComposites;
import carousel.tensor.spi.Fused;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * {@link LayerComposites#CROSS_ENTROPY}: {@code (logits [N,V], targets [N]) → losses [N]}, {@code loss = ln Σ e^x −
 * x[target]}, 0 where there is no target; {@code d logits = g (softmax(x) − onehot(target))}. Keeps
 * three numbers per row, and nothing of the logits' size.
 */
public final class CrossEntropyKernel implements Fused {
  private static final Map<DType, Kernel> FORWARD =
      kernels("forward", POINTER, POINTER, POINTER, POINTER, I64, I32, I32, I32, POINTER);
  private static final Map<DType, Kernel> BACKWARD =
      kernels("backward", POINTER, POINTER, POINTER, POINTER, I64, POINTER, I64, I32, I32);

  private final Launcher launcher;
  private final DeviceErrors errors;

  public CrossEntropyKernel(Launcher launcher, DeviceErrors errors) {
    this.launcher = launcher;
    this.errors = errors;
  }

  private static Map<DType, Kernel> kernels(String way, ParameterType... parameters) {
    return TypedKernels.kernels(
        DType::isFloating,
        type -> {
          String symbol = "cross_entropy_" + TypedKernels.suffix(type) + "_" + way;
          return new Kernel("cross_entropy.cu", symbol, parameters);
        });
  }

  public static Stream<Kernel> kernels() {
    return Stream.of(FORWARD, BACKWARD).flatMap(types -> types.values().stream());
  }

  /** This, for dense rows of at least one class and dense targets; everything else is the body's. */
  public @Nullable Fused offer(Tensor[] inputs) {
    Tensor logits = inputs[0];
    Tensor targets = inputs[1];
    boolean takes =
        logits.dtype().isFloating()
            && logits.rank() == 2
            && logits.dim(1) > 0
            && Engine.layout(logits).isContiguous()
            && targets.dtype() == DType.I32
            && targets.shape().equals(Shape.of(logits.dim(0)))
            && Engine.layout(targets).isContiguous();
    return takes ? this : null;
  }

  private static Team team(Tensor logits) {
    return Team.of(logits.dim(0), logits.dim(1), logits.dtype().bytes(), true);
  }

  @Override
  public Result forward(Tensor[] inputs) {
    Tensor logits = inputs[0];
    int rows = logits.dim(0);
    Tensor losses = Engine.empty("cross_entropy", logits.device(), logits.dtype(), Shape.of(rows));
    Tensor kept = Engine.empty("cross_entropy", logits.device(), DType.F64, Shape.of(rows, 3));
    if (rows > 0) {
      Team team = team(logits);
      launcher
          .call(TypedKernels.of(FORWARD, logits.dtype()))
          .pointer(Engine.address(logits))
          .pointer(Engine.address(inputs[1]))
          .pointer(Engine.address(losses))
          .pointer(Engine.address(kept))
          .i64(rows)
          .i32(logits.dim(1))
          .i32(team.lanes())
          // As the body reports a target that is no class.
          .errors(errors, DeviceErrors.Checked.GATHER)
          .start(team.grid(rows));
    }
    return new Result(new Tensor[] {losses}, new Tensor[] {kept});
  }

  @Override
  public @Nullable Tensor[] backward(
      Tensor[] inputs, Result result, @Nullable Tensor[] cotangents, boolean[] wanted) {
    @Nullable Tensor[] gradients = new Tensor[2];
    Tensor g = cotangents[0];
    if (!wanted[0] || g == null) {
      return gradients;
    }
    Tensor logits = inputs[0];
    Tensor gradient =
        Engine.empty("cross_entropy", logits.device(), logits.dtype(), logits.shape());
    gradients[0] = gradient;
    int rows = logits.dim(0);
    if (rows > 0) {
      Team team = team(logits);
      launcher
          .call(TypedKernels.of(BACKWARD, logits.dtype()))
          .pointer(Engine.address(logits))
          .pointer(Engine.address(inputs[1]))
          .pointer(Engine.address(result.saved()[0]))
          .pointer(Engine.address(g))
          .i64(Engine.layout(g).strides()[0])
          .pointer(Engine.address(gradient))
          .i64(rows)
          .i32(logits.dim(1))
          .i32(team.lanes())
          .start(team.grid(rows));
    }
    return gradients;
  }
}
