package carousel.tensor.cpu.scan;

import carousel.tensor.op.Op;
import carousel.tensor.trace.JointGraph;
import carousel.tensor.trace.Value;
import carousel.tensor.trace.Value.Kind;
import carousel.tensor.trace.Value.Term;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.function.ToIntFunction;

/**
 * Which values the step computes and which its gradient, and at which stage of its own way each is
 * there. A stage is folds of what earlier ones have stored, then matrix products, and then what can be
 * computed from these column by column.
 *
 * <p>What is folded has to be stored, and so has a single column that wider values read: unless these
 * can compute it once more for every vector of theirs, from what is there before the stage.
 */
final class Stages {
  /** Bytes of code that are rather computed once more than stored and waited for. */
  private static final int LITTLE = 400;

  private final JointGraph step;
  private final ToIntFunction<Op> size;
  private final Set<Value> ofStep;
  private final Set<Value> ofGradient = new HashSet<>();
  private final int[] numbers;

  /**
   * The stages of a step.
   *
   * @param size bytes of code that a row takes
   */
  Stages(JointGraph step, ToIntFunction<Op> size) {
    this.step = step;
    this.size = size;
    List<Value> values = step.graph().values();
    this.numbers = new int[values.size()];
    this.ofStep = JointGraph.live(step.outputs());
    // What the step is given has its place, also where the gradient alone reads it.
    step.graph().read(step.outputs()).stream().filter(Value::isGiven).forEach(ofStep::add);
    List<Value> results = new ArrayList<>(step.cotangents().values());
    results.addAll(step.before());
    results.addAll(step.given().values());
    collect(results);
    for (Value value : values) {
      numbers[value.id()] = number(value);
    }
  }

  /** Adds what the results are computed from to the gradient, but for what the step computes. */
  private void collect(List<Value> results) {
    List<Value> open = new ArrayList<>(results);
    while (!open.isEmpty()) {
      Value value = open.removeLast();
      if (!ofStep.contains(value) && ofGradient.add(value)) {
        open.addAll(value.inputs());
      }
    }
  }

  private int number(Value value) {
    int stage = 0;
    for (Value input : value.inputs()) {
      stage = Math.max(stage, seenBy(value, input) + (waits(value, input) ? 1 : 0));
    }
    for (Term term : value.terms()) {
      Value factor =
          value.kind() == Kind.BACK
              ? Objects.requireNonNull(step.cotangents().get(term.factor()))
              : term.factor();
      stage = Math.max(stage, seenBy(value, factor) + 1);
    }
    return stage;
  }

  /** The stage of an input, for one that reads it. */
  private int seenBy(Value value, Value input) {
    return isOfStep(value) ? numbers[input.id()] : inGradient(input);
  }

  /** Whether an input has to be stored before a value is computed, which is one stage later. */
  private boolean waits(Value value, Value input) {
    return switch (value.kind()) {
      case FOLD -> isComputedBeside(value, input) && input.kind() != Kind.FOLD;
      case SPREAD -> cost(value, input, seenBy(value, input)) > LITTLE;
      default -> false;
    };
  }

  private boolean isComputedBeside(Value value, Value input) {
    boolean computed =
        switch (input.kind()) {
          case APPLY, SUM, BACK, FOLD -> !input.isNumber();
          default -> false;
        };
    return computed && isOfStep(value) == isOfStep(input);
  }

  /** Bytes of code that compute a single column from what is there before a stage; too many if it is not. */
  private int cost(Value spread, Value value, int stage) {
    if (!isComputedBeside(spread, value)
        || value.kind() == Kind.FOLD
        || seenBy(spread, value) < stage) {
      return 0;
    }
    if (value.kind() != Kind.APPLY) {
      return LITTLE + 1;
    }
    int bytes = size.applyAsInt(Objects.requireNonNull(value.op()));
    for (Value input : value.inputs()) {
      bytes += bytes > LITTLE ? 0 : cost(spread, input, stage);
    }
    return bytes;
  }

  /** Whether the step computes a value. */
  boolean isOfStep(Value value) {
    return ofStep.contains(value);
  }

  /** Whether the gradient computes a value, and the step does not. */
  boolean isOfGradient(Value value) {
    return ofGradient.contains(value);
  }

  /** All values of the step. */
  Set<Value> ofStep() {
    return ofStep;
  }

  /** All values of the gradient that are not of the step. */
  Set<Value> ofGradient() {
    return ofGradient;
  }

  /** The stage of a value on the way that computes it. */
  int of(Value value) {
    return numbers[value.id()];
  }

  /** The stage of the gradient at which a value is there; what the step left is there from the start. */
  int inGradient(Value value) {
    return isOfStep(value) ? 0 : numbers[value.id()];
  }
}
