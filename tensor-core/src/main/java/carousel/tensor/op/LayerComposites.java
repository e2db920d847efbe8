package carousel.tensor.op;

import static carousel.tensor.Tensor.LAST;

import carousel.tensor.Tensor;
import java.util.stream.IntStream;

/**
 * What layers and losses apply, for which a backend may have a kernel that is written by hand. It knows
 * them as these very constants: a composite of another body under one of their labels is another
 * composite.
 */
public final class LayerComposites {
  /** The target of {@link #CROSS_ENTROPY} that stands for none: no number that one is by mistake. */
  public static final int NO_TARGET = Integer.MIN_VALUE;

  /** {@code (x [M,K], w [K,N], b [N]) → y [M,N]}, {@code y = x · w + b}. */
  public static final Composite LINEAR =
      Composite.fixed("linear", in -> new Tensor[] {in[0].matmul(in[1]).add(in[2])});

  /**
   * {@code (x [..], kept [..], scale []) → y}: x scaled where it is kept, else 0. By where, not by a
   * product: an infinite x that is dropped must be 0, and so must its gradient.
   */
  public static final Composite DROPOUT =
      Composite.fixed(
          "dropout",
          in -> {
            Tensor x = in[0];
            return new Tensor[] {Tensor.where(in[1], x, x.scalarLike(0)).mul(in[2])};
          });

  /**
   * {@code (logits x [N,V], targets [N]) → losses [N]}, {@code −ln softmax(x)[target]}, and 0 where the
   * target is {@link #NO_TARGET}.
   */
  public static final Composite CROSS_ENTROPY =
      Composite.fixed(
          "cross_entropy", in -> new Tensor[] {nll(counted(in[0], in[1]).logSoftmax(LAST), in[1])});

  /**
   * {@code (x [..,D], gain [D], bias [D], ε []) → y [..,D]}, {@code y = (x − μ) / √(σ² + ε) ⊙ gain +
   * bias}; μ and the biased variance σ² over the last axes, as many as the gain has.
   */
  public static final Composite LAYER_NORM =
      Composite.fixed(
          "layer_norm",
          in -> {
            int[] last = IntStream.range(-in[1].rank(), 0).toArray();
            Tensor near = in[0].sub(in[0].mean(last, true));
            // What the mean lost when it was rounded: far from 0, more than some rows vary. It is
            // taken
            // off afterwards, so that a kernel folds for it and for the variance in one pass.
            Tensor lost = near.mean(last, true);
            Tensor variance = near.square().mean(last, true).sub(lost.square());
            // Rounding may leave a row of equal numbers less than none.
            Tensor below = variance.minimum(0).detach();
            Tensor scale = variance.sub(below).add(in[3]).rsqrt();
            return new Tensor[] {near.sub(lost).mul(scale).mul(in[1]).add(in[2])};
          });

  private LayerComposites() {}

  /**
   * The negative log likelihood, {@code −x[n, targets[n]]}, and 0 where the target is {@link #NO_TARGET}.
   *
   * @param x log probabilities {@code [N,V]}
   * @param targets I32 {@code [N]}
   * @return {@code [N]}
   */
  public static Tensor nll(Tensor x, Tensor targets) {
    Tensor values = x.gather(classes(targets).unsqueeze(LAST), LAST).squeeze(LAST);
    return Tensor.where(targets.ne(NO_TARGET), values.neg(), values.scalarLike(0));
  }

  /**
   * The rows that have a target.
   *
   * @param x {@code [N,V]}
   * @param targets I32 {@code [N]}
   * @return x, and 0 in rows whose target is {@link #NO_TARGET}: what is no number there would make one of
   *     their zero gradients
   */
  public static Tensor counted(Tensor x, Tensor targets) {
    return Tensor.where(targets.ne(NO_TARGET).unsqueeze(LAST), x, x.scalarLike(0));
  }

  /**
   * Targets to gather by.
   *
   * @param targets I32 {@code [N]}
   * @return class 0 for none; one that is no class stays so, and is found
   */
  public static Tensor classes(Tensor targets) {
    return Tensor.where(targets.ne(NO_TARGET), targets, targets.scalarLike(0));
  }
}
