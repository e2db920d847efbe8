package carousel.nn.recurrent;

import carousel.nn.Parameter;
import carousel.nn.init.Init;
import carousel.tensor.Philox;
import carousel.tensor.Tensor;

/**
 * The Jordan network, which feeds its <em>output</em> back: {@code H = f(X·wx + Y'·wy + b)}, {@code Y =
 * g(H·wo + c)}.
 *
 * <p>Source: Jordan 1986, "Serial order: a parallel distributed processing approach".
 *
 * @param hidden f
 * @param output g
 * @param wx {@code [D,H]}
 * @param wy {@code [O,H]}
 * @param b {@code [H]}
 * @param wo {@code [H,O]}
 * @param c {@code [O]}
 */
public record Jordan(
    Activation hidden,
    Activation output,
    Parameter wx,
    Parameter wy,
    Parameter b,
    Parameter wo,
    Parameter c)
    implements AffineCell<Jordan.Fed> {
  /**
   * What is fed back.
   *
   * @param y the output, {@code [N,O]}
   */
  public record Fed(Tensor y) implements RecurrentState {}

  /** Checks that the weights fit each other. */
  public Jordan {
    int h = Weights.rows(wo);
    int o = Weights.rows(wy);
    Weights.check("jordan", "wx", wx, Weights.rows(wx), h);
    Weights.check("jordan", "wy", wy, o, h);
    Weights.check("jordan", "b", b, h);
    Weights.check("jordan", "wo", wo, h, o);
    Weights.check("jordan", "c", c, o);
  }

  /**
   * A cell with f = g = tanh.
   *
   * @param inputs D
   * @param hidden H
   * @param outputs O
   * @param init how the matrices start; biases start at 0
   * @param rng where random numbers come from
   * @return the cell
   */
  public static Jordan of(int inputs, int hidden, int outputs, Init init, Philox rng) {
    return new Jordan(
        Activation.TANH,
        Activation.TANH,
        init.parameter(rng, inputs, hidden),
        init.parameter(rng, outputs, hidden),
        Weights.zeros(init, hidden),
        init.parameter(rng, hidden, outputs),
        Weights.zeros(init, outputs));
  }

  @Override
  public String label() {
    return "jordan";
  }

  @Override
  public int outputs() {
    return Weights.rows(wy);
  }

  @Override
  public Fed step(Tensor z, Fed state) {
    Tensor h = hidden.apply(Weights.plus(z, state.y(), wy));
    return new Fed(output.apply(Weights.plus(c.value(), h, wo)));
  }

  @Override
  public Fed zero(int batch) {
    return new Fed(Weights.zeros(wy, batch, outputs()));
  }
}
