package carousel.nn.recurrent;

import carousel.nn.Parameter;
import carousel.nn.init.Init;
import carousel.tensor.Philox;
import carousel.tensor.Tensor;
import java.util.Locale;

/**
 * The simple recurrent network: {@code H = f(X·wx + H'·wh + b)}, the output is H.
 *
 * <p>Source: Elman 1990, "Finding structure in time".
 *
 * @param activation f
 * @param wx {@code [D,H]}
 * @param wh {@code [H,H]}
 * @param b {@code [H]}
 */
public record Elman(Activation activation, Parameter wx, Parameter wh, Parameter b)
    implements AffineCell<HiddenState> {
  /** Checks that the weights fit each other. */
  public Elman {
    int h = Weights.rows(wh);
    Weights.check("elman", "wh", wh, h, h);
    Weights.check("elman", "wx", wx, Weights.rows(wx), h);
    Weights.check("elman", "b", b, h);
  }

  /**
   * A cell with the given nonlinearity.
   *
   * @param activation f
   * @param inputs D
   * @param hidden H
   * @param init how the matrices start; biases start at 0
   * @param rng where random numbers come from
   * @return the cell
   */
  public static Elman of(Activation activation, int inputs, int hidden, Init init, Philox rng) {
    return new Elman(
        activation,
        init.parameter(rng, inputs, hidden),
        init.parameter(rng, hidden, hidden),
        Weights.zeros(init, hidden));
  }

  /**
   * The IRNN of Le, Jaitly and Hinton 2015: ReLU, with wh starting as the identity times a scale.
   *
   * @param inputs D
   * @param hidden H
   * @param scale what the identity is multiplied by; 1 in the paper
   * @param init how wx starts; normal with deviation 0.001 in the paper
   * @param rng where random numbers come from
   * @return the cell
   */
  public static Elman irnn(int inputs, int hidden, double scale, Init init, Philox rng) {
    return new Elman(
        Activation.RELU,
        init.parameter(rng, inputs, hidden),
        Init.identity(scale).as(init.dtype()).parameter(rng, hidden, hidden),
        Weights.zeros(init, hidden));
  }

  @Override
  public String label() {
    return "elman_" + activation.name().toLowerCase(Locale.ROOT);
  }

  @Override
  public int outputs() {
    return Weights.rows(wh);
  }

  @Override
  public HiddenState step(Tensor z, HiddenState state) {
    return new HiddenState(activation.apply(Weights.plus(z, state.h(), wh)));
  }

  @Override
  public HiddenState zero(int batch) {
    return new HiddenState(Weights.zeros(wh, batch, outputs()));
  }
}
