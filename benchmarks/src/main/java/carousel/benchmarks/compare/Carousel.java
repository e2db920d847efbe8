package carousel.benchmarks.compare;

import carousel.nn.Parameter;
import carousel.tensor.DType;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import java.io.IOException;

/** Carousel as a contestant, by nothing but its public API. */
public final class Carousel implements Contestant {

  /** There is one. */
  public Carousel() {}

  /**
   * Serves tasks to a coordinator.
   *
   * @param args none
   * @throws IOException if standard input cannot be read
   */
  public static void main(String[] args) throws IOException {
    Server.serve(new Carousel());
  }

  @Override
  public Work prepare(Task task) {
    return switch (task.kind()) {
      case GEMM -> new Product(task);
      case LANGUAGE_MODEL, LANGUAGE_MODEL_REPLAYED -> new TrainingStep(task);
      default -> new Layers(task);
    };
  }

  /** Waits until a tensor is computed: a GPU is not done when it has been asked. */
  static void await(Tensor last) {
    var unused = last.get(new int[last.rank()]);
  }

  /** A tensor of the agreed numbers, in the innermost scope. */
  static Tensor tensor(DType dtype, String name, double bound, int... dims) {
    var shape = Shape.of(dims);
    return Tensor.of(shape, Values.of(name, bound, Math.toIntExact(shape.size()))).cast(dtype);
  }

  /** A parameter of the agreed numbers, in the innermost scope. */
  static Parameter parameter(DType dtype, String name, double bound, int... dims) {
    return Parameter.of(() -> tensor(dtype, name, bound, dims));
  }
}
