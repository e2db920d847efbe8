package carousel.cuda.layer;

import static carousel.cuda.launch.ParameterType.POINTER;
import static carousel.cuda.launch.ParameterType.POSITIONS_3;

import carousel.cuda.launch.Kernel;
import carousel.cuda.launch.Launcher;
import carousel.cuda.launch.Positions;
import carousel.cuda.launch.TypedKernels;
import carousel.tensor.DType;
import carousel.tensor.Engine;
import carousel.tensor.Tensor;
import carousel.tensor.op.LayerComposites;
import carousel.tensor.spi.Fused;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * {@link LayerComposites#DROPOUT}: {@code (x, kept, scale) → y}, {@code y_i = x_i · scale} where kept, else 0; its
 * backward does the same to the cotangent. Keeps nothing but the mask, a byte per element.
 */
public final class DropoutKernel implements Fused {
  private static final Map<DType, Kernel> MASKED =
      TypedKernels.kernels(
          DType::isFloating,
          type ->
              new Kernel(
                  "dropout.cu",
                  "dropout_" + TypedKernels.suffix(type),
                  POINTER,
                  POINTER,
                  POINTER,
                  POINTER,
                  POSITIONS_3));

  private final Launcher launcher;

  public DropoutKernel(Launcher launcher) {
    this.launcher = launcher;
  }

  public static Stream<Kernel> kernels() {
    return MASKED.values().stream();
  }

  /** This, for tensors of one shape and a scale; everything else is the body's. */
  public @Nullable Fused offer(Tensor[] inputs) {
    Tensor x = inputs[0];
    boolean takes =
        x.dtype().isFloating()
            && inputs[1].dtype() == DType.BOOL
            && inputs[1].shape().equals(x.shape())
            && inputs[2].dtype() == x.dtype()
            && inputs[2].rank() == 0;
    return takes ? this : null;
  }

  @Override
  public Result forward(Tensor[] inputs) {
    return new Result(new Tensor[] {masked(inputs[0], inputs[1], inputs[2])}, new Tensor[0]);
  }

  @Override
  public @Nullable Tensor[] backward(
      Tensor[] inputs, Result result, @Nullable Tensor[] cotangents, boolean[] wanted) {
    @Nullable Tensor[] gradients = new Tensor[3];
    Tensor g = cotangents[0];
    if (g != null && wanted[0]) {
      gradients[0] = masked(g, inputs[1], inputs[2]);
    }
    if (g != null && wanted[2]) {
      Tensor x = inputs[0];
      gradients[2] = Tensor.where(inputs[1], x, x.scalarLike(0)).mul(g).sum();
    }
    return gradients;
  }

  private Tensor masked(Tensor x, Tensor kept, Tensor scale) {
    Tensor y = Engine.empty("dropout", x.device(), x.dtype(), x.shape());
    if (y.size() > 0) {
      var at = Positions.of(y, x, kept);
      launcher
          .call(TypedKernels.of(MASKED, x.dtype()))
          .pointer(Engine.address(x))
          .pointer(Engine.address(kept))
          .pointer(Engine.address(scale))
          .pointer(Engine.address(y))
          .positions(at)
          .start(launcher.elements(at));
    }
    return y;
  }
}
