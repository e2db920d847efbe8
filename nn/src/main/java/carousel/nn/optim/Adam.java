package carousel.nn.optim;

import carousel.nn.Parameters;
import carousel.tensor.Tensor;
import java.util.List;

/**
 * {@code m ← β₁ m + (1 − β₁) g}, {@code v ← β₂ v + (1 − β₂) g²}, {@code p ← p − η m̂ / (√v̂ + ε)},
 * {@code m̂ = m / (1 − β₁ᵗ)}, {@code v̂ = v / (1 − β₂ᵗ)}.
 *
 * <p>Source: Kingma and Ba 2015; weight decay as an L2 penalty as in PyTorch's {@code Adam}, decoupled
 * in {@link AdamW}.
 *
 * @param beta1 β₁, the decay of the first moment
 * @param beta2 β₂, the decay of the second moment
 * @param epsilon ε, what keeps the denominator away from 0
 * @param weightDecay the factor of the L2 penalty
 * @param amsgrad whether the greatest second moment so far counts
 */
public record Adam(double beta1, double beta2, double epsilon, double weightDecay, boolean amsgrad)
    implements Rule {
  /** Checks the settings. */
  public Adam {
    Bounds.decay("adam: beta1", beta1);
    Bounds.decay("adam: beta2", beta2);
    Bounds.notNegative("adam: epsilon", epsilon);
    Bounds.notNegative("adam: weight decay", weightDecay);
  }

  /**
   * An optimiser with PyTorch's defaults: β = (0.9, 0.999), ε = 10⁻⁸.
   *
   * @param parameters what to change
   * @param rate the learning rate, usually 0.001
   * @return the optimiser
   */
  public static Optimizer of(Parameters parameters, double rate) {
    return rule().over(parameters, rate);
  }

  /**
   * The rule with PyTorch's defaults: β = (0.9, 0.999), ε = 10⁻⁸.
   *
   * @return the rule, for {@code with...} and {@link #over}
   */
  public static Adam rule() {
    return new Adam(0.9, 0.999, 1e-8, 0, false);
  }

  /**
   * This rule with other decays of the averages.
   *
   * @param first β₁, in [0, 1)
   * @param second β₂, in [0, 1)
   * @return the rule
   */
  public Adam withBetas(double first, double second) {
    return new Adam(first, second, epsilon, weightDecay, amsgrad);
  }

  /**
   * This rule with another ε.
   *
   * @param value what keeps the denominator away from 0
   * @return the rule
   */
  public Adam withEpsilon(double value) {
    return new Adam(beta1, beta2, value, weightDecay, amsgrad);
  }

  /**
   * This rule with the gradient of {@code ½ factor ‖p‖²} added.
   *
   * @param factor the weight decay
   * @return the rule
   */
  public Adam withWeightDecay(double factor) {
    return new Adam(beta1, beta2, epsilon, factor, amsgrad);
  }

  /**
   * This rule with the greatest second moment so far in place of the last (Reddi, Kale and Kumar 2018).
   *
   * @return the rule
   */
  public Adam withAmsgrad() {
    return new Adam(beta1, beta2, epsilon, weightDecay, true);
  }

  @Override
  public List<Slot> slots() {
    return Moments.slots(amsgrad);
  }

  @Override
  public Tensor update(Tensor parameter, Tensor gradient, Memory memory) {
    Tensor g = Rule.penalised(gradient, weightDecay, parameter);
    Tensor d = Moments.direction(g, beta1, beta2, epsilon, amsgrad, memory);
    return d.fma(-memory.rate(), parameter);
  }
}
