package carousel.nn.recurrent;

import carousel.nn.Parameter;
import carousel.nn.Transform;
import carousel.nn.check.Operands;
import carousel.nn.init.Init;
import carousel.nn.layer.Activation;
import carousel.tensor.Philox;
import carousel.tensor.Tensor;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * The simple recurrent network: {@code H = f(X·wx + H'·wh + b)}, the output is H.
 *
 * <p>Source: Elman 1990, "Finding structure in time".
 *
 * @param activation f, elementwise: an {@link Activation}, or any function, such as {@code Tensor::softplus}
 * @param wx {@code [D,H]}
 * @param wh {@code [H,H]}
 * @param b {@code [H]}, or null for no bias
 */
public record Elman(Transform activation, Parameter wx, Parameter wh, @Nullable Parameter b)
    implements AffineCell<HiddenState> {
  /** Checks that the weights fit each other. */
  public Elman {
    Operands.present("elman", "activation", activation);
    int h = Weights.rows("elman", "wh", wh);
    Weights.check("elman", "wh", wh, h, h);
    Weights.check("elman", "wx", wx, Weights.rows("elman", "wx", wx), h);
    Weights.checkBias("elman", "b", b, h);
  }

  /**
   * A cell with the given nonlinearity.
   *
   * @param activation f, elementwise: an {@link Activation}, or any function, such as {@code Tensor::softplus}
   * @param inputs D
   * @param hidden H
   * @param init how the matrices start; biases start at 0
   * @param rng where random numbers come from
   * @return the cell
   */
  public static Elman of(Transform activation, int inputs, int hidden, Init init, Philox rng) {
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

  /**
   * This cell without biases, which then stay 0.
   *
   * @return a cell that shares the other weights
   */
  public Elman withoutBias() {
    return new Elman(activation, wx, wh, null);
  }

  @Override
  public String label() {
    return activation instanceof Activation known
        ? "elman_" + known.name().toLowerCase(Locale.ROOT)
        : "elman";
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
