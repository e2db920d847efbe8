package carousel.nn.optim;

import carousel.nn.Parameters;
import carousel.tensor.Tensor;
import java.util.List;

/**
 * What one step makes of one parameter: from its value, its gradient and what was remembered of it to
 * its next value. A rule is a record of hyper-parameters; an {@link Optimizer} applies it.
 */
public interface Rule {
  /**
   * What is remembered of each parameter from step to step.
   *
   * @return the names and how they start, in a fixed order
   */
  List<Slot> slots();

  /**
   * Tells whether a row of a parameter whose gradient is 0 stays as it is, and its slots, too: then a
   * step leaves out the rows that no token looked up.
   *
   * @return false unless a rule says so
   */
  default boolean keepsRowsWithoutGradient() {
    return false;
  }

  /**
   * Tells whether rows of a parameter whose gradient is 0 are left out of a step, with their slots, whatever {@link
   * #update} would make of them.
   *
   * @return false unless a rule says so, as {@link LazyRows} does
   */
  default boolean skipsRowsWithoutGradient() {
    return false;
  }

  /**
   * One step. A rule that applies nothing but elementwise rows to its tensors, and numbers to them, is
   * run as one loop over their memory; it may see stand-ins without values, then.
   *
   * @param parameter {@code p}, not to be changed
   * @param gradient {@code g}, of its type and shape
   * @param memory the slots of this parameter, to be read and written
   * @return the next value of the parameter
   */
  Tensor update(Tensor parameter, Tensor gradient, Memory memory);

  /**
   * An optimiser that applies this rule.
   *
   * @param parameters what to change
   * @param rate the learning rate
   * @return the optimiser; what it remembers belongs to the innermost scope
   */
  default Optimizer over(Parameters parameters, double rate) {
    return Optimizer.of(parameters, this, rate);
  }

  /**
   * Something remembered of each parameter.
   *
   * @param name the last part of its name in a checkpoint
   * @param initial its value before the first step
   * @param scalar whether it is one F64 number, instead of a tensor like the parameter
   */
  record Slot(String name, double initial, boolean scalar) {
    /**
     * A tensor of the parameter's type and shape that starts at 0.
     *
     * @param name its name
     * @return the slot
     */
    public static Slot zeros(String name) {
      return new Slot(name, 0, false);
    }
  }

  /** What an optimiser remembers of one parameter, and where it stands. */
  interface Memory {
    /**
     * The number of this step.
     *
     * @return 1 in the first step
     */
    int step();

    /**
     * The learning rate of this step.
     *
     * @return the rate
     */
    double rate();

    /**
     * Reads a slot.
     *
     * @param slot its name
     * @return what the last step wrote, or the initial value
     */
    Tensor get(String slot);

    /**
     * Writes a slot, in place.
     *
     * @param slot its name
     * @param value its new value
     * @return the slot, with the new value
     */
    Tensor set(String slot, Tensor value);
  }

  /**
   * The exponential average {@code d·average + (1 − d)·x}.
   *
   * @param average the average so far
   * @param decay d
   * @param x the new value
   * @return the new average
   */
  static Tensor average(Tensor average, double decay, Tensor x) {
    return average.mul(decay).add(x.mul(1 - decay));
  }

  /**
   * The gradient of the loss with an L2 penalty, {@code g + weightDecay · p}.
   *
   * @param gradient g
   * @param weightDecay the factor of the penalty {@code ½ weightDecay ‖p‖²}
   * @param parameter p
   * @return g itself where the factor is 0
   */
  static Tensor penalised(Tensor gradient, double weightDecay, Tensor parameter) {
    return weightDecay == 0 ? gradient : gradient.add(parameter.mul(weightDecay));
  }
}
