package carousel.nn;

import carousel.autograd.Grad;
import carousel.tensor.Draws;
import carousel.tensor.Philox;
import java.lang.System.Logger.Level;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;

/**
 * Whether a model is being trained, and where its noise comes from. Like the interpreter of ops this
 * is ambient: it holds for what runs inside {@link #with}, on that thread, and no layer carries a
 * flag.
 *
 * <pre>{@code
 * Grad.of(() -> Training.with(rng, () -> model.loss(tokens, targets)), parameters);   // with noise
 * model.loss(tokens, targets);                                                        // without
 * }</pre>
 *
 * <p>Who comes from PyTorch, where a new model is in training mode, may miss the first line: so noise that meets a
 * gradient outside of both {@link #with} and {@link #without} is said to be off, in one line of the log, once.
 */
public final class Training {
  /** Carried: a checkpointed segment runs again after training ended around it. */
  private static final ScopedValue<Optional<Philox>> RNG = Draws.carried();

  private static final System.Logger LOG = System.getLogger("carousel.nn");
  private static final AtomicBoolean SAID = new AtomicBoolean();

  private Training() {}

  /**
   * Runs a piece of code in training mode.
   *
   * @param rng where dropout and other noise draw from; it moves on as they do
   * @param body what to run
   * @param <R> what it returns
   * @return its result
   */
  public static <R> R with(Philox rng, Supplier<R> body) {
    return ScopedValue.where(RNG, Optional.of(rng)).call(body::get);
  }

  /**
   * Runs a piece of code in inference mode, even inside of training.
   *
   * @param body what to run
   * @param <R> what it returns
   * @return its result
   */
  public static <R> R without(Supplier<R> body) {
    return ScopedValue.where(RNG, Optional.empty()).call(body::get);
  }

  /**
   * The generator of the training that is going on here, for a layer that has noise.
   *
   * @return where noise draws from; empty in inference
   */
  public static Optional<Philox> rng() {
    if (RNG.isBound()) {
      return RNG.get();
    }
    if (Grad.isRecording() && !SAID.getAndSet(true)) {
      LOG.log(
          Level.INFO,
          "noise, such as dropout, met a gradient outside of Training.with(rng, ..), and is off there; in PyTorch it"
              + " would be on. Training.without(..) says that this is meant; nothing more is said of it");
    }
    return Optional.empty();
  }
}
