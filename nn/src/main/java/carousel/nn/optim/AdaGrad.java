package carousel.nn.optim;

import carousel.nn.Parameters;
import carousel.tensor.Tensor;
import java.util.List;

/**
 * {@code s ← s + g²}, {@code p ← p − η_t g / (√s + ε)}, {@code η_t = η / (1 + (t − 1) rateDecay)}.
 *
 * <p>Source: Duchi, Hazan and Singer 2011; the decay of the rate and where ε stands as in PyTorch's
 * {@code Adagrad}.
 *
 * @param rateDecay how fast the rate falls besides
 * @param initial s before the first step
 * @param epsilon ε, what keeps the denominator away from 0
 * @param weightDecay the factor of the L2 penalty
 */
public record AdaGrad(double rateDecay, double initial, double epsilon, double weightDecay)
    implements Rule {
  /** Checks the settings. */
  public AdaGrad {
    Bounds.notNegative("adaGrad: rate decay", rateDecay);
    Bounds.notNegative("adaGrad: initial sum", initial);
    Bounds.notNegative("adaGrad: epsilon", epsilon);
    Bounds.notNegative("adaGrad: weight decay", weightDecay);
  }

  /**
   * An optimiser with PyTorch's defaults: ε = 10⁻¹⁰.
   *
   * @param parameters what to change
   * @param rate the learning rate, usually 0.01
   * @return the optimiser
   */
  public static Optimizer of(Parameters parameters, double rate) {
    return rule().over(parameters, rate);
  }

  /**
   * The rule with PyTorch's defaults: ε = 10⁻¹⁰.
   *
   * @return the rule, for {@code with...} and {@link #over}
   */
  public static AdaGrad rule() {
    return new AdaGrad(0, 0, 1e-10, 0);
  }

  /**
   * This rule with a rate that falls as {@code 1 / (1 + (t − 1) factor)}.
   *
   * @param factor how fast
   * @return the rule
   */
  public AdaGrad withRateDecay(double factor) {
    return new AdaGrad(factor, initial, epsilon, weightDecay);
  }

  /**
   * This rule with another sum of squares to start from.
   *
   * @param sum s before the first step
   * @return the rule
   */
  public AdaGrad withInitial(double sum) {
    return new AdaGrad(rateDecay, sum, epsilon, weightDecay);
  }

  /**
   * This rule with another ε.
   *
   * @param value what keeps the denominator away from 0
   * @return the rule
   */
  public AdaGrad withEpsilon(double value) {
    return new AdaGrad(rateDecay, initial, value, weightDecay);
  }

  /**
   * This rule with the gradient of {@code ½ factor ‖p‖²} added.
   *
   * @param factor the weight decay
   * @return the rule
   */
  public AdaGrad withWeightDecay(double factor) {
    return new AdaGrad(rateDecay, initial, epsilon, factor);
  }

  /** Nothing moves but by its gradient; a sum of 0 and no ε would make 0/0 of it. */
  @Override
  public boolean keepsRowsWithoutGradient() {
    return weightDecay == 0 && epsilon > 0;
  }

  @Override
  public List<Slot> slots() {
    return List.of(new Slot("sum", initial, false));
  }

  @Override
  public Tensor update(Tensor parameter, Tensor gradient, Memory memory) {
    Tensor g = Rule.penalised(gradient, weightDecay, parameter);
    Tensor sum = memory.set("sum", memory.get("sum").add(g.square()));
    double rate = memory.rate() / (1 + (memory.step() - 1) * rateDecay);
    return g.div(sum.sqrt().add(epsilon)).fma(-rate, parameter);
  }
}
