package carousel.zoo.system;

import carousel.nn.Layer;
import carousel.nn.io.Checkpoint;
import carousel.nn.optim.Optimizer;
import carousel.tensor.DType;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * What changes from step to step, and so is what a checkpoint holds: tensors, numbers, what an optimiser remembers.
 * Random numbers need not be in it, where those of a step are drawn from {@link Run#random} of its number.
 */
public final class Saved {
  private static final String VALUES = "saved.";
  private static final String OPTIMIZER = "optimizer.";

  private final Map<String, Tensor> tensors = new LinkedHashMap<>();
  private final Map<String, double[]> numbers = new LinkedHashMap<>();
  private final Map<String, Optimizer> optimizers = new LinkedHashMap<>();

  /** Nothing but the history, which is always kept. */
  public Saved() {}

  /**
   * With a tensor that is overwritten in place.
   *
   * @param name among those of the checkpoint
   * @param tensor the tensor
   * @return this
   */
  public Saved with(String name, Tensor tensor) {
    tensors.put(name, tensor);
    return this;
  }

  /**
   * With the weights of a layer, and what its optimiser remembers of them.
   *
   * @param name of the layer among what the checkpoint holds
   * @param model the layer
   * @param optimizer changes it
   * @return this
   */
  public Saved with(String name, Layer model, Optimizer optimizer) {
    for (var named : model.parameters()) {
      tensors.put(name + "." + named.name(), named.value());
    }
    optimizers.put(OPTIMIZER + name + ".", optimizer);
    return this;
  }

  /**
   * With numbers that are overwritten in place.
   *
   * @param name among those of the checkpoint
   * @param values the numbers
   * @return this
   */
  public Saved with(String name, double... values) {
    numbers.put(name, values);
    return this;
  }

  /** By name; copies belong to the innermost scope. */
  Map<String, Tensor> tensors() {
    var all = new LinkedHashMap<String, Tensor>();
    values().forEach((name, tensor) -> all.put(VALUES + name, tensor));
    optimizers.forEach(
        (prefix, optimizer) -> optimizer.state().forEach((name, t) -> all.put(prefix + name, t)));
    return all;
  }

  private Map<String, Tensor> values() {
    var values = new LinkedHashMap<>(tensors);
    numbers.forEach(
        (name, array) -> values.put(name, Tensor.of(DType.F64, Shape.of(array.length), array)));
    return values;
  }

  void restore(Checkpoint checkpoint) throws IOException {
    try (var reading = TensorScope.open()) {
      var values = values();
      checkpoint.loadInto(VALUES, values);
      for (var entry : numbers.entrySet()) {
        Tensor read = values.get(entry.getKey());
        if (read == null) {
          continue;
        } // there is one for each
        System.arraycopy(read.toDoubleArray(), 0, entry.getValue(), 0, entry.getValue().length);
      }
      for (var entry : optimizers.entrySet()) {
        entry.getValue().restore(checkpoint.load(entry.getKey()));
      }
    }
  }
}
