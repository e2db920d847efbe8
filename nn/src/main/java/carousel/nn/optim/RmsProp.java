package carousel.nn.optim;

import carousel.nn.Parameters;
import carousel.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/**
 * {@code s ← α s + (1 − α) g²}, {@code d = g / (√s + ε)}, {@code p ← p − η d}. Centred, {@code a ← α a
 * + (1 − α) g} and {@code s − a²}, the variance, is under the root; with momentum μ, {@code b ← μ b +
 * d} takes the place of d.
 *
 * <p>Source: Hinton 2012 (lecture 6e); centred by Graves 2013; ε outside of the root as in PyTorch's
 * {@code RMSprop}.
 *
 * @param alpha α, the decay of the averages
 * @param epsilon ε, what keeps the denominator away from 0
 * @param momentum μ, in [0, 1)
 * @param centered whether to divide by the deviation instead of the root mean square
 * @param weightDecay the factor of the L2 penalty
 */
public record RmsProp(
    double alpha, double epsilon, double momentum, boolean centered, double weightDecay)
    implements Rule {
  /** Checks the settings. */
  public RmsProp {
    Bounds.decay("rmsProp: alpha", alpha);
    Bounds.notNegative("rmsProp: epsilon", epsilon);
    Bounds.decay("rmsProp: momentum", momentum);
    Bounds.notNegative("rmsProp: weight decay", weightDecay);
  }

  /**
   * An optimiser with PyTorch's defaults: α = 0.99, ε = 10⁻⁸.
   *
   * @param parameters what to change
   * @param rate the learning rate, usually 0.01
   * @return the optimiser
   */
  public static Optimizer of(Parameters parameters, double rate) {
    return rule().over(parameters, rate);
  }

  /**
   * The rule with PyTorch's defaults: α = 0.99, ε = 10⁻⁸.
   *
   * @return the rule, for {@code with...} and {@link #over}
   */
  public static RmsProp rule() {
    return new RmsProp(0.99, 1e-8, 0, false, 0);
  }

  /**
   * This rule with another decay of the averages.
   *
   * @param decay α, in [0, 1)
   * @return the rule
   */
  public RmsProp withAlpha(double decay) {
    return new RmsProp(decay, epsilon, momentum, centered, weightDecay);
  }

  /**
   * This rule with another ε.
   *
   * @param value what keeps the denominator away from 0
   * @return the rule
   */
  public RmsProp withEpsilon(double value) {
    return new RmsProp(alpha, value, momentum, centered, weightDecay);
  }

  /**
   * This rule with momentum.
   *
   * @param factor μ, in [0, 1)
   * @return the rule
   */
  public RmsProp withMomentum(double factor) {
    return new RmsProp(alpha, epsilon, factor, centered, weightDecay);
  }

  /**
   * This rule with the variance in place of the mean square.
   *
   * @return the rule
   */
  public RmsProp withCentering() {
    return new RmsProp(alpha, epsilon, momentum, true, weightDecay);
  }

  /**
   * This rule with the gradient of {@code ½ factor ‖p‖²} added.
   *
   * @param factor the weight decay
   * @return the rule
   */
  public RmsProp withWeightDecay(double factor) {
    return new RmsProp(alpha, epsilon, momentum, centered, factor);
  }

  @Override
  public List<Slot> slots() {
    List<Slot> slots = new ArrayList<>(List.of(Slot.zeros("squares")));
    if (centered) {
      slots.add(Slot.zeros("mean"));
    }
    if (momentum > 0) {
      slots.add(Slot.zeros("momentum"));
    }
    return List.copyOf(slots);
  }

  @Override
  public Tensor update(Tensor parameter, Tensor gradient, Memory memory) {
    Tensor g = Rule.penalised(gradient, weightDecay, parameter);
    Tensor s = memory.get("squares");
    s = memory.set("squares", Rule.average(s, alpha, g.square()));
    if (centered) {
      Tensor mean = memory.set("mean", Rule.average(memory.get("mean"), alpha, g));
      // Rounding can leave a variance a little below 0.
      s = s.sub(mean.square()).maximum(0);
    }
    Tensor d = g.div(s.sqrt().add(epsilon));
    if (momentum > 0) {
      d = memory.set("momentum", memory.get("momentum").fma(momentum, d));
    }
    return d.fma(-memory.rate(), parameter);
  }
}
