package carousel.tensor.spi;

import carousel.tensor.Tensor;
import org.jspecify.annotations.Nullable;

/**
 * One backend's fast spelling of a {@link carousel.tensor.op.Composite}, forward and backward.
 *
 * <p>It must agree with the body: the contract tests compare outputs and every gradient.
 */
public interface Fused {
  /**
   * Returns what two kernels share that compute the same.
   *
   * @return compared by equals; its class unless a kernel says otherwise
   */
  default Object identity() {
    return getClass();
  }

  /**
   * Computes the composite.
   *
   * @param inputs the inputs, on this backend's device
   * @return the outputs, and what {@link #backward} wants to see again
   */
  Result forward(Tensor[] inputs);

  /**
   * Pulls cotangents of the outputs back to the inputs.
   *
   * @param inputs as given to {@link #forward}
   * @param result as returned by it
   * @param cotangents one per output; null where nothing flows
   * @param wanted per input, whether its gradient is needed
   * @return one gradient per input; null where not wanted
   */
  @Nullable Tensor[] backward(
      Tensor[] inputs, Result result, @Nullable Tensor[] cotangents, boolean[] wanted);

  /**
   * What a fused forward returns.
   *
   * @param outputs the outputs of the composite
   * @param saved further values for the backward, e.g. activated gates
   */
  record Result(Tensor[] outputs, Tensor[] saved) {}
}
