package carousel.nn;

import carousel.tensor.Tensor;
import java.util.OptionalInt;

/**
 * A layer that makes one tensor of one tensor, {@code x [..,in] → y [..,out]}: a product, a norm, an
 * activation, dropout, or layers one after another. It takes time and batch as they come, so that it can
 * stand behind a recurrent layer as well as on its own.
 *
 * <pre>{@code
 * Transform f = Tensor::softplus;
 * var head = Sequential.of(Linear.of(64, 32, init, rng), f, new Dropout(0.2), Linear.of(32, 10, init, rng));
 * }</pre>
 *
 * <p>A function without weights is written as a lambda. One with weights is a record, whose parameters are
 * found as those of every {@link Layer}; a lambda that captures a layer or a parameter is refused where
 * parameters are looked for, since its weights would stay as they are without a word. What cannot be seen is a weight
 * behind something else: a lambda that uses a field of the object around it, or that captured the tensor {@code
 * w.value()}, has no parameters.
 */
@FunctionalInterface
public interface Transform extends Layer {
  /**
   * Applies the layer.
   *
   * @param x {@code [..,in]}
   * @return {@code [..,out]}
   */
  Tensor apply(Tensor x);

  /**
   * Returns how many features it reads: with {@link #outputs}, what layers that follow each other are checked by when
   * they are put together. A record of weights says so.
   *
   * @return the size of x's last axis; empty if any will do, or if the layer does not say
   */
  default OptionalInt reads() {
    return OptionalInt.empty();
  }

  /**
   * Returns how many features come out where so many go in: what layers that follow each other are
   * checked by before anything runs.
   *
   * @param inputs the size of x's last axis
   * @return the size of y's last axis; the same unless a layer says otherwise
   * @throws carousel.tensor.TensorException if x cannot be of this size
   */
  default int outputs(int inputs) {
    return inputs;
  }
}
