package carousel.benchmarks.compare;

import static carousel.benchmarks.compare.Carousel.parameter;

import carousel.autograd.Grad;
import carousel.autograd.Gradients;
import carousel.nn.Layer;
import carousel.nn.layer.Dropout;
import carousel.nn.layer.Embedding;
import carousel.nn.layer.Linear;
import carousel.nn.loss.Loss;
import carousel.nn.optim.Optimizer;
import carousel.nn.optim.Sgd;
import carousel.nn.recurrent.Lstm;
import carousel.nn.recurrent.Recurrent;
import carousel.nn.recurrent.RecurrentState;
import carousel.nn.recurrent.Sequence;
import carousel.nn.recurrent.Stacked;
import carousel.tensor.DType;
import carousel.tensor.Replay;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/**
 * One step of truncated BPTT of a word-level language model: embedding, LSTM layers, softmax over the
 * vocabulary; the gradient of {@code T · crossEntropy} clipped to norm 5; SGD with rate 1; the final
 * state carried to the next step without its gradient.
 *
 * <p>Source: W. Zaremba, I. Sutskever and O. Vinyals, Recurrent neural network regularization (2014),
 * the small network.
 */
public final class TrainingStep implements Work {
  /** Largest norm of the gradient. */
  public static final double CLIP = 5;

  /** Of SGD. */
  public static final double RATE = 1;

  /** All weights and biases start uniform within this. */
  public static final double BOUND = 0.1;

  private static final int BATCH = 1;
  private static final int HIDDEN = 2;
  private static final int DEPTH = 3;
  private static final int VOCABULARY = 4;

  /** The network: {@code tokens [T,N] → logits [T,N,V]}. */
  record Model(Embedding embed, Stacked stack, Linear head) implements Layer {}

  private final TensorScope run = TensorScope.openUnwatched();
  private final Model model;
  private final Optimizer sgd;
  private final Tensor tokens;
  private final Tensor targets;
  private final int steps;
  private List<RecurrentState> carried = List.of();
  private List<RecurrentState> end = List.of();
  private final boolean replayed;
  private @Nullable Replay replay;
  private double first = Double.NaN;

  /**
   * A model of the agreed weights, at its first window.
   *
   * @param task sizes T,B,H,L,V
   */
  public TrainingStep(Task task) {
    DType dtype = task.dtype();
    int h = task.size(HIDDEN);
    int v = task.size(VOCABULARY);
    steps = task.size(0);
    replayed = task.kind() == Task.Kind.LANGUAGE_MODEL_REPLAYED;
    List<Sequence> layers = new ArrayList<>();
    for (int i = 0; i < task.size(DEPTH); i++) {
      layers.add(
          Recurrent.of(
              new Lstm(
                  parameter(dtype, "wx." + i, BOUND, h, 4 * h),
                  parameter(dtype, "wh." + i, BOUND, h, 4 * h),
                  parameter(dtype, "b." + i, BOUND, 4 * h))));
    }
    model =
        new Model(
            new Embedding(parameter(dtype, "embed", BOUND, v, h), OptionalInt.empty()),
            new Stacked(layers, new Dropout(0)),
            new Linear(parameter(dtype, "head", BOUND, h, v), parameter(dtype, "bias", BOUND, v)));
    sgd = Sgd.of(model.parameters(), RATE);
    var window = Shape.of(steps, task.size(BATCH));
    int count = Math.toIntExact(window.size());
    tokens = Tensor.of(window, Values.indices("tokens", v, count));
    targets = Tensor.of(window, Values.indices("targets", v, count));
  }

  private Tensor loss() {
    Sequence.Run read = model.stack().run(model.embed().apply(tokens), carried);
    end = read.states();
    return Loss.crossEntropy(model.head().apply(read.y()), targets).mul(steps);
  }

  @Override
  public void run() {
    Replay known = replay;
    if (known == null) {
      try (var step = TensorScope.openUnwatched()) {
        Gradients gradients = gradients();
        // Later norms depend on how many steps there were.
        first = Double.isNaN(first) ? gradients.norm() : first;
        Carousel.await(stepBy(gradients));
      }
      replay = replayed ? Replay.of(() -> stepBy(gradients())) : null;
    } else {
      Carousel.await(known.run());
    }
  }

  private Gradients gradients() {
    return Grad.of(this::loss, model.parameters());
  }

  /** Returns the loss. */
  private Tensor stepBy(Gradients gradients) {
    sgd.step(gradients.clipNorm(CLIP));
    carry();
    return gradients.value();
  }

  /** Overwrites the carried state, so that memory stays as it is. */
  private void carry() {
    if (carried.isEmpty()) {
      carried =
          end.stream()
              .<RecurrentState>map(s -> RecurrentState.map(s, t -> run.adopt(t.detach().copy())))
              .toList();
    } else {
      for (int i = 0; i < end.size(); i++) {
        List<Tensor> to = carried.get(i).tensors();
        List<Tensor> from = end.get(i).tensors();
        for (int k = 0; k < to.size(); k++) {
          to.get(k).assign(from.get(k));
        }
      }
    }
    end = List.of();
  }

  /** The norm of the gradient of the first step, before it was clipped. */
  @Override
  public double norm() {
    return first;
  }

  @Override
  public void close() {
    if (replay != null) {
      replay.close();
    }
    run.close();
  }
}
