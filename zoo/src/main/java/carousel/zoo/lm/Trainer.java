package carousel.zoo.lm;

import carousel.autograd.Grad;
import carousel.autograd.Gradients;
import carousel.nn.Training;
import carousel.nn.data.Batchified;
import carousel.nn.data.TokenBatch;
import carousel.nn.optim.Adam;
import carousel.nn.optim.Optimizer;
import carousel.nn.optim.Sgd;
import carousel.tensor.Philox;
import carousel.tensor.Scope;
import java.util.function.BooleanSupplier;

/**
 * Truncated BPTT: reads a text window by window, the state of one handed to the next without its
 * gradient.
 *
 * <p>A gradient is the sum over the steps of a window and the mean over the batch, {@code T ·
 * crossEntropy}, which is what the learning rates of the literature are meant for. The last window
 * may be shorter than the others.
 *
 * <p>Nothing of an epoch depends on the epoch before it but the weights and what the optimiser
 * remembers: the state starts from 0, and the noise is drawn from the seed and the number of the
 * epoch. So a run that goes on after whole epochs ends at the same bits as one that never stopped.
 */
public final class Trainer {
  private static final long NOISE = 1000;

  private final LanguageModel model;
  private final Settings settings;
  private final Optimizer optimizer;

  /** Told after every step. */
  @FunctionalInterface
  public interface Listener {
    /**
     * A step was made.
     *
     * @param step from 1
     * @param steps how many the epoch has
     * @param loss the mean so far, nats per token
     * @param speed tokens per second so far
     */
    void stepped(int step, int steps, double loss, double speed);
  }

  /**
   * What an epoch gave.
   *
   * @param perplexity of the text, while the weights changed
   * @param speed tokens per second
   * @param finished whether the text was read to its end
   */
  public record Outcome(double perplexity, double speed, boolean finished) {}

  /**
   * A trainer; what its optimiser remembers belongs to the innermost scope.
   *
   * @param model what is trained
   * @param settings how
   */
  public Trainer(LanguageModel model, Settings settings) {
    this.model = model;
    this.settings = settings;
    this.optimizer =
        settings.optimizer().equals("adam")
            ? Adam.of(model.parameters(), settings.lr())
            : Sgd.of(model.parameters(), settings.lr());
  }

  /**
   * What is known beside the weights.
   *
   * @return the optimiser
   */
  public Optimizer optimizer() {
    return optimizer;
  }

  /**
   * Reads the text once.
   *
   * @param text N parts of it side by side
   * @param epoch its number, from 0
   * @param listener told after every step
   * @param stop asked after every step; where it says true the epoch ends unfinished
   * @return what it gave
   * @throws Failure if the loss or the gradient is not finite; the weights are then as they were
   *     before that step
   */
  public Outcome epoch(Batchified text, int epoch, Listener listener, BooleanSupplier stop) {
    optimizer.learningRate(settings.schedule().rate(epoch));
    var noise = Philox.of(settings.seed()).split(NOISE + epoch);
    var steps = text.windowCount(settings.steps());
    var step = 0;
    var nats = 0.0;
    var tokens = 0L;
    var start = System.nanoTime();
    try (var reading = Scope.open()) {
      var state = new CarriedState();
      for (var window : text.windows(settings.steps())) {
        var loss = step(window, state, noise, epoch, ++step);
        nats += loss * window.size();
        tokens += window.size();
        listener.stepped(step, steps, nats / tokens, speed(tokens, start));
        if (step < steps && stop.getAsBoolean()) {
          return new Outcome(Math.exp(nats / tokens), speed(tokens, start), false);
        }
      }
    }
    return new Outcome(Math.exp(nats / tokens), speed(tokens, start), true);
  }

  private static double speed(long tokens, long start) {
    return tokens / Math.max(1e-9, (System.nanoTime() - start) * 1e-9);
  }

  /** One change of the weights; returns the mean loss, in nats per token. */
  private double step(TokenBatch window, CarriedState state, Philox noise, int epoch, int number) {
    try (var step = Scope.open()) {
      var gradients =
          Grad.of(
              () -> Training.with(noise, () -> model.loss(window, state).mul(window.steps())),
              model.parameters());
      var loss = gradients.value().item() / window.steps();
      requireFinite("loss", loss, epoch, number);
      optimizer.step(clipped(gradients, epoch, number));
      state.advance();
      return loss;
    }
  }

  private Gradients clipped(Gradients gradients, int epoch, int number) {
    var norm = gradients.norm();
    requireFinite("norm of the gradient", norm, epoch, number);
    var clip = settings.clip();
    return clip > 0 && norm > clip ? gradients.scale(clip / norm) : gradients;
  }

  private void requireFinite(String what, double value, int epoch, int number) {
    if (Double.isFinite(value)) return;
    throw new Failure(
        "epoch %d, step %d: the %s is %s; the training was stopped before that step changed the"
                .formatted(epoch + 1, number, what, value)
            + " weights. Try a lower --lr (it is %s) or a lower --clip (it is %s)"
                .formatted(optimizer.learningRate(), settings.clip()));
  }
}
