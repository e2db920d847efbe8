package carousel.tensor.cpu;

import carousel.tensor.DType;
import carousel.tensor.Engine;
import carousel.tensor.Tensor;
import carousel.tensor.cpu.loop.Loop;
import carousel.tensor.cpu.loop.Scratch;
import carousel.tensor.cpu.loop.Workers;
import carousel.tensor.host.Bytes;
import carousel.tensor.op.Binary;
import carousel.tensor.op.LayerComposites;
import carousel.tensor.op.Ternary;
import carousel.tensor.spi.Fused;
import org.jspecify.annotations.Nullable;

/**
 * {@link LayerComposites#DROPOUT}: {@code (x, kept, scale) → y}, {@code y_i = x_i · scale} where kept, else 0; its
 * backward does the same to the cotangent. Keeps nothing but the mask, a byte per element.
 */
final class DropoutKernel implements Fused {
  /** Elements that pass from one loop to the other within the nearest cache. */
  private static final int PIECE = 2048;

  private final Table table;

  DropoutKernel(Table table) {
    this.table = table;
  }

  /** This, for dense tensors of one shape; everything else is the body's. */
  @Nullable Fused offer(Tensor[] inputs) {
    Tensor x = inputs[0];
    Tensor kept = inputs[1];
    Tensor scale = inputs[2];
    boolean takes =
        x.dtype().isFloating()
            && Engine.layout(x).isContiguous()
            && kept.dtype() == DType.BOOL
            && kept.shape().equals(x.shape())
            && Engine.layout(kept).isContiguous()
            && scale.dtype() == x.dtype()
            && scale.rank() == 0;
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
      gradients[0] = masked(g.contiguous(), inputs[1], inputs[2]);
    }
    if (g != null && wanted[2]) {
      Tensor x = inputs[0];
      gradients[2] = Tensor.where(inputs[1], x, x.scalarLike(0)).mul(g).sum();
    }
    return gradients;
  }

  private Tensor masked(Tensor x, Tensor kept, Tensor scale) {
    Tensor y = Engine.empty("dropout", x.device(), x.dtype(), x.shape());
    var element = Element.of(x.dtype());
    Loop where = table.ternary(Ternary.WHERE, x.dtype());
    Loop mul = table.binary(Binary.MUL, x.dtype());
    long size = x.size();
    long from = Engine.address(x);
    long mask = Engine.address(kept);
    long to = Engine.address(y);
    double factor = element.get(Engine.address(scale));
    Workers.parallel(
        Math.toIntExact(Math.ceilDiv(size, Table.CHEAP)),
        task -> {
          long splats = Scratch.ofThread().address(2L * Loop.SPLAT_BYTES);
          long zero = splats + Loop.SPLAT_BYTES;
          element.set(splats, factor);
          Bytes.splat(splats, element.size(), splats, Loop.SPLAT_BYTES / element.size());
          Bytes.clear(zero, Loop.SPLAT_BYTES);
          long end = Math.min(size, (task + 1L) * Table.CHEAP);
          for (long i = (long) task * Table.CHEAP; i < end; i += PIECE) {
            int n = (int) Math.min(PIECE, end - i);
            long at = i * element.size();
            where.run(mask + i, 1, from + at, 1, zero, 0, to + at, n);
            mul.run(to + at, 1, splats, 0, to + at, 1, to + at, n);
          }
        });
    return y;
  }
}
