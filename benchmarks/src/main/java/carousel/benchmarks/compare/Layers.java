package carousel.benchmarks.compare;

import static carousel.benchmarks.compare.Carousel.parameter;
import static carousel.benchmarks.compare.Carousel.tensor;

import carousel.autograd.Grad;
import carousel.nn.Dropout;
import carousel.nn.Parameter;
import carousel.nn.Parameters;
import carousel.nn.recurrent.Activation;
import carousel.nn.recurrent.Cell;
import carousel.nn.recurrent.Elman;
import carousel.nn.recurrent.GruResetAfter;
import carousel.nn.recurrent.GruResetBefore;
import carousel.nn.recurrent.Lstm;
import carousel.nn.recurrent.MatrixPeepholeLstm;
import carousel.nn.recurrent.PeepholeLstm;
import carousel.nn.recurrent.Recurrent;
import carousel.nn.recurrent.Sequence;
import carousel.nn.recurrent.Stack;
import carousel.tensor.DType;
import carousel.tensor.Scope;
import carousel.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/**
 * Recurrent layers over {@code x [T,N,D]}, forward and backward: outputs, then from a given {@code dy
 * [T,N,H]} the gradients of x and of every weight and bias.
 */
public final class Layers implements Work {
  private static final int BATCH = 1;
  private static final int INPUTS = 2;
  private static final int HIDDEN = 3;
  private static final int DEPTH = 4;

  private final Scope run = Scope.openUnwatched();
  private final Stack stack;
  private final Tensor x;
  private final Tensor dy;
  private final List<Parameters.Named> parameters;
  private final Tensor[] leaves;

  /**
   * Layers of the agreed weights.
   *
   * @param task sizes T,B,I,H,L
   */
  public Layers(Task task) {
    DType dtype = task.dtype();
    x = tensor(dtype, "x", 1, task.size(0), task.size(BATCH), task.size(INPUTS));
    dy = tensor(dtype, "dy", 1, task.size(0), task.size(BATCH), task.size(HIDDEN));
    List<Sequence> layers = new ArrayList<>();
    for (int i = 0; i < task.size(DEPTH); i++) {
      layers.add(Recurrent.of(cell(task, i)));
    }
    stack = new Stack(layers, new Dropout(0));
    parameters = stack.parameters().stream().toList();
    leaves = new Tensor[parameters.size() + 1];
    leaves[0] = x;
    for (int i = 1; i < leaves.length; i++) {
      leaves[i] = parameters.get(i - 1).value();
    }
  }

  private static Cell<?> cell(Task task, int layer) {
    int d = layer == 0 ? task.size(INPUTS) : task.size(HIDDEN);
    int h = task.size(HIDDEN);
    var w = new Weights(task.dtype(), layer, 1 / Math.sqrt(h));
    return switch (task.kind()) {
      case LSTM, LSTM_BY_HAND ->
          new Lstm(w.of("wx", d, 4 * h), w.of("wh", h, 4 * h), w.of("b", 4 * h));
      case PEEPHOLE ->
          new PeepholeLstm(
              w.of("wx", d, 4 * h),
              w.of("wh", h, 4 * h),
              w.of("b", 4 * h),
              w.of("pi", h),
              w.of("pf", h),
              w.of("po", h));
      case MATRIX_PEEPHOLE ->
          new MatrixPeepholeLstm(
              w.of("wx", d, 4 * h),
              w.of("wh", h, 4 * h),
              w.of("b", 4 * h),
              w.of("wci", h, h),
              w.of("wcf", h, h),
              w.of("wco", h, h));
      case GRU_AFTER ->
          new GruResetAfter(
              w.of("wx", d, 3 * h), w.of("wh", h, 3 * h), w.of("b", 3 * h), w.of("bh", h));
      case GRU ->
          new GruResetBefore(
              w.of("wx", d, 3 * h), w.of("wh", h, 2 * h), w.of("wn", h, h), w.of("b", 3 * h));
      case ELMAN -> new Elman(Activation.TANH, w.of("wx", d, h), w.of("wh", h, h), w.of("b", h));
      case GEMM, LANGUAGE_MODEL, LANGUAGE_MODEL_REPLAYED ->
          throw new IllegalArgumentException(task + " is no layer");
    };
  }

  /** The agreed weights of one layer. */
  private record Weights(DType dtype, int layer, double bound) {
    Parameter of(String name, int... dims) {
      return parameter(dtype, name + "." + layer, bound, dims);
    }
  }

  private List<Tensor> gradients() {
    try (var pullback = Grad.vjp(() -> stack.apply(x), leaves)) {
      return pullback.pull(dy);
    }
  }

  @Override
  public void run() {
    try (var step = Scope.openUnwatched()) {
      Carousel.await(gradients().getFirst());
    }
  }

  @Override
  public void forward() {
    try (var step = Scope.openUnwatched()) {
      Carousel.await(stack.apply(x));
    }
  }

  @Override
  public double norm() {
    try (var step = Scope.openUnwatched()) {
      List<Tensor> gradients = gradients();
      double squares = 0;
      for (int i = 0; i < gradients.size(); i++) {
        boolean bias = i > 0 && parameters.get(i - 1).name().matches(".*\\.bh?");
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
