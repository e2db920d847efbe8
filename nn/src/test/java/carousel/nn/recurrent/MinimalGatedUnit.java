package carousel.nn.recurrent;

import carousel.nn.Parameter;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;

/**
 * The minimal gated unit: {@code f = σ(x·wf + h'·uf + bf)}, {@code H = (1 − f) ⊙ h' + f ⊙ tanh(x·wh +
 * (f ⊙ h')·uh + bh)}; wx and b hold the f and h blocks side by side (Zhou et al. 2016).
 */
public record MinimalGatedUnit(Parameter wx, Parameter uf, Parameter uh, Parameter b)
    implements AffineCell<HiddenState> {
  @Override
  public int outputs() {
    return uf.value().dim(0);
  }

  @Override
  public HiddenState step(Tensor z, HiddenState state) {
    var a = z.chunk(2, Tensor.LAST);
    Tensor h = state.h();
    Tensor f = a.get(0).add(h.matmul(uf.value())).sigmoid();
    Tensor candidate = a.get(1).add(f.mul(h).matmul(uh.value())).tanh();
    return new HiddenState(f.mul(candidate).add(f.neg().add(1).mul(h)));
  }

  @Override
  public HiddenState zero(int batch) {
    return new HiddenState(uf.value().zerosLike(Shape.of(batch, outputs())));
  }
}
