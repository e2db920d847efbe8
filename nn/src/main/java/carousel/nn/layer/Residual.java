package carousel.nn.layer;

import carousel.nn.Transform;
import carousel.tensor.Tensor;
import carousel.tensor.TensorException;

/**
 * {@code y = x + f(x)}; {@code x [..,D] → y [..,D]}. Around a layer over time: {@link
 * carousel.nn.recurrent.Sequence#residual}.
 *
 * <p>Source: He, Zhang, Ren and Sun 2016, "Deep residual learning for image recognition".
 *
 * @param f gives as many features as it reads
 */
public record Residual(Transform f) implements Transform {
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
  public int outputs(int inputs) {
    int made = f.outputs(inputs);
    if (made != inputs) {
      throw new TensorException(
          "residual: f makes "
              + made
              + " features of "
              + inputs
              + "; what is added must be as x is");
    }
    return inputs;
  }
}
