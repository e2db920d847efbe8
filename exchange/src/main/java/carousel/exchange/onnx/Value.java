package carousel.exchange.onnx;

import carousel.tensor.Tensor;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** What a name stands for in a graph that is read. */
sealed interface Value {
  /**
   * What is known when a model runs.
   *
   * @param name of an input of the graph, or of what a step gives
   */
  record Given(String name) implements Value {}

  /** What is known when a model is read: a tensor of the file, or what is computed from such alone. */
  final class Constant implements Value {
    private final String name;
    private final DataType type;
    private final boolean isWeight;
    private final boolean isCut;
    private final Supplier<Tensor> make;
    private @Nullable Tensor tensor;

    /**
     * A constant.
     *
     * @param name under which the file has it
     * @param type of its elements in a file
     * @param isWeight whether it comes from the weights of the file, not from numbers in its nodes
     * @param isCut whether it had numbers past I32, which now are I32's bounds
     * @param make its values
     */
    Constant(String name, DataType type, boolean isWeight, boolean isCut, Supplier<Tensor> make) {
      this.name = name;
      this.type = type;
      this.isWeight = isWeight;
      this.isCut = isCut;
      this.make = make;
    }

    String name() {
      return name;
    }

    DataType type() {
      return type;
    }

    boolean isWeight() {
      return isWeight;
    }

    boolean isCut() {
      return isCut;
    }

    /** Its values, read when first asked for. */
    Tensor tensor() {
      if (tensor == null) {
        tensor = make.get();
      }
      return tensor;
    }
  }
}
