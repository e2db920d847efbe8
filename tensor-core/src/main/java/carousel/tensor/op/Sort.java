package carousel.tensor.op;

import carousel.tensor.DType;
import carousel.tensor.Engine;
import carousel.tensor.Tensor;
import java.util.List;

/**
 * {@code x → (values, indices)}: sorted along an axis, stably; NaN counts as the greatest. The
 * gradient of the values goes back to where each came from.
 *
 * @param axis in {@code [0, rank)}
 * @param descending whether the greatest comes first
 */
public record Sort(int axis, boolean descending) implements Op {
  @Override
  public String label() {
    return "sort";
  }

  @Override
  public Vjp vjp() {
    return Vjp.of(
        Vjp.Rule.from(
            List.of(), true, c -> c.g().zerosLike(c.shape(0)).scatterAdd(c.out(1), c.g(), axis)));
  }

  @Override
  public Tensor[] evaluate(Tensor... inputs) {
    Tensor x = inputs[0];
    Domain.NUMERIC.require(label(), x);
    Tensor values = Engine.empty("sort", x.device(), x.dtype(), x.shape());
    Tensor indices = Engine.empty("sort", x.device(), DType.I32, x.shape());
    x.device().backend().sort(x, axis, descending, values, indices);
    return new Tensor[] {values, indices};
  }
}
