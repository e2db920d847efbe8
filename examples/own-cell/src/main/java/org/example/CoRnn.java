package org.example;

import carousel.nn.Parameter;
import carousel.nn.init.Init;
import carousel.nn.recurrent.AffineCell;
import carousel.nn.recurrent.RecurrentState;
import carousel.tensor.Philox;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;

/**
 * The coupled oscillatory network, a damped and driven oscillator per unit:
 * {@code V = v' + dt (tanh(x·wx + y'·wy + v'·wv + b) − γ ⊙ y' − ε v')}, {@code Y = y' + dt V} (Rusch and
 * Mishra 2021, whose γ is one number for all units).
 *
 * @param wx {@code [D,H]}
 * @param wy {@code [H,H]}
 * @param wv {@code [H,H]}
 * @param b {@code [H]}
 * @param gamma γ {@code [H]}, what draws a unit back to 0: by itself it oscillates with a frequency of √γ
 * @param dt the step of time
 * @param epsilon ε, what damps it
 */
public record CoRnn(
    Parameter wx,
    Parameter wy,
    Parameter wv,
    Parameter b,
    Parameter gamma,
    double dt,
    double epsilon)
    implements AffineCell<CoRnn.State> {

  /** Where the oscillators are, which is the output, and how fast they move, each {@code [N,H]}. */
  public record State(Tensor y, Tensor v) implements RecurrentState {}

  /** Units of all frequencies up to a highest one, in radians per step. */
  public static CoRnn of(int inputs, int hidden, double highest, Init init, Philox rng) {
    double dt = 0.5;
    return new CoRnn(
        init.parameter(rng, inputs, hidden),
        init.parameter(rng, hidden, hidden),
        init.parameter(rng, hidden, hidden),
        Init.zeros().as(init.dtype()).parameter(rng, hidden),
        Parameter.of(() -> rng.uniform(init.dtype(), 0, highest / dt, hidden).square()),
        dt,
        0.2);
  }

  @Override
  public int outputs() {
    return wy.value().dim(0);
  }

  /** z is {@code x·wx + b} already: an {@link AffineCell} computes it for all steps at once. */
  @Override
  public State step(Tensor z, State state) {
    Tensor y = state.y();
    Tensor v = state.v();
    Tensor force = z.add(y.matmul(wy.value())).add(v.matmul(wv.value())).tanh();
    v = v.add(force.sub(y.mul(gamma.value())).sub(v.mul(epsilon)).mul(dt));
    return new State(y.add(v.mul(dt)), v);
  }

  @Override
  public State zero(int batch) {
    var shape = Shape.of(batch, outputs());
    return new State(wy.value().zerosLike(shape), wy.value().zerosLike(shape));
  }
}
