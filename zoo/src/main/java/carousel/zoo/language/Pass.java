package carousel.zoo.language;

import carousel.nn.data.Batchified;
import carousel.nn.recurrent.CarriedState;
import carousel.tensor.Philox;
import carousel.tensor.Tensor;
import carousel.zoo.run.Failure;
import java.util.Map;

/**
 * One reading of the text, window by window, the state of one handed to the next without its gradient.
 * The last window may be shorter than the others.
 *
 * <p>Between two steps it can be put down, as {@link #progress} and {@link #carried}, and taken up
 * elsewhere.
 */
public final class Pass {
  private static final long NOISE = 1000;

  private final Trainer trainer;
  private final Batchified text;
  private final CarriedState state;
  private final Philox noise;
  private Progress progress;

  /** Takes up where another one was put down; what is carried belongs to the innermost scope. */
  Pass(Trainer trainer, Batchified text, Progress progress, CarriedState state) {
    this.trainer = trainer;
    this.text = text;
    this.progress = progress;
    this.state = state;
    long seed = Philox.of(trainer.settings().seed()).split(NOISE + progress.epoch()).seed();
    this.noise = Philox.at(seed, progress.noise());
  }

  /**
   * How many windows the text has.
   *
   * @return the number of steps from the start to the end
   */
  public int windows() {
    return text.windowCount(trainer.settings().steps());
  }

  /**
   * Whether the text is read to its end.
   *
   * @return whether no step is left
   */
  public boolean ended() {
    return progress.windows() >= windows();
  }

  /**
   * Learns from the next window.
   *
   * @throws Failure if the loss or the gradient is not finite; the weights and the progress are then as
   *     they were before
   */
  public void step() {
    long start = System.nanoTime();
    int steps = trainer.settings().steps();
    var done = progress;
    var window = text.window(done.windows() * steps, steps);
    double loss = trainer.step(window, state, noise, done);
    progress =
        new Progress(
            done.epoch(),
            done.windows() + 1,
            done.nats() + loss * window.size(),
            done.tokens() + window.size(),
            done.seconds() + (System.nanoTime() - start) * 1e-9,
            noise.counter());
  }

  /**
   * The mean loss so far.
   *
   * @return nats per token, while the weights changed
   */
  public double loss() {
    return progress.nats() / progress.tokens();
  }

  /**
   * How fast it went so far.
   *
   * @return tokens per second
   */
  public double speed() {
    return progress.tokens() / Math.max(1e-9, progress.seconds());
  }

  /** How far it has come. */
  Progress progress() {
    return progress;
  }

  /** What the next window begins with, by name. */
  Map<String, Tensor> carried() {
    return state.tensors();
  }
}
