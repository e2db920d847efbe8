package carousel.nn;

import carousel.tensor.Draws;
import carousel.tensor.Philox;
import java.util.Optional;
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
 */
public final class Training {
  /** Carried: a checkpointed segment runs again after training ended around it. */
  private static final ScopedValue<Optional<Philox>> RNG = Draws.carried();

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
   * The generator of the training that is going on here.
   *
   * @return where noise draws from; empty in inference
   */
  public static Optional<Philox> rng() {
    return RNG.isBound() ? RNG.get() : Optional.empty();
  }
}
