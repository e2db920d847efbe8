package carousel.tensor.cpu.scan;

import carousel.tensor.op.Binary;
import carousel.tensor.op.Masks;
import carousel.tensor.op.Op;
import carousel.tensor.op.Ternary;
import carousel.tensor.op.Unary;
import carousel.tensor.trace.JointGraph;
import carousel.tensor.trace.Value;
import carousel.tensor.trace.Value.Kind;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * What of a step has to be there after the stage that computes it: for a later stage, or for the
 * gradient. It is stored, or computed again where that takes only sums and products: activated gates
 * are stored, {@code i ⊙ g} is not.
 */
final class Needs {
  /** What the gradient reads, or gathers as an output. */
  final Set<Value> byGradient = new HashSet<>();

  /** What later stages of the step read. */
  final Set<Value> byStep = new HashSet<>();

  /** What must stay where products, or the input, have put it. */
  final Set<Value> kept = new HashSet<>();

  private final Stages stages;
  private final Predicate<Value> hasPlace;
  private final Set<Value> seenByGradient = new HashSet<>();
  private final Set<Value> seenByStep = new HashSet<>();

  /**
   * The needs of a step.
   *
   * @param hasPlace whether a value has a place already
   */
  Needs(JointGraph step, Stages stages, Predicate<Value> hasPlace) {
    this.stages = stages;
    this.hasPlace = hasPlace;
    for (Value value : step.graph().values()) {
      if (stages.isOfGradient(value)) {
        value.inputs().forEach(input -> read(value, input, byGradient, seenByGradient));
      } else if (stages.isOfStep(value)) {
        for (Value input : value.inputs()) {
          if (stages.of(input) < stages.of(value)) {
            read(value, input, byStep, seenByStep);
          }
        }
      }
    }
    results(step.cotangents().values());
    results(step.before());
    results(step.given().values());
    for (Value output : step.outputs()) {
      if (output.kind() == Kind.SUM) {
        kept.add(output);
      }
    }
    for (Value y : step.outputs().subList(0, step.ys())) {
      if (y.kind() != Kind.SUM && !hasPlace.test(y)) {
        byGradient.add(y);
      }
    }
  }

  private void results(Iterable<Value> values) {
    values.forEach(value -> need(value, byGradient, seenByGradient));
  }

  /** A value is read; one that is folded is read from memory. */
  private void read(Value reader, Value input, Set<Value> by, Set<Value> seen) {
    if (reader.kind() == Kind.FOLD && isStored(input)) {
      by.add(input);
    } else {
      need(input, by, seen);
    }
  }

  private boolean isStored(Value value) {
    return stages.isOfStep(value) && value.kind() == Kind.APPLY && !hasPlace.test(value);
  }

  private void need(Value value, Set<Value> by, Set<Value> seen) {
    if (value.isNumber() || !stages.isOfStep(value) || !seen.add(value)) {
      return;
    }
    switch (value.kind()) {
      case SUM, INPUT -> kept.add(value);
      case FOLD -> by.add(value);
      case SPREAD -> need(value.inputs().getFirst(), by, seen);
      case APPLY -> {
        if (hasPlace.test(value)) {
          return;
        }
        if (isCheap(value.op())) {
          value.inputs().forEach(input -> need(input, by, seen));
        } else {
          by.add(value);
        }
      }
      default -> {
        // given, and there at every step
      }
    }
  }

  /** Summands that nothing but their activation reads: it may take their place. */
  Set<Value> replaceable(List<Value> summands) {
    Set<Value> free = new HashSet<>(summands);
    free.removeAll(kept);
    free.removeIf(sum -> sum.width() == 1); // which wider values may read at the same time
    free.removeIf(
        sum -> stages.ofStep().stream().filter(v -> v.inputs().contains(sum)).count() > 1);
    return free;
  }

  private static boolean isCheap(@Nullable Op op) {
    return op == Unary.NEG
        || op == Unary.SQUARE
        || op == Binary.ADD
        || op == Binary.SUB
        || op == Binary.MUL
        || op == Ternary.FMA
        || op == Ternary.WHERE
        || (op != null && Masks.gives(op)); // which cannot be stored
  }
}
