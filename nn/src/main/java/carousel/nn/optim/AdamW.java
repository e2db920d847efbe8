package carousel.nn.optim;

import carousel.nn.Parameters;
import carousel.tensor.Tensor;
import java.util.List;

/**
 * {@link Adam} with decoupled weight decay: {@code p ← (1 − η weightDecay) p − η m̂ / (√v̂ + ε)}.
 *
 * <p>Source: Loshchilov and Hutter 2019; PyTorch's {@code AdamW}.
 *
 * @param beta1 β₁, the decay of the first moment
 * @param beta2 β₂, the decay of the second moment
 * @param epsilon ε, what keeps the denominator away from 0
 * @param weightDecay by what share, times the rate, a weight shrinks in a step
 * @param amsgrad whether the greatest second moment so far counts
 */
public record AdamW(double beta1, double beta2, double epsilon, double weightDecay, boolean amsgrad)
    implements Rule {
  /** Checks the settings. */
  public AdamW {
    Bounds.decay("adamW: beta1", beta1);
    Bounds.decay("adamW: beta2", beta2);
    Bounds.notNegative("adamW: epsilon", epsilon);
    Bounds.notNegative("adamW: weight decay", weightDecay);
  }

  /**
   * An optimiser with PyTorch's defaults: β = (0.9, 0.999), ε = 10⁻⁸, decay 0.01.
   *
   * @param parameters what to change
   * @param rate the learning rate, usually 0.001
   * @return the optimiser
   */
  public static Optimizer of(Parameters parameters, double rate) {
    return rule().over(parameters, rate);
  }

  /**
   * The rule with PyTorch's defaults: β = (0.9, 0.999), ε = 10⁻⁸, decay 0.01.
   *
   * @return the rule, for {@code with...} and {@link #over}
   */
  public static AdamW rule() {
    return new AdamW(0.9, 0.999, 1e-8, 0.01, false);
  }

  /**
   * This rule with other decays of the averages.
   *
   * @param first β₁, in [0, 1)
   * @param second β₂, in [0, 1)
   * @return the rule
   */
  public AdamW withBetas(double first, double second) {
    return new AdamW(first, second, epsilon, weightDecay, amsgrad);
  }

  /**
   * This rule with another ε.
   *
   * @param value what keeps the denominator away from 0
   * @return the rule
   */
  public AdamW withEpsilon(double value) {
    return new AdamW(beta1, beta2, value, weightDecay, amsgrad);
  }

  /**
   * This rule with another weight decay.
   *
   * @param factor the weight decay
   * @return the rule
   */
  public AdamW withWeightDecay(double factor) {
    return new AdamW(beta1, beta2, epsilon, factor, amsgrad);
  }

  /**
   * This rule with the greatest second moment so far in place of the last (Reddi, Kale and Kumar 2018).
   *
   * @return the rule
   */
  public AdamW withAmsgrad() {
    return new AdamW(beta1, beta2, epsilon, weightDecay, true);
  }

  @Override
  public List<Slot> slots() {
    return Moments.slots(amsgrad);
  }

  @Override
  public Tensor update(Tensor parameter, Tensor gradient, Memory memory) {
    Tensor d = Moments.direction(gradient, beta1, beta2, epsilon, amsgrad, memory);
    return d.fma(-memory.rate(), parameter.mul(1 - memory.rate() * weightDecay));
  }
}
