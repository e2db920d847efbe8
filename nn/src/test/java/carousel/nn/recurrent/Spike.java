package carousel.nn.recurrent;

import carousel.tensor.Tensor;
import carousel.tensor.op.CustomOp;
import carousel.tensor.op.Vjp;

/**
 * {@code s = 1 where v > 0, else 0}, whose derivative is 0: in its place flows {@code g / (1 + α|v|)²},
 * that of a fast sigmoid (Zenke and Ganguli 2018).
 *
 * @param alpha α, how narrow the slope is
 */
public record Spike(double alpha) implements CustomOp {
  @Override
  public Tensor[] forward(Tensor... in) {
    return new Tensor[] {in[0].gt(0).cast(in[0].dtype())};
  }

  @Override
  public Vjp vjp() {
    return Vjp.fromInput((g, v) -> g.div(v.abs().mul(alpha).add(1).square()));
  }
}
