package carousel.nn.recurrent;

import carousel.nn.Parameter;
import carousel.nn.Transform;
import carousel.nn.check.Operands;
import carousel.nn.init.Init;
import carousel.nn.layer.Activation;
import carousel.tensor.Philox;
import carousel.tensor.Tensor;
import carousel.tensor.TensorException;
import org.jspecify.annotations.Nullable;

/**
 * The leaky integrator: {@code H = (1 − 1/τ)·H' + (1/τ)·f(X·wx + H'·wh + b)}. With τ = 1 it is the
 * {@link Elman} cell.
 *
 * <p>Source: Jaeger, Lukoševičius, Popovici and Siewert 2007, "Optimization and applications of echo
 * state networks with leaky-integrator neurons".
 *
 * @param activation f, elementwise: an {@link Activation}, or any function, such as {@code Tensor::softplus}
 * @param tau the time constant τ in steps, ≥ 1
 * @param wx {@code [D,H]}
 * @param wh {@code [H,H]}
 * @param b {@code [H]}, or null for no bias
 */
public record Leaky(
    Transform activation, double tau, Parameter wx, Parameter wh, @Nullable Parameter b)
    implements AffineCell<HiddenState> {
  /** Checks that the weights fit each other. */
  public Leaky {
    Operands.present("leaky", "activation", activation);
    if (!(tau >= 1)) {
      throw new TensorException("leaky: the time constant must be at least 1 step, got " + tau);
    }
    int h = Weights.rows("leaky", "wh", wh);
    Weights.check("leaky", "wh", wh, h, h);
    Weights.check("leaky", "wx", wx, Weights.rows("leaky", "wx", wx), h);
    Weights.checkBias("leaky", "b", b, h);
  }

  /**
   * A cell with f = tanh.
   *
   * @param tau the time constant τ in steps, ≥ 1
   * @param inputs D
   * @param hidden H
   * @param init how the matrices start; biases start at 0
   * @param rng where random numbers come from
   * @return the cell
   */
  public static Leaky of(double tau, int inputs, int hidden, Init init, Philox rng) {
    return new Leaky(
        Activation.TANH,
        tau,
        init.parameter(rng, inputs, hidden),
        init.parameter(rng, hidden, hidden),
        Weights.zeros(init, hidden));
  }

  /**
   * This cell without biases, which then stay 0.
   *
   * @return a cell that shares the other weights
   */
  public Leaky withoutBias() {
    return new Leaky(activation, tau, wx, wh, null);
  }

  @Override
  public String label() {
    return "leaky";
  }

  @Override
  public int outputs() {
    return Weights.rows(wh);
  }

  @Override
  public HiddenState step(Tensor z, HiddenState state) {
    return step(z, state, state);
  }

  @Override
  public HiddenState step(Tensor z, HiddenState read, HiddenState carried) {
    Tensor target = activation.apply(Weights.plus(z, read.h(), wh));
    return new HiddenState(carried.h().mul(1 - 1 / tau).add(target.mul(1 / tau)));
  }

  @Override
  public HiddenState zero(int batch) {
    return new HiddenState(Weights.zeros(wh, batch, outputs()));
  }
}
