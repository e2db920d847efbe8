package carousel.nn.recurrent;

import carousel.nn.Parameter;
import carousel.nn.Transform;
import carousel.nn.check.Operands;
import carousel.nn.init.Init;
import carousel.nn.layer.Activation;
import carousel.tensor.Philox;
import carousel.tensor.Tensor;
import org.jspecify.annotations.Nullable;

/**
 * The Jordan network, which feeds its <em>output</em> back: {@code H = f(X·wx + Y'·wy + b)}, {@code Y =
 * g(H·wo + c)}.
 *
 * <p>Source: Jordan 1986, "Serial order: a parallel distributed processing approach".
 *
 * @param hidden f, elementwise: an {@link Activation}, or any function, such as {@code Tensor::softplus}
 * @param output g, likewise
 * @param wx {@code [D,H]}
 * @param wy {@code [O,H]}
 * @param b {@code [H]}, or null for no bias
 * @param wo {@code [H,O]}
 * @param c {@code [O]}, or null for no bias
 */
public record Jordan(
    Transform hidden,
    Transform output,
    Parameter wx,
    Parameter wy,
    @Nullable Parameter b,
    Parameter wo,
    @Nullable Parameter c)
    implements AffineCell<Jordan.Fed> {
  /**
   * What is fed back.
   *
   * @param y the output, {@code [N,O]}
   */
  public record Fed(Tensor y) implements RecurrentState {}

  /** Checks that the weights fit each other. */
  public Jordan {
    Operands.present("jordan", "hidden", hidden);
    Operands.present("jordan", "output", output);
    int h = Weights.rows("jordan", "wo", wo);
    int o = Weights.rows("jordan", "wy", wy);
    Weights.check("jordan", "wx", wx, Weights.rows("jordan", "wx", wx), h);
    Weights.check("jordan", "wy", wy, o, h);
    Weights.checkBias("jordan", "b", b, h);
    Weights.check("jordan", "wo", wo, h, o);
    Weights.checkBias("jordan", "c", c, o);
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

  /**
   * This cell without biases, which then stay 0.
   *
   * @return a cell that shares the other weights
   */
  public Jordan withoutBias() {
    return new Jordan(hidden, output, wx, wy, null, wo, null);
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
    return new Fed(output.apply(c == null ? h.matmul(wo.value()) : Weights.plus(c.value(), h, wo)));
  }

  @Override
  public Fed zero(int batch) {
    return new Fed(Weights.zeros(wy, batch, outputs()));
  }
}
