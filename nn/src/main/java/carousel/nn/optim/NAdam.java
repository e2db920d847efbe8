package carousel.nn.optim;

import carousel.nn.Parameters;
import carousel.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/**
 * Adam with Nesterov's momentum: m and v of {@link Adam}, {@code μ_t = β₁ (1 − ½ 0.96^(t ψ))}, {@code
 * π_t = Π μ_i}, {@code p ← p − η ((1 − μ_t) / (1 − π_t) g + μ_{t+1} / (1 − π_{t+1}) m) / (√v̂ + ε)}.
 *
 * <p>Source: Dozat 2016; PyTorch's {@code NAdam}.
 *
 * @param beta1 β₁, the decay of the first moment
 * @param beta2 β₂, the decay of the second moment
 * @param epsilon ε, what keeps the denominator away from 0
 * @param momentumDecay ψ, how fast μ grows to β₁
 * @param weightDecay the factor of the L2 penalty
 */
public record NAdam(
    double beta1, double beta2, double epsilon, double momentumDecay, double weightDecay)
    implements Rule {
  private static final String PRODUCT = "muProduct";

  /** Checks the settings. */
  public NAdam {
    Bounds.decay("nAdam: beta1", beta1);
    Bounds.decay("nAdam: beta2", beta2);
    Bounds.notNegative("nAdam: epsilon", epsilon);
    Bounds.notNegative("nAdam: momentum decay", momentumDecay);
    Bounds.notNegative("nAdam: weight decay", weightDecay);
  }

  /**
   * An optimiser with PyTorch's defaults: β = (0.9, 0.999), ε = 10⁻⁸, ψ = 0.004.
   *
   * @param parameters what to change
   * @param rate the learning rate, usually 0.002
   * @return the optimiser
   */
  public static Optimizer of(Parameters parameters, double rate) {
    return rule().over(parameters, rate);
  }

  /**
   * The rule with PyTorch's defaults: β = (0.9, 0.999), ε = 10⁻⁸, ψ = 0.004.
   *
   * @return the rule, for {@code with...} and {@link #over}
   */
  public static NAdam rule() {
    return new NAdam(0.9, 0.999, 1e-8, 4e-3, 0);
  }

  /**
   * This rule with other decays of the averages.
   *
   * @param first β₁, in [0, 1)
   * @param second β₂, in [0, 1)
   * @return the rule
   */
  public NAdam withBetas(double first, double second) {
    return new NAdam(first, second, epsilon, momentumDecay, weightDecay);
  }

  /**
   * This rule with another ε.
   *
   * @param value what keeps the denominator away from 0
   * @return the rule
   */
  public NAdam withEpsilon(double value) {
    return new NAdam(beta1, beta2, value, momentumDecay, weightDecay);
  }

  /**
   * This rule with another ψ.
   *
   * @param value how fast μ grows to β₁
   * @return the rule
   */
  public NAdam withMomentumDecay(double value) {
    return new NAdam(beta1, beta2, epsilon, value, weightDecay);
  }

  /**
   * This rule with the gradient of {@code ½ factor ‖p‖²} added.
   *
   * @param factor the weight decay
   * @return the rule
   */
  public NAdam withWeightDecay(double factor) {
    return new NAdam(beta1, beta2, epsilon, momentumDecay, factor);
  }

  @Override
  public List<Slot> slots() {
    List<Slot> slots = new ArrayList<>(Moments.slots(false));
    slots.add(new Slot(PRODUCT, 1, true));
    return List.copyOf(slots);
  }

  @Override
  public Tensor update(Tensor parameter, Tensor gradient, Memory memory) {
    Tensor g = Rule.penalised(gradient, weightDecay, parameter);
    double now = momentum(memory.step());
    double next = momentum(memory.step() + 1);
    Tensor m = Moments.first(memory, beta1, g);
    Tensor v = Moments.second(memory, beta2, g);
    double product = memory.set(PRODUCT, memory.get(PRODUCT).mul(now)).item();
    Tensor ahead = g.mul((1 - now) / (1 - product)).add(m.mul(next / (1 - product * next)));
    Tensor root = v.mul(1 / Moments.correction(beta2, memory.step())).sqrt();
    return ahead.div(root.add(epsilon)).fma(-memory.rate(), parameter);
  }

  private double momentum(int step) {
    return beta1 * (1 - 0.5 * Math.pow(0.96, step * momentumDecay));
  }
}
