package carousel.benchmarks.cells;

import carousel.nn.Parameter;
import carousel.nn.recurrent.AffineCell;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;

/**
 * The scalar LSTM of xLSTM, with an exponential input gate, and one head: {@code i, f, z, o} from {@code
 * X·wx + H'·wh + b}; {@code M = max(log σ(f) + M', i)}, {@code I = exp(i − M)}, {@code F = exp(log σ(f)
 * + M' − M)}; {@code C = F ⊙ C' + I ⊙ tanh(z)}, {@code N = F ⊙ N' + I}, {@code H = σ(o) ⊙ C / N}. M
 * keeps the exponentials within range and cancels in H.
 *
 * <p>Source: M. Beck et al., xLSTM: Extended Long Short-Term Memory (2024), equations 8 to 17; the
 * forget gate is the sigmoid of the two that it allows.
 *
 * @param wx {@code [D,4H]}, gates i f z o
 * @param wh {@code [H,4H]}
 * @param b {@code [4H]}
 */
public record Slstm(Parameter wx, Parameter wh, Parameter b) implements AffineCell<SlstmState> {
  @Override
  public int outputs() {
    return wh.value().dim(0);
  }

  @Override
  public SlstmState step(Tensor z, SlstmState state) {
    var a = z.add(state.h().matmul(wh.value())).chunk(4, Tensor.LAST); // i f z o, each [N,H]
    Tensor kept = state.m().sub(a.get(1).neg().softplus()); // log σ(f) + M'
    Tensor m = kept.maximum(a.get(0));
    Tensor i = a.get(0).sub(m).exp();
    Tensor f = kept.sub(m).exp();
    Tensor c = f.mul(state.c()).add(i.mul(a.get(2).tanh()));
    Tensor n = f.mul(state.n()).add(i);
    return new SlstmState(a.get(3).sigmoid().mul(c.div(n)), c, n, m);
  }

  @Override
  public SlstmState zero(int batch) {
    Tensor zeros = wh.value().zerosLike(Shape.of(batch, outputs()));
    return new SlstmState(zeros, zeros, zeros, zeros);
  }
}
