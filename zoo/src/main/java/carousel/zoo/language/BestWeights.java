package carousel.zoo.language;

import carousel.nn.Layer;
import carousel.tensor.Device;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * A copy of the weights that were the best so far, on the CPU: a checkpoint has them, so that a run
 * which goes on from an earlier one, and differently, does not end with the best of another course.
 */
final class BestWeights {
  private final TensorScope owner = TensorScope.current();
  private final Map<String, Tensor> held = new LinkedHashMap<>();

  /** No weights yet; a copy belongs to the innermost scope. */
  BestWeights() {}

  /** Copies weights, by name. */
  void take(Map<String, Tensor> weights) {
    try (var copying = TensorScope.open(Device.cpu())) {
      weights.forEach((name, value) -> {
        Tensor old = held.get(name);
        if (old == null) {
          held.put(name, owner.adopt(value.to(Device.cpu()).copy()));
        } else {
          old.assign(value.to(Device.cpu()));
        }
      });
    }
  }

  /** By name; empty before the first epoch is over. */
  Map<String, Tensor> tensors() {
    return held;
  }

  /** Overwrites a model. */
  void giveTo(Layer model) {
    try (var copying = TensorScope.open()) {
      for (var named : model.parameters()) {
        Tensor best = held.get(named.name());
        if (best == null) {
          throw new IllegalStateException("there are no best weights yet");
        }
        named.parameter().assign(best.to(named.value().device()));
      }
    }
  }
}
