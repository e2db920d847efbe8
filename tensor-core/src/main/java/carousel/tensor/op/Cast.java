package carousel.tensor.op;

import carousel.tensor.DType;
import carousel.tensor.Engine;
import carousel.tensor.Tensor;

/**
 * Conversion to another element type; gradients flow between floating types.
 *
 * @param to the type of the result
 */
public record Cast(DType to) implements Op {
  @Override
  public String label() {
    return "cast";
  }

  @Override
  public Vjp vjp() {
    return to.isFloating() ? Vjp.shaped(c -> c.g().cast(c.dtype(0))) : Vjp.none();
  }

  @Override
  public Tensor[] evaluate(Tensor... inputs) {
    Tensor x = inputs[0];
    Tensor y = Engine.empty(label(), x.device(), to, x.shape());
    x.device().backend().copy(x, y);
    return new Tensor[] {y};
  }
}
