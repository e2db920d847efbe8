package carousel.nn.optim;

import carousel.autograd.Rows;
import carousel.tensor.Tensor;
import carousel.tensor.TensorException;
import carousel.tensor.op.Formula;
import carousel.tensor.op.FormulaTrace;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What a rule makes of one parameter, read as a formula: the rule runs on stand-ins, and
 * what it computes of them becomes one loop over the parameter, its gradient and its slots.
 *
 * <p>A slot of one number is computed on the spot and written with {@link #writeNumbers}, once the
 * formulas of all parameters are known.
 */
final class TracedUpdate implements Rule.Memory {
  private final Rule.Memory memory;
  private final FormulaTrace trace;
  private final Map<String, Tensor> current = new HashMap<>();
  private final Map<String, Tensor> written = new HashMap<>();
  private final Tensor parameter;
  private final List<Rule.Slot> slots;

  private TracedUpdate(Rule rule, Tensor parameter, FormulaTrace trace, Rule.Memory memory) {
    this.memory = memory;
    this.parameter = parameter;
    this.trace = trace;
    this.slots = rule.slots();
  }

  /**
   * Traces one step.
   *
   * @param scale what the gradient is multiplied by first
   * @return the update, or null if the rule does more than compute element by element
   */
  static @Nullable TracedUpdate of(
      Rule rule, Tensor parameter, Tensor gradient, double scale, Rule.Memory memory) {
    var trace = new FormulaTrace(parameter);
    return of(new TracedUpdate(rule, parameter, trace, memory), rule, gradient, scale);
  }

  /** As {@link #of}, of some rows of a parameter. */
  static @Nullable TracedUpdate ofRows(
      Rule rule, Tensor parameter, Rows gradient, double scale, Rule.Memory memory) {
    var trace = new FormulaTrace(gradient.values(), gradient.index());
    var update = new TracedUpdate(rule, parameter, trace, memory);
    return of(update, rule, gradient.values(), scale);
  }

  private static @Nullable TracedUpdate of(
      TracedUpdate update, Rule rule, Tensor gradient, double scale) {
    try {
      update.run(rule, gradient, scale);
      return update;
    } catch (TensorException e) {
      // Not pointwise. If it is an error, the rule will say so again on real tensors.
      return null;
    }
  }

  private void run(Rule rule, Tensor gradient, double scale) {
    Tensor p = trace.input(parameter);
    Tensor g = trace.input(gradient);
    Tensor next = trace.run(() -> rule.update(p, scale == 1 ? g : g.mul(scale), this));
    for (var slot : slots) {
      Tensor value = written.get(slot.name());
      if (value != null && !slot.scalar()) {
        trace.result(memory.get(slot.name()), value);
      }
    }
    trace.result(parameter, next);
  }

  Formula.Call call() {
    return trace.call();
  }

  void writeNumbers() {
    for (var slot : slots) {
      Tensor value = written.get(slot.name());
      if (value != null && slot.scalar()) {
        memory.set(slot.name(), value);
      }
    }
  }

  @Override
  public int step() {
    return memory.step();
  }

  @Override
  public double rate() {
    return memory.rate();
  }

  @Override
  public Tensor get(String slot) {
    return current.computeIfAbsent(
        slot,
        name -> {
          Tensor x = memory.get(name);
          return isNumber(name) ? x : trace.input(x);
        });
  }

  @Override
  public Tensor set(String slot, Tensor value) {
    var _ = memory.get(slot); // there must be one
    written.put(slot, value);
    current.put(slot, value);
    return value;
  }

  private boolean isNumber(String name) {
    return slots.stream().anyMatch(slot -> slot.scalar() && slot.name().equals(name));
  }
}
