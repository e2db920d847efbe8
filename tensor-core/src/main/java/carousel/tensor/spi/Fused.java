package carousel.tensor.spi;

import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import carousel.tensor.op.Interpreter;
import org.jspecify.annotations.Nullable;

/**
 * One backend's fast spelling of a {@link carousel.tensor.op.Composite}, forward and backward.
 *
 * <p>It must agree with the body: the contract tests compare outputs and every gradient.
 */
public interface Fused {
  /**
   * {@return what two kernels share that compute the same, compared by equals; its class unless a
   * kernel says otherwise}
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
   * Pulls cotangents of the outputs back to the inputs. What nothing flows to has no gradient, as on a tape: to
   * take it for zero is the same only as long as slopes are finite.
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
   * Tells whether gradients show that a zero met a slope that is not finite.
   *
   * @param gradients what {@link #backward} gave
   * @return whether there is a NaN, or infinities of both signs
   */
  static boolean anyNaN(@Nullable Tensor... gradients) {
    return Interpreter.EAGER.run(() -> {
      try (var scope = TensorScope.openUnwatched()) {
        for (Tensor gradient : gradients) {
          if (gradient != null && Double.isNaN(gradient.sum().item())) {
            return true;
          }
        }
        return false;
      }
    });
  }

  /**
   * What a fused forward returns.
   *
   * @param outputs the outputs of the composite
   * @param saved further values for the backward, e.g. activated gates
   */
  record Result(Tensor[] outputs, Tensor[] saved) {}
}
