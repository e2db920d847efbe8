package carousel.nn.optim;

import carousel.nn.Parameters;
import carousel.tensor.Tensor;
import java.util.List;

/**
 * {@code s ← ρ s + (1 − ρ) g²}, {@code d = √(u + ε) / √(s + ε) · g}, {@code u ← ρ u + (1 − ρ) d²},
 * {@code p ← p − η d}.
 *
 * <p>Source: Zeiler 2012, where η = 1; with η as in PyTorch's {@code Adadelta}.
 *
 * @param rho ρ, the decay of both averages
 * @param epsilon ε, which also sets the size of the first steps
 * @param weightDecay the factor of the L2 penalty
 */
public record Adadelta(double rho, double epsilon, double weightDecay) implements Rule {
  /** Checks the settings. */
  public Adadelta {
    Bounds.decay("adadelta: rho", rho);
    Bounds.notNegative("adadelta: epsilon", epsilon);
    Bounds.notNegative("adadelta: weight decay", weightDecay);
  }

  /**
   * An optimiser with PyTorch's defaults: ρ = 0.9, ε = 10⁻⁶.
   *
   * @param parameters what to change
   * @param rate the learning rate, usually 1
   * @return the optimiser
   */
  public static Optimizer of(Parameters parameters, double rate) {
    return rule().over(parameters, rate);
  }

  /**
   * The rule with PyTorch's defaults: ρ = 0.9, ε = 10⁻⁶.
   *
   * @return the rule, for {@code with...} and {@link #over}
   */
  public static Adadelta rule() {
    return new Adadelta(0.9, 1e-6, 0);
  }

  /**
   * This rule with another decay of the averages.
   *
   * @param decay ρ, in [0, 1)
   * @return the rule
   */
  public Adadelta withRho(double decay) {
    return new Adadelta(decay, epsilon, weightDecay);
  }

  /**
   * This rule with another ε.
   *
   * @param value what keeps the denominator away from 0
   * @return the rule
   */
  public Adadelta withEpsilon(double value) {
    return new Adadelta(rho, value, weightDecay);
  }

  /**
   * This rule with the gradient of {@code ½ factor ‖p‖²} added.
   *
   * @param factor the weight decay
   * @return the rule
   */
  public Adadelta withWeightDecay(double factor) {
    return new Adadelta(rho, epsilon, factor);
  }

  @Override
  public List<Slot> slots() {
    return List.of(Slot.zeros("gradients"), Slot.zeros("deltas"));
  }

  @Override
  public Tensor update(Tensor parameter, Tensor gradient, Memory memory) {
    Tensor g = Rule.penalised(gradient, weightDecay, parameter);
    Tensor squares = memory.get("gradients");
    squares = memory.set("gradients", Rule.average(squares, rho, g.square()));
    Tensor deltas = memory.get("deltas");
    Tensor delta = deltas.add(epsilon).sqrt().div(squares.add(epsilon).sqrt()).mul(g);
    memory.set("deltas", Rule.average(deltas, rho, delta.square()));
    return delta.fma(-memory.rate(), parameter);
  }
}
