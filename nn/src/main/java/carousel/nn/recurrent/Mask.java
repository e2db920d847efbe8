package carousel.nn.recurrent;

import carousel.tensor.Philox;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import org.jspecify.annotations.Nullable;

/**
 * Inverted dropout by a mask that is there: {@code x ⊙ m / (1 − p)}.
 *
 * @param kept m, BOOL; null if nothing is dropped
 * @param rate p
 */
record Mask(@Nullable Tensor kept, double rate) {
  /** Drops nothing. */
  static final Mask NONE = new Mask(null, 0);

  /** Draws a mask on the device of a tensor; nothing is drawn for a rate of 0. */
  static Mask draw(Philox rng, double rate, Tensor like, Shape shape) {
    return rate == 0
        ? NONE
        : new Mask(rng.bernoulli(1 - rate, shape.toArray()).to(like.device()), rate);
  }

  boolean isNone() {
    return kept == null;
  }

  /** A mask of the same rate. */
  Mask of(Tensor other) {
    return new Mask(other, rate);
  }

  /** By where, not by a product: an infinite x that is dropped is 0, and so is its gradient. */
  Tensor apply(Tensor x) {
    if (kept == null) {
      return x;
    }
    Tensor rest = Tensor.where(kept, x, x.scalarLike(0));
    return rate == 1 ? rest : rest.mul(1 / (1 - rate));
  }
}
