package carousel.nn.recurrent;

import carousel.nn.Parameter;
import carousel.tensor.DType;
import carousel.tensor.Tensor;

/** A cell whose state is of several ranks, so that it has no kernel: {@code h [N,H]}, {@code m [N,H,2]}, {@code n [N]}. */
public record ShapedCell(Parameter wx, Parameter b) implements AffineCell<ShapedCell.Mixed> {
  /** What it carries. */
  public record Mixed(Tensor h, Tensor m, Tensor n) implements RecurrentState {}

  @Override
  public int outputs() {
    return b.value().dim(0);
  }

  @Override
  public Mixed step(Tensor z, Mixed state) {
    Tensor h = z.add(state.m().mean(2)).add(state.n().unsqueeze(1)).tanh();
    Tensor m = state.m().mul(0.7).sub(h.unsqueeze(2)).add(state.h().unsqueeze(2).mul(0.3));
    return new Mixed(h, m, state.n().mul(0.4).add(h.mean(1)));
  }

  @Override
  public Mixed zero(int batch) {
    return new Mixed(
        Tensor.zeros(DType.F64, batch, outputs()),
        Tensor.zeros(DType.F64, batch, outputs(), 2),
        Tensor.zeros(DType.F64, batch));
  }
}
