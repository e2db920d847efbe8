package org.example;

import carousel.nn.Parameter;
import carousel.nn.init.Init;
import carousel.nn.recurrent.AffineCell;
import carousel.nn.recurrent.HiddenState;
import carousel.tensor.Philox;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;

/**
 * FastGRNN with ζ = 1 and ν = 0: {@code a = x·wx + h'·wh + b}, {@code f = σ(a)}, {@code H = f ⊙ h' + (1 − f)
 * ⊙ tanh(a + bh)}. Source: Kusupati et al. 2018.
 *
 * @param wx {@code [D,H]}
 * @param wh {@code [H,H]}
 * @param b {@code [H]}
 * @param bh {@code [H]}
 */
public record FastGrnn(Parameter wx, Parameter wh, Parameter b, Parameter bh)
    implements AffineCell<HiddenState> {

  /** A cell whose matrices start by a recipe and whose biases start at 0. */
  public static FastGrnn of(int inputs, int hidden, Init init, Philox rng) {
    return new FastGrnn(
        init.parameter(rng, inputs, hidden),
        init.parameter(rng, hidden, hidden),
        Init.zeros().parameter(rng, hidden),
        Init.zeros().parameter(rng, hidden));
  }

  @Override
  public int outputs() {
    return wh.value().dim(0);
  }

  @Override
  public HiddenState step(Tensor z, HiddenState state) {
    Tensor h = state.h();
    Tensor a = z.add(h.matmul(wh.value()));
    Tensor candidate = a.add(bh.value()).tanh();
    Tensor gate = a.sigmoid();
    return new HiddenState(gate.mul(h).add(gate.neg().add(1).mul(candidate)));
  }

  @Override
  public HiddenState zero(int batch) {
    return new HiddenState(wh.value().zerosLike(Shape.of(batch, outputs())));
  }
}
