package carousel.tensor.cpu.scan;

import carousel.tensor.cpu.step.Step;
import carousel.tensor.cpu.step.Value;
import carousel.tensor.cpu.step.Value.Kind;
import carousel.tensor.cpu.step.Value.Term;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;

/**
 * Which values the step computes and which its gradient, and at which stage of its own way each is
 * there: a stage is some matrix products, and what can be computed from them without another product.
 */
final class Stages {
  private final Step step;
  private final Set<Value> ofStep = new HashSet<>();
  private final Set<Value> ofGradient = new HashSet<>();
  private final int[] numbers;

  Stages(Step step) {
    this.step = step;
    List<Value> values = step.graph().values();
    this.numbers = new int[values.size()];
    collect(step.outputs(), ofStep, Set.of());
    List<Value> results = new ArrayList<>(step.cotangents().values());
    results.addAll(step.before());
    results.addAll(step.vectors().values());
    collect(results, ofGradient, ofStep);
    for (Value value : values) {
      numbers[value.id()] = number(value);
    }
  }

  /** Adds what the results are computed from, but for what {@code known} has. */
  private static void collect(List<Value> results, Set<Value> into, Set<Value> known) {
    List<Value> open = new ArrayList<>(results);
    while (!open.isEmpty()) {
      Value value = open.removeLast();
      if (!known.contains(value) && into.add(value)) {
        open.addAll(value.inputs());
        if (value.kind() == Kind.SUM) {
          value.terms().forEach(term -> open.add(term.factor()));
        }
      }
    }
  }

  private int number(Value value) {
    int stage = 0;
    for (Value input : value.inputs()) {
      stage = Math.max(stage, seenBy(value, input));
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
