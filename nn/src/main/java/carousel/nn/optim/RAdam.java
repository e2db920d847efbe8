package carousel.nn.optim;

import carousel.nn.Parameters;
import carousel.tensor.Tensor;
import java.util.List;

/**
 * Adam with a rectified variance: m̂ and v of {@link Adam}, {@code ρ∞ = 2 / (1 − β₂) − 1}, {@code ρ_t =
 * ρ∞ − 2 t β₂ᵗ / (1 − β₂ᵗ)}. Where {@code ρ_t > 5}, {@code p ← p − η r_t m̂ √(1 − β₂ᵗ) / (√v + ε)}, {@code
 * r_t² = (ρ_t − 4)(ρ_t − 2) ρ∞ / ((ρ∞ − 4)(ρ∞ − 2) ρ_t)}; before, {@code p ← p − η m̂}.
 *
 * <p>Source: Liu et al. 2020; PyTorch's {@code RAdam}.
 *
 * @param beta1 β₁, the decay of the first moment
 * @param beta2 β₂, the decay of the second moment
 * @param epsilon ε, what keeps the denominator away from 0
 * @param weightDecay the factor of the L2 penalty
 */
public record RAdam(double beta1, double beta2, double epsilon, double weightDecay)
    implements Rule {
  /** Checks the settings. */
  public RAdam {
    Bounds.decay("rAdam: beta1", beta1);
    Bounds.decay("rAdam: beta2", beta2);
    Bounds.notNegative("rAdam: epsilon", epsilon);
    Bounds.notNegative("rAdam: weight decay", weightDecay);
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
  public static RAdam rule() {
    return new RAdam(0.9, 0.999, 1e-8, 0);
  }

  /**
   * This rule with other decays of the averages.
   *
   * @param first β₁, in [0, 1)
   * @param second β₂, in [0, 1)
   * @return the rule
   */
  public RAdam withBetas(double first, double second) {
    return new RAdam(first, second, epsilon, weightDecay);
  }

  /**
   * This rule with another ε.
   *
   * @param value what keeps the denominator away from 0
   * @return the rule
   */
  public RAdam withEpsilon(double value) {
    return new RAdam(beta1, beta2, value, weightDecay);
  }

  /**
   * This rule with the gradient of {@code ½ factor ‖p‖²} added.
   *
   * @param factor the weight decay
   * @return the rule
   */
  public RAdam withWeightDecay(double factor) {
    return new RAdam(beta1, beta2, epsilon, factor);
  }

  @Override
  public List<Slot> slots() {
    return Moments.slots(false);
  }

  @Override
  public Tensor update(Tensor parameter, Tensor gradient, Memory memory) {
    Tensor g = Rule.penalised(gradient, weightDecay, parameter);
    int t = memory.step();
    Tensor m = Moments.first(memory, beta1, g).mul(1 / Moments.correction(beta1, t));
    Tensor v = Moments.second(memory, beta2, g);
    double unbias = Moments.correction(beta2, t);
    double limit = 2 / (1 - beta2) - 1;
    double length = limit - 2 * t * Math.pow(beta2, t) / unbias;
    if (length <= 5) {
      return m.fma(-memory.rate(), parameter);
    }
    double rectification =
        Math.sqrt(
            (length - 4) * (length - 2) * limit / ((limit - 4) * (limit - 2) * length) * unbias);
    return m.div(v.sqrt().add(epsilon)).fma(-memory.rate() * rectification, parameter);
  }
}
