package carousel.nn.layer;

import carousel.nn.Layer;
import carousel.nn.Training;
import carousel.tensor.Philox;
import carousel.tensor.Tensor;
import carousel.tensor.TensorException;
import carousel.tensor.op.LayerComposites;
import carousel.tensor.op.Op;

/**
 * {@code y = x ⊙ m / (1 − p)}, each {@code m ~ Bernoulli(1 − p)} drawn anew; {@code x [..] → y [..]}.
 * Outside of {@link Training} {@code y = x}, which the division makes the expectation.
 *
 * <p>With {@code p = 1} everything is dropped and y is 0.
 *
 * <p>Source: Srivastava, Hinton, Krizhevsky, Sutskever and Salakhutdinov 2014, scaled at training
 * time ("inverted dropout").
 *
 * @param p the probability of dropping an element, in [0, 1]
 */
public record Dropout(double p) implements Layer {
  /** Checks the probability. */
  public Dropout {
    if (!(p >= 0 && p <= 1)) {
      throw new TensorException("dropout: the probability must be in [0, 1], got " + p);
    }
  }

  /**
   * Drops elements, if this is training.
   *
   * @param x {@code [..]}
   * @return {@code [..]}; x itself where nothing is to be dropped
   */
  public Tensor apply(Tensor x) {
    return p == 0 ? x : Training.rng().map(rng -> dropped(rng, x)).orElse(x);
  }

  private Tensor dropped(Philox rng, Tensor x) {
    Tensor kept = rng.bernoulli(1 - p, x.shape().toArray()).to(x.device());
    return Op.apply(LayerComposites.DROPOUT, x, kept, x.scalarLike(p == 1 ? 1 : 1 / (1 - p)));
  }
}
