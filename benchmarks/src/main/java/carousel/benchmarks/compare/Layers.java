package carousel.benchmarks.compare;

import static carousel.benchmarks.compare.Carousel.tensor;

import carousel.autograd.Grad;
import carousel.nn.layer.Dropout;
import carousel.nn.recurrent.Cell;
import carousel.nn.recurrent.Marks;
import carousel.nn.recurrent.Recurrent;
import carousel.nn.recurrent.Sequence;
import carousel.nn.recurrent.Stacked;
import carousel.tensor.DType;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;

/**
 * Recurrent layers over {@code x [T,N,D]}, forward and backward: outputs, then from a given {@code dy
 * [T,N,H]} the gradients of x and of every weight and bias.
 */
public final class Layers implements Work {
  /** One step in so many starts anew, of tasks with resets. */
  public static final int RESET_EVERY = 10;

  private static final int BATCH = 1;
  private static final int INPUTS = 2;
  private static final int DEPTH = 4;

  private final TensorScope run = TensorScope.openUnwatched();
  private final UnaryOperator<Tensor> network;
  private final Tensor x;
  private final Tensor dy;
  private final List<String> names = new ArrayList<>();
  private final Tensor[] leaves;

  /**
   * Layers of the agreed weights.
   *
   * @param task sizes T,B,I,H,L
   */
  public Layers(Task task) {
    DType dtype = task.dtype();
    x = tensor(dtype, "x", 1, task.size(0), task.size(BATCH), task.size(INPUTS));
    dy = tensor(dtype, "dy", 1, task.size(0), task.size(BATCH), task.outputs());
    var weights = new Weights(task);
    List<Cell<?>> cells = new ArrayList<>();
    for (int i = 0; i < task.size(DEPTH); i++) {
      cells.add(weights.next());
    }
    network =
        switch (task.kind()) {
          case RESET_LSTM, RESET_LSTM_BY_HAND -> withResets(stack(cells), resets(task));
          default -> stack(cells)::apply;
        };
    List<Tensor> differentiated = new ArrayList<>(List.of(x));
    names.add("x");
    weights
        .named()
        .forEach((name, weight) -> {
          names.add(name);
          differentiated.add(weight.value());
        });
    leaves = differentiated.toArray(new Tensor[0]);
  }

  private static Stacked stack(List<Cell<?>> cells) {
    return new Stacked(cells.stream().<Sequence>map(Recurrent::of).toList(), new Dropout(0));
  }

  /** The flags {@code [T,N]} of a task with resets: where the state starts anew before a step. */
  private static Tensor resets(Task task) {
    var shape = Shape.of(task.size(0), task.size(BATCH));
    int[] drawn = Values.indices("resets", RESET_EVERY, Math.toIntExact(shape.size()));
    return Tensor.of(shape, drawn).eq(0);
  }

  private static UnaryOperator<Tensor> withResets(Stacked stack, Tensor flags) {
    return x -> stack.run(x, Marks.none().withResets(flags)).y();
  }

  private List<Tensor> gradients() {
    try (var pullback = Grad.vjp(() -> network.apply(x), leaves)) {
      return pullback.pull(dy);
    }
  }

  @Override
  public void run() {
    try (var step = TensorScope.openUnwatched()) {
      Carousel.await(gradients().getFirst());
    }
  }

  @Override
  public void forward() {
    try (var step = TensorScope.openUnwatched()) {
      Carousel.await(network.apply(x));
    }
  }

  @Override
  public List<Digest> digests() {
    try (var step = TensorScope.openUnwatched()) {
      List<Digest> digests = new ArrayList<>();
      digests.add(digest("y", network.apply(x)));
      List<Tensor> gradients = gradients();
      for (int i = 0; i < gradients.size(); i++) {
        digests.add(digest("d" + names.get(i), gradients.get(i)));
      }
      return digests;
    }
  }

  private static Digest digest(String name, Tensor values) {
    return Digest.of(name, values.cast(DType.F64).toDoubleArray());
  }

  @Override
  public double norm() {
    try (var step = TensorScope.openUnwatched()) {
      List<Tensor> gradients = gradients();
      double squares = 0;
      for (int i = 0; i < gradients.size(); i++) {
        boolean bias = names.get(i).startsWith("b");
        double norm = bias ? 0 : gradients.get(i).norm().item();
        squares += norm * norm;
      }
      return Math.sqrt(squares);
    }
  }

  @Override
  public void close() {
    run.close();
  }
}
