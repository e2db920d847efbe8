package carousel.tensor.spi;

import carousel.tensor.Engine;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import carousel.tensor.op.Binary;
import carousel.tensor.op.LayerComposites;
import org.jspecify.annotations.Nullable;

/**
 * {@link LayerComposites#LINEAR}: {@code (x [M,K], w [K,N], b [N]) → y [M,N]}, {@code y = x · w + b}; {@code dx = g ·
 * wᵀ}, {@code dw = xᵀ · g}, {@code db = Σ g}. Adds the bias to the product where that lies, so that
 * there is one [M,N] instead of two. It is made of a backend's product and its sum, so each has it.
 */
final class LinearKernel implements Fused {
  private final Backend backend;

  LinearKernel(Backend backend) {
    this.backend = backend;
  }

  /** This, where the shapes and types fit; the body's errors are for the rest. */
  @Nullable Fused offer(Tensor[] inputs) {
    Tensor x = inputs[0];
    Tensor w = inputs[1];
    Tensor b = inputs[2];
    boolean takes =
        x.dtype().isFloating()
            && x.dtype() == w.dtype()
            && x.dtype() == b.dtype()
            && x.rank() == 2
            && w.rank() == 2
            && x.dim(1) == w.dim(0)
            && b.shape().equals(Shape.of(w.dim(1)));
    return takes ? this : null;
  }

  @Override
  public Result forward(Tensor[] inputs) {
    Tensor x = inputs[0];
    Tensor w = inputs[1];
    var shape = Shape.of(x.dim(0), w.dim(1));
    Tensor y = Engine.empty("linear", x.device(), x.dtype(), shape);
    backend.matmul(x, w, y);
    backend.binary(Binary.ADD, y, Engine.expanded(inputs[2], shape), y);
    return new Result(new Tensor[] {y}, new Tensor[0]);
  }

  @Override
  public @Nullable Tensor[] backward(
      Tensor[] inputs, Result result, @Nullable Tensor[] cotangents, boolean[] wanted) {
    @Nullable Tensor[] gradients = new Tensor[3];
    Tensor g = cotangents[0];
    if (g != null) {
      gradients[0] = wanted[0] ? g.matmul(inputs[1].transpose(0, 1)) : null;
      gradients[1] = wanted[1] ? inputs[0].transpose(0, 1).matmul(g) : null;
      gradients[2] = wanted[2] ? g.sum(0) : null;
    }
    return gradients;
  }
}
