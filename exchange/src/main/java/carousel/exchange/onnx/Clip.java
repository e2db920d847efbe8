package carousel.exchange.onnx;

import carousel.nn.Parameter;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import carousel.tensor.TensorException;
import java.util.List;
import java.util.Locale;

/** The clip of ONNX's recurrent operators, and the checks that the cells with a clip share. */
final class Clip {
  /** The bound of an operator that does not clip. */
  static final double NONE = Double.POSITIVE_INFINITY;

  private Clip() {}

  /** {@code min(max(x, −clip), clip)}. */
  static Tensor of(Tensor x, double clip) {
    return clip == NONE ? x : x.clamp(-clip, clip);
  }

  static void check(String cell, double clip, List<OnnxActivation> activations, int wanted) {
    if (!(clip >= 0)) {
      throw new TensorException(
          cell + ": clip must be 0 or more, infinite for no clip, got " + clip);
    }
    if (activations.size() != wanted) {
      throw new TensorException(
          String.format(
              Locale.ROOT, "%s: %d activations are wanted, got %s", cell, wanted, activations));
    }
  }

  static void checkShape(String cell, String name, Parameter weight, int... dims) {
    var wanted = Shape.of(dims);
    if (!weight.value().shape().equals(wanted)) {
      throw new TensorException(
          String.format(
              Locale.ROOT,
              "%s: %s must have shape %s to fit the other weights, got %s",
              cell,
              name,
              wanted,
              weight.value().shape()));
    }
  }
}
