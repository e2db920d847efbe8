package carousel.benchmarks.cells;

import carousel.nn.Parameter;
import carousel.nn.recurrent.AffineCell;
import carousel.nn.recurrent.LstmState;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;

/**
 * LSTMP, the LSTM that gives and feeds back a projection of its units: {@code i, f, o = σ(·), g =
 * tanh(·)} of {@code X·wx + H'·wh + b}, {@code C = f ⊙ C' + i ⊙ g}, {@code H = (o ⊙ tanh C)·wp}; P
 * outputs of H units.
 *
 * <p>Source: H. Sak, A. Senior and F. Beaufays, Long short-term memory recurrent neural network
 * architectures for large scale acoustic modeling (2014), without peepholes, as PyTorch's {@code
 * proj_size}.
 *
 * @param wx {@code [D,4H]}, gates i f g o
 * @param wh {@code [P,4H]}
 * @param b {@code [4H]}
 * @param wp {@code [H,P]}
 */
public record ProjectedLstm(Parameter wx, Parameter wh, Parameter b, Parameter wp)
    implements AffineCell<LstmState> {
  @Override
  public int outputs() {
    return wp.value().dim(1);
  }

  @Override
  public LstmState step(Tensor z, LstmState state) {
    var a = z.add(state.h().matmul(wh.value())).chunk(4, Tensor.LAST); // i f g o, each [N,H]
    Tensor kept = a.get(1).sigmoid().mul(state.c());
    Tensor c = kept.add(a.get(0).sigmoid().mul(a.get(2).tanh()));
    return new LstmState(a.get(3).sigmoid().mul(c.tanh()).matmul(wp.value()), c);
  }

  @Override
  public LstmState zero(int batch) {
    return new LstmState(
        wp.value().zerosLike(Shape.of(batch, outputs())),
        wp.value().zerosLike(Shape.of(batch, wp.value().dim(0))));
  }
}
