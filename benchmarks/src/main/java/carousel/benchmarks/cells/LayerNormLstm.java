package carousel.benchmarks.cells;

import carousel.nn.Parameter;
import carousel.nn.layer.LayerNorm;
import carousel.nn.recurrent.Cell;
import carousel.nn.recurrent.LstmState;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;

/**
 * The LSTM with layer normalisation: {@code a = LN(X·wx) + LN(H'·wh)}, {@code C = σ(f) ⊙ C' + σ(i) ⊙
 * tanh(g)}, {@code H = σ(o) ⊙ tanh(LN(C))}. What is normalised of the input does not depend on the
 * state, so it is normalised for all steps at once. There is no other bias than those of the norms.
 *
 * <p>Source: J. L. Ba, J. R. Kiros and G. E. Hinton, Layer Normalization (2016), equations 20 to 22.
 *
 * @param wx {@code [D,4H]}, gates i f g o
 * @param wh {@code [H,4H]}
 * @param ofInput the norm of X·wx, {@code [4H]}
 * @param ofState the norm of H'·wh, {@code [4H]}
 * @param ofMemory the norm of C, {@code [H]}
 */
public record LayerNormLstm(
    Parameter wx, Parameter wh, LayerNorm ofInput, LayerNorm ofState, LayerNorm ofMemory)
    implements Cell<LstmState> {
  @Override
  public int inputs() {
    return wx.value().dim(0);
  }

  @Override
  public int outputs() {
    return wh.value().dim(0);
  }

  @Override
  public Tensor project(Tensor x) {
    return ofInput.apply(x.matmul(wx.value()));
  }

  @Override
  public LstmState step(Tensor z, LstmState state) {
    var a = z.add(ofState.apply(state.h().matmul(wh.value()))).chunk(4, Tensor.LAST); // i f g o
    Tensor kept = a.get(1).sigmoid().mul(state.c());
    Tensor c = kept.add(a.get(0).sigmoid().mul(a.get(2).tanh()));
    return new LstmState(a.get(3).sigmoid().mul(ofMemory.apply(c).tanh()), c);
  }

  @Override
  public LstmState zero(int batch) {
    Tensor zeros = wh.value().zerosLike(Shape.of(batch, outputs()));
    return new LstmState(zeros, zeros);
  }
}
