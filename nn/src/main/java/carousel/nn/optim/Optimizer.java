package carousel.nn.optim;

import carousel.autograd.Gradients;
import carousel.autograd.Leaf;
import carousel.autograd.Rows;
import carousel.nn.Parameters;
import carousel.nn.Parameters.Named;
import carousel.tensor.DType;
import carousel.tensor.Engine;
import carousel.tensor.InPlace;
import carousel.tensor.Recording;
import carousel.tensor.Tensor;
import carousel.tensor.TensorException;
import carousel.tensor.TensorScope;
import carousel.tensor.op.Agreement;
import carousel.tensor.op.Formula;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Changes parameters by their gradients, with a {@link Rule} such as {@link Adam}.
 *
 * <pre>{@code
 * var optimizer = Adam.of(model.parameters(), 1e-3);
 * // at every step:
 * optimizer.step(Grad.of(() -> model.loss(x, y), model.parameters()).clipNorm(5));
 * }</pre>
 *
 * <p>What a rule remembers of the parameters is made at once, in the scope that is open when the
 * optimiser is made: make it in the scope of the run, beside the model, and step in scopes inside of
 * it. A step leaves no tensor behind. Parameters that want other settings, such as biases without
 * weight decay, get an optimiser of their own; see {@link Parameters#where}.
 */
public final class Optimizer {
  private final Parameters parameters;
  private final Rule rule;
  private final Slots slots = new Slots();
  private final List<Remembered> memories = new ArrayList<>();
  private double rate;
  private int step;

  private Optimizer(Parameters parameters, Rule rule, double rate) {
    this.parameters = parameters;
    this.rule = rule;
    this.rate = checked(rate);
    for (var named : parameters) {
      Map<String, Tensor> own = new HashMap<>();
      for (var slot : rule.slots()) {
        Tensor initial =
            slot.scalar()
                ? Tensor.full(DType.F64, slot.initial())
                : named.value().fullLike(named.value().shape(), slot.initial());
        own.put(slot.name(), initial);
        slots.add(named.name() + "." + slot.name(), initial);
      }
      memories.add(new Remembered(own));
    }
  }

  /**
   * An optimiser.
   *
   * @param parameters what to change
   * @param rule how
   * @param rate the learning rate
   * @return the optimiser; what it remembers belongs to the innermost scope
   */
  public static Optimizer of(Parameters parameters, Rule rule, double rate) {
    return new Optimizer(parameters, rule, rate);
  }

  /**
   * Changes every parameter by its gradient.
   *
   * @param gradients holds a gradient for each of the parameters, and may hold more; a gradient that
   *     is not finite makes the parameter so, hence look at {@link Gradients#norm} before
   */
  public void step(Gradients gradients) {
    step(gradients::unscaled, gradients::unscaledRows, gradients.factor());
  }

  /** A step with gradients from anywhere. */
  void step(Function<Leaf, Tensor> gradients) {
    step(gradients, _ -> null, null);
  }

  /**
   * A step with gradients times a factor; where one is missing, no parameter is changed.
   *
   * @param dense finds gradients as tensors
   * @param rows finds those that are rows of a table, null if they are not
   * @param factor a scalar, or null for 1
   */
  private void step(
      Function<Leaf, Tensor> dense, Function<Leaf, @Nullable Rows> rows, @Nullable Tensor factor) {
    try (var scope = TensorScope.openUnwatched()) {
      var found = new ArrayList<Gradient>();
      for (var named : parameters) {
        found.add(gradient(named, dense, rows));
      }
      step++;
      var scale = new Factor(factor);
      if (Agreement.isFusionOn() && fused(found, scale)) {
        return;
      }
      Recording.refuse("optimizer", "steps by " + rule + ", which is not elementwise");
      int i = 0;
      for (var named : parameters) {
        Tensor g = found.get(i).dense();
        Tensor by = scale.like(g);
        byItself(named, by == null ? g : g.mul(by), memories.get(i++));
      }
    }
  }

  private Gradient gradient(
      Named named, Function<Leaf, Tensor> dense, Function<Leaf, @Nullable Rows> rows) {
    boolean byRows = rule.keepsRowsWithoutGradient() || rule.skipsRowsWithoutGradient();
    Rows sparse = Agreement.isFusionOn() && byRows ? rows.apply(named) : null;
    Tensor all = sparse == null ? apart(dense.apply(named)) : null;
    if (rule.skipsRowsWithoutGradient() && Agreement.isFusionOn()) {
      if (sparse != null) {
        sparse = TouchedRows.of(sparse);
      } else if (all != null && all.rank() > 0) {
        return new Gradient(null, TouchedRows.of(all));
      }
    }
    return new Gradient(all, sparse);
  }

  /** What all gradients are multiplied by, converted once to each type there is. */
  private static final class Factor {
    private final @Nullable Tensor factor;
    private final Map<DType, Tensor> converted = new EnumMap<>(DType.class);

    Factor(@Nullable Tensor factor) {
      this.factor = factor;
    }

    @Nullable Tensor like(Tensor gradient) {
      Tensor known = factor;
      return known == null
          ? null
          : converted.computeIfAbsent(
              gradient.dtype(), type -> known.cast(type).to(gradient.device()));
    }
  }

  /** The gradient of one parameter, in one of two forms. */
  private record Gradient(@Nullable Tensor tensor, @Nullable Rows rows) {
    Tensor dense() {
      return tensor != null ? tensor : Objects.requireNonNull(rows).dense();
    }
  }

  /** The step of one parameter, to be traced. */
  private record Update(
      TracedUpdate of, Tensor parameter, Tensor gradient, @Nullable Tensor factor) {
    boolean trace() {
      return of.trace(parameter, gradient, factor);
    }

    boolean repeats() {
      return of.repeats(factor);
    }
  }

  /** A step in one pass over memory; false, and nothing is changed, if the rule cannot be fused. */
  private boolean fused(List<Gradient> gradients, Factor factor) {
    var updates = new ArrayList<Update>();
    int i = 0;
    for (var named : parameters) {
      Remembered memory = memories.get(i);
      Gradient g = gradients.get(i++);
      Tensor p = named.value();
      Rows rows = g.rows();
      TracedUpdate of = rows == null ? memory.updateOf(p) : TracedUpdate.ofRows(rule, rows, memory);
      Tensor gradient = rows == null ? g.dense() : rows.values();
      var update = new Update(of, p, gradient, factor.like(gradient));
      if (!update.trace() || (Recording.current() != null && !update.repeats())) {
        return false;
      }
      updates.add(update);
    }
    boolean ran = InPlace.run(calls(updates), () -> again(updates));
    if (ran) {
      updates.forEach(update -> update.of().writeNumbers());
    }
    return ran;
  }

  /** The next step of a replay: the same updates with its numbers. */
  private List<Formula.Call> again(List<Update> updates) {
    step++;
    updates.forEach(Update::trace);
    return calls(updates);
  }

  private static List<Formula.Call> calls(List<Update> updates) {
    return updates.stream().map(update -> update.of().call()).toList();
  }

  private void byItself(Named named, Tensor gradient, Rule.Memory memory) {
    try (var update = TensorScope.openUnwatched()) {
      if (!rule.skipsRowsWithoutGradient() || gradient.rank() == 0) {
        named.parameter().assign(rule.update(named.value(), gradient, memory));
        return;
      }
      Map<String, Tensor> before = new HashMap<>();
      for (var slot : rule.slots()) {
        if (!slot.scalar()) {
          before.put(slot.name(), memory.get(slot.name()).copy());
        }
      }
      Tensor touched = TouchedRows.mask(gradient);
      Tensor next = rule.update(named.value(), gradient, memory);
      named.parameter().assign(Tensor.where(touched, next, named.value()));
      before.forEach((slot, old) -> memory.set(slot, Tensor.where(touched, memory.get(slot), old)));
    }
  }

  /** A gradient, dense, and in memory that no update writes. */
  private Tensor apart(Tensor gradient) {
    for (var named : parameters) {
      if (Engine.storage(named.value()) == Engine.storage(gradient)) {
        return gradient.copy();
      }
    }
    return gradient.contiguous();
  }

  /** {@return the learning rate of the next step} */
  public double learningRate() {
    return rate;
  }

  /**
   * Sets the learning rate, e.g. by a {@link Schedule}.
   *
   * @param next that of the next step, not negative
   */
  public void learningRate(double next) {
    this.rate = checked(next);
  }

  /** {@return the number of steps} */
  public int steps() {
    return step;
  }

  /**
   * All that is needed to go on, for a checkpoint: the slots as {@code <parameter>.<slot>}, and the
   * scalars {@code step} and {@code rate}.
   *
   * @return the slots themselves, which change with every step, in a fixed order
   */
  public Map<String, Tensor> state() {
    return slots.saved(new Slots.Position(step, rate));
  }

  /**
   * Goes on where another optimiser of the same rule and parameters stood.
   *
   * @param state what its {@link #state} was
   * @throws TensorException if a name is missing or unknown, a type or shape differs, or the step or
   *     the rate is none; nothing is changed then
   */
  public void restore(Map<String, Tensor> state) {
    Slots.Position position = slots.restore(rule, state);
    step = position.step();
    rate = position.rate();
  }

  private static double checked(double rate) {
    if (!(rate >= 0 && Double.isFinite(rate))) {
      throw new TensorException(
          "optimizer: the learning rate must be finite and not negative, got " + rate);
    }
    return rate;
  }

  /** The rule, the learning rate and how many parameters. */
  @Override
  public String toString() {
    return rule + " at " + rate + " of " + parameters.size() + " parameters";
  }

  /** The slots of one parameter, and what was traced of its last step. */
  private final class Remembered implements Rule.Memory {
    private final Map<String, Tensor> own;
    private @Nullable TracedUpdate last;

    Remembered(Map<String, Tensor> own) {
      this.own = own;
    }

    TracedUpdate updateOf(Tensor parameter) {
      TracedUpdate update = last;
      if (update == null || !update.fits(parameter)) {
        update = TracedUpdate.of(rule, parameter, this);
        last = update;
      }
      return update;
    }

    @Override
    public int step() {
      return step;
    }

    @Override
    public double rate() {
      return rate;
    }

    @Override
    public Tensor get(String slot) {
      return Slots.found(own, slot);
    }

    @Override
    public Tensor set(String slot, Tensor value) {
      return get(slot).assign(value);
    }
  }
}
