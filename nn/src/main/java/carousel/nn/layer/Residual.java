package carousel.nn.layer;

import carousel.nn.Transform;
import carousel.nn.check.Operands;
import carousel.tensor.Tensor;
import carousel.tensor.TensorException;
import java.util.OptionalInt;

/**
 * {@code y = x + f(x)}; {@code x [..,D] → y [..,D]}. Around a layer over time: {@link
 * carousel.nn.recurrent.Sequence#residual}.
 *
 * <p>Source: He, Zhang, Ren and Sun 2016, "Deep residual learning for image recognition".
 *
 * <p>Its parameters are those of f, named {@code f.weight}; names follow the structure, see {@link carousel.nn.Layer}. A
 * function without weights may be f, as {@code Tensor::tanh}; one that uses a layer or a parameter is refused where
 * parameters are looked for; see {@link Transform} for what cannot be seen.
 *
 * @param f gives as many features as it reads
 */
public record Residual(Transform f) implements Transform {
  /**
   * Checks that f gives what it reads, if it says how much that is.
   *
   * @throws TensorException if it gives another number of features than it reads
   */
  public Residual {
    Operands.present("residual", "f", f);
    f.reads().ifPresent(inputs -> checkSizes(f, inputs));
  }

  /**
   * Adds what f makes of x to x.
   *
   * @param x {@code [..,D]}
   * @return {@code [..,D]}
   * @throws TensorException if f gives another shape than it reads
   */
  @Override
  public Tensor apply(Tensor x) {
    Tensor made = f.apply(x);
    if (!made.shape().equals(x.shape())) {
      throw new TensorException(
          "residual: f makes "
              + made.shape()
              + " of x "
              + x.shape()
              + "; what is added must be as x is");
    }
    return x.add(made);
  }

  @Override
  public OptionalInt reads() {
    return f.reads();
  }

  @Override
  public int outputs(int inputs) {
    checkSizes(f, inputs);
    return inputs;
  }

  private static void checkSizes(Transform f, int inputs) {
    int made = f.outputs(inputs);
    if (made != inputs) {
      throw new TensorException(
          "residual: f, "
              + f.getClass().getSimpleName()
              + ", makes "
              + made
              + " features of "
              + inputs
              + "; what is added must be as x is");
    }
  }
}
