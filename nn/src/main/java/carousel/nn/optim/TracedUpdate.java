package carousel.nn.optim;

import carousel.autograd.Rows;
import carousel.tensor.Tensor;
import carousel.tensor.TensorException;
import carousel.tensor.op.Formula;
import carousel.tensor.trace.FormulaTrace;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What a rule makes of one parameter, read as a formula: the rule runs on stand-ins, and
 * what it computes of them becomes one loop over the parameter, its gradient and its slots. The rule
 * runs so in every step, with that step's numbers; the formula is made anew only when it changes.
 *
 * <p>A slot of one number is computed on the spot and written with {@link #writeNumbers}, once the
 * formulas of all parameters are known.
 */
final class TracedUpdate implements Rule.Memory {
  private final Rule rule;
  private final List<Rule.Slot> slots;
  private final Rule.Memory memory;
  private final FormulaTrace trace;
  private final Map<String, Tensor> current = new HashMap<>();
  private final Map<String, Tensor> written = new HashMap<>();

  /** Traces of a parameter's updates: of all its elements, or of the rows that gradients are about. */
  private TracedUpdate(Rule rule, Rule.Memory memory, FormulaTrace trace) {
    this.rule = rule;
    this.slots = rule.slots();
    this.memory = memory;
    this.trace = trace;
  }

  /** An update of parameters like a given one. */
  static TracedUpdate of(Rule rule, Tensor parameter, Rule.Memory memory) {
    return new TracedUpdate(rule, memory, new FormulaTrace(parameter));
  }

  /** An update of some rows of a parameter. */
  static TracedUpdate ofRows(Rule rule, Rows rows, Rule.Memory memory) {
    return new TracedUpdate(rule, memory, new FormulaTrace(rows.values(), rows.index()));
  }

  /** Whether this is an update of parameters like a given one. */
  boolean fits(Tensor parameter) {
    return trace.fits(parameter);
  }

  /**
   * Traces one step.
   *
   * @param scale what the gradient is multiplied by first, a scalar of its type; null: nothing
   * @return false if the rule does more than compute element by element
   */
  boolean trace(Tensor parameter, Tensor gradient, @Nullable Tensor scale) {
    trace.again();
    current.clear();
    written.clear();
    try {
      run(parameter, gradient, scale);
      return true;
    } catch (TensorException e) {
      // Not pointwise. If it is an error, the rule will say so again on real tensors.
      return false;
    }
  }

  private void run(Tensor parameter, Tensor gradient, @Nullable Tensor scale) {
    Tensor p = trace.input(parameter);
    Tensor g = trace.input(gradient);
    Tensor next = trace.run(() -> rule.update(p, scale == null ? g : g.mul(scale), this));
    for (var slot : slots) {
      Tensor value = written.get(slot.name());
      if (value != null && !slot.scalar()) {
        trace.result(memory.get(slot.name()), value);
      }
    }
    trace.result(parameter, next);
  }

  /**
   * Whether what was traced can be repeated with other numbers: all of them are the host's, but for what
   * the gradient is multiplied by, and no slot of one number was written.
   */
  boolean repeats(@Nullable Tensor scale) {
    return slots.stream().noneMatch(slot -> slot.scalar() && written.containsKey(slot.name()))
        && call().constants().stream()
            .allMatch(c -> !(c instanceof Formula.Held(Tensor number)) || number == scale);
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
    Tensor known = current.get(slot);
    if (known == null) {
      Tensor x = memory.get(slot);
      known = isNumber(slot) ? x : trace.input(x);
      current.put(slot, known);
    }
    return known;
  }

  @Override
  public Tensor set(String slot, Tensor value) {
    Tensor _ = memory.get(slot); // there must be one
    written.put(slot, value);
    current.put(slot, value);
    return value;
  }

  private boolean isNumber(String name) {
    for (var slot : slots) {
      if (slot.scalar() && slot.name().equals(name)) {
        return true;
      }
    }
    return false;
  }
}
