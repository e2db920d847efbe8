package carousel.benchmarks.compare;

import carousel.benchmarks.cells.LayerNormLstm;
import carousel.benchmarks.cells.ProjectedLstm;
import carousel.benchmarks.cells.Slstm;
import carousel.nn.Parameter;
import carousel.nn.layer.Activation;
import carousel.nn.layer.LayerNorm;
import carousel.nn.recurrent.Cell;
import carousel.nn.recurrent.Elman;
import carousel.nn.recurrent.GruResetAfter;
import carousel.nn.recurrent.GruResetBefore;
import carousel.nn.recurrent.Lstm;
import carousel.nn.recurrent.MatrixPeepholeLstm;
import carousel.nn.recurrent.PeepholeLstm;
import carousel.tensor.Tensor;
import java.util.LinkedHashMap;
import java.util.SequencedMap;

/**
 * The cells of a task, of the agreed weights, and these weights by their names: that of the component of
 * the cell and the number of the layer, {@code wx.0}.
 */
final class Weights {
  private static final int INPUTS = 2;
  private static final int HIDDEN = 3;

  /** What keeps the root of a norm away from 0. */
  private static final double EPSILON = 1e-5;

  private final Task task;
  private final double bound;
  private final SequencedMap<String, Parameter> named = new LinkedHashMap<>();
  private int layer;

  Weights(Task task) {
    this.task = task;
    bound = 1 / Math.sqrt(task.size(HIDDEN));
  }

  /** All weights so far. */
  SequencedMap<String, Parameter> named() {
    return named;
  }

  /** The cell of the next layer. */
  Cell<?> next() {
    int d = layer == 0 ? task.size(INPUTS) : task.outputs();
    int h = task.size(HIDDEN);
    Cell<?> cell = cell(d, h);
    layer++;
    return cell;
  }

  private Cell<?> cell(int d, int h) {
    return switch (task.kind()) {
      case LSTM, LSTM_BY_HAND, RESET_LSTM, RESET_LSTM_BY_HAND ->
          new Lstm(of("wx", d, 4 * h), of("wh", h, 4 * h), of("b", 4 * h));
      case PEEPHOLE ->
          new PeepholeLstm(
              of("wx", d, 4 * h),
              of("wh", h, 4 * h),
              of("b", 4 * h),
              of("pi", h),
              of("pf", h),
              of("po", h));
      case MATRIX_PEEPHOLE ->
          new MatrixPeepholeLstm(
              of("wx", d, 4 * h),
              of("wh", h, 4 * h),
              of("b", 4 * h),
              of("wci", h, h),
              of("wcf", h, h),
              of("wco", h, h));
      case GRU_AFTER ->
          new GruResetAfter(of("wx", d, 3 * h), of("wh", h, 3 * h), of("b", 3 * h), of("bh", h));
      case GRU ->
          new GruResetBefore(
              of("wx", d, 3 * h), of("wh", h, 2 * h), of("wn", h, h), of("b", 3 * h));
      case ELMAN -> new Elman(Activation.TANH, of("wx", d, h), of("wh", h, h), of("b", h));
      case LAYER_NORM_LSTM ->
          new LayerNormLstm(
              of("wx", d, 4 * h),
              of("wh", h, 4 * h),
              norm("x", 4 * h),
              norm("h", 4 * h),
              norm("c", h));
      case LSTMP, LSTMP_BY_HAND ->
          new ProjectedLstm(
              of("wx", d, 4 * h),
              of("wh", task.outputs(), 4 * h),
              of("b", 4 * h),
              of("wp", h, task.outputs()));
      case SLSTM -> new Slstm(of("wx", d, 4 * h), of("wh", h, 4 * h), of("b", 4 * h));
      case GEMM, LANGUAGE_MODEL, LANGUAGE_MODEL_REPLAYED ->
          throw new IllegalArgumentException(task + " is no layer");
    };
  }

  private Parameter of(String name, int... dims) {
    return around(0, name, dims);
  }

  /** The gain {@code g} is near 1, the bias {@code s} near 0. */
  private LayerNorm norm(String of, int features) {
    return new LayerNorm(around(1, "g" + of, features), around(0, "s" + of, features), EPSILON);
  }

  private Parameter around(double centre, String name, int... dims) {
    String full = name + "." + layer;
    var parameter =
        Parameter.of(() -> {
          Tensor drawn = Carousel.tensor(task.dtype(), full, bound, dims);
          return centre == 0 ? drawn : drawn.add(centre);
        });
    named.put(full, parameter);
    return parameter;
  }
}
