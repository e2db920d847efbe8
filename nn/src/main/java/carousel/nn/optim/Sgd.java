package carousel.nn.optim;

import carousel.nn.Parameters;
import carousel.tensor.Tensor;
import carousel.tensor.TensorException;
import java.util.List;

/**
 * {@code p ← p − η d}, {@code g' = g + weightDecay·p}; without momentum {@code d = g'}, with momentum
 * μ {@code b ← μ b + (1 − dampening) g'} (in the first step {@code b = g'}) and {@code d = b}, with
 * Nesterov's {@code d = g' + μ b}.
 *
 * <p>Source: Polyak 1964; Nesterov 1983 in the form of Sutskever, Martens, Dahl and Hinton 2013; all
 * as in PyTorch's {@code SGD}.
 *
 * @param momentum μ, in [0, 1)
 * @param dampening how much less of a gradient goes into the momentum
 * @param nesterov whether to look ahead
 * @param weightDecay the factor of the L2 penalty
 */
public record Sgd(double momentum, double dampening, boolean nesterov, double weightDecay)
    implements Rule {
  private static final String BUFFER = "momentum";

  /** Checks the settings. */
  public Sgd {
    Bounds.decay("sgd: momentum", momentum);
    Bounds.notNegative("sgd: dampening", dampening);
    Bounds.notNegative("sgd: weight decay", weightDecay);
    if (nesterov && (momentum == 0 || dampening != 0)) {
      throw new TensorException(
          "sgd: Nesterov's momentum wants a momentum above 0 and no dampening, got momentum "
              + momentum
              + " and dampening "
              + dampening);
    }
  }

  /**
   * An optimiser with PyTorch's defaults: no momentum, no decay.
   *
   * @param parameters what to change
   * @param rate the learning rate, e.g. 1 with clipped gradients, 0.1 without
   * @return the optimiser
   */
  public static Optimizer of(Parameters parameters, double rate) {
    return rule().over(parameters, rate);
  }

  /**
   * The rule with PyTorch's defaults: no momentum, no decay.
   *
   * @return the rule, for {@code with...} and {@link #over}
   */
  public static Sgd rule() {
    return new Sgd(0, 0, false, 0);
  }

  /**
   * This rule with momentum.
   *
   * @param factor μ, in [0, 1)
   * @return the rule
   */
  public Sgd withMomentum(double factor) {
    return new Sgd(factor, dampening, nesterov, weightDecay);
  }

  /**
   * This rule with dampened momentum.
   *
   * @param share how much less of a gradient goes into the momentum
   * @return the rule
   */
  public Sgd withDampening(double share) {
    return new Sgd(momentum, share, nesterov, weightDecay);
  }

  /**
   * This rule with Nesterov's momentum, which is never dampened.
   *
   * @param factor μ, above 0 and below 1
   * @return the rule
   */
  public Sgd withNesterov(double factor) {
    return new Sgd(factor, 0, true, weightDecay);
  }

  /**
   * This rule with the gradient of {@code ½ factor ‖p‖²} added.
   *
   * @param factor the weight decay
   * @return the rule
   */
  public Sgd withWeightDecay(double factor) {
    return new Sgd(momentum, dampening, nesterov, factor);
  }

  /** Without momentum and weight decay nothing moves but by its gradient. */
  @Override
  public boolean keepsRowsWithoutGradient() {
    return momentum == 0 && weightDecay == 0;
  }

  @Override
  public List<Slot> slots() {
    return momentum == 0 ? List.of() : List.of(Slot.zeros(BUFFER));
  }

  @Override
  public Tensor update(Tensor parameter, Tensor gradient, Memory memory) {
    Tensor g = Rule.penalised(gradient, weightDecay, parameter);
    return direction(g, memory).fma(-memory.rate(), parameter);
  }

  private Tensor direction(Tensor g, Memory memory) {
    if (momentum == 0) {
      return g;
    }
    Tensor b = memory.get(BUFFER);
    b = memory.set(BUFFER, memory.step() == 1 ? g : b.mul(momentum).add(g.mul(1 - dampening)));
    return nesterov ? b.fma(momentum, g) : b;
  }
}
