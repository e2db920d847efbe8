package carousel.cuda.scan;

import carousel.tensor.op.Binary;
import carousel.tensor.trace.Recent;
import carousel.tensor.trace.Traced;
import carousel.tensor.trace.Value;
import carousel.tensor.trace.Value.Kind;
import carousel.tensor.trace.Value.Term;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The cell whose kernels compute what a traced step computes, and which part everything plays there. A step
 * is known by what it computes of what: labels, names and classes play no part.
 *
 * <p>The outputs of both graphs are compared down to what is given, value by value: the same rows of the op
 * table on the same columns in the same order, but that {@code a + b} is {@code b + a}, and products likewise,
 * which give the same bits. What is given to the cell stands for one thing in the step wherever it is met, so
 * that the step is the cell's formula with that put in. Two weights of a cell may be one tensor.
 *
 * @param cell the cell
 * @param input which input of the steps is z
 * @param states for each state of the cell, which of the step's it is
 * @param weights for each weight of the cell, by name, which captured tensor it is; biases that the step is without are
 *     left out
 */
public record StepMatch(
    RecurrentCell cell, int input, List<Integer> states, Map<String, Integer> weights) {
  private static final List<List<Integer>> ONE_STATE = List.of(List.of(0));
  private static final List<List<Integer>> TWO_STATES = List.of(List.of(0, 1), List.of(1, 0));

  private static final int MOST_KNOWN = 1000;
  private static final Map<Key, Optional<StepMatch>> KNOWN = new Recent<>(MOST_KNOWN);

  /** What tells steps apart. */
  private record Key(String signature, List<Double> numbers) {}

  /** The cell that a step is, or null if none has kernels for it. */
  public static @Nullable StepMatch of(Traced step) {
    var key = new Key(step.signature(), List.copyOf(step.graph().numbers()));
    synchronized (KNOWN) {
      return KNOWN.computeIfAbsent(key, k -> Optional.ofNullable(compare(step))).orElse(null);
    }
  }

  private static @Nullable StepMatch compare(Traced step) {
    int hidden = hidden(step);
    if (hidden == 0) {
      return null;
    }
    for (RecurrentCell cell : RecurrentCell.values()) {
      if (cell.states() != step.state().size()) {
        continue;
      }
      StepMatch match = compare(step, cell, DeclaredStep.of(cell, hidden, true));
      if (match == null && cell.mayLackVectors()) {
        match = compare(step, cell, DeclaredStep.of(cell, hidden, false));
      }
      if (match != null) {
        return match;
      }
    }
    return null;
  }

  private static @Nullable StepMatch compare(
      Traced step, RecurrentCell cell, DeclaredStep declared) {
    for (List<Integer> states : cell.hasC() ? TWO_STATES : ONE_STATE) {
      StepMatch match = new Comparison(declared, step, states).of(cell);
      if (match != null) {
        return match;
      }
    }
    return null;
  }

  /** H, the width of all states, undivided, and of the output; 0 if there is no such number. */
  private static int hidden(Traced step) {
    if (step.y().size() != 1) {
      return 0;
    }
    int hidden = step.y().getFirst().width();
    for (List<Value> state : step.state()) {
      if (state.size() != 1 || state.getFirst().width() != hidden) {
        return 0;
      }
    }
    return hidden;
  }

  /** One comparison of a cell with a step. */
  private static final class Comparison {
    private final DeclaredStep cell;
    private final Traced step;
    private final List<Integer> states;
    private final Map<Value, Value> same = new HashMap<>();
    private final Map<Integer, Integer> captured = new HashMap<>();
    private @Nullable Integer input;

    Comparison(DeclaredStep cell, Traced step, List<Integer> states) {
      this.cell = cell;
      this.step = step;
      this.states = states;
    }

    @Nullable StepMatch of(RecurrentCell which) {
      Traced declared = cell.traced();
      if (!same(declared.y().getFirst(), step.y().getFirst())) {
        return null;
      }
      for (int k = 0; k < states.size(); k++) {
        if (!same(declared.next().get(k).getFirst(), step.next().get(states.get(k)).getFirst())) {
          return null;
        }
      }
      Map<String, Integer> weights = new HashMap<>();
      captured.forEach((ours, theirs) -> weights.put(cell.weights().get(ours), theirs));
      return new StepMatch(which, Objects.requireNonNull(input), states, weights);
    }

    /** Whether a value of the step is one of the cell's. */
    private boolean same(Value ours, Value theirs) {
      Value known = same.get(ours);
      if (known != null) {
        return known == theirs;
      }
      if (ours.kind() != theirs.kind()
          || ours.width() != theirs.width()
          || ours.offset() != theirs.offset()
          || ours.stops() != theirs.stops()
          || Double.compare(ours.number(), theirs.number()) != 0
          || !Objects.equals(ours.op(), theirs.op())
          || !isGivenAlike(ours, theirs)
          || !inputs(ours, theirs)
          || !terms(ours.terms(), theirs.terms())) {
        return false;
      }
      same.put(ours, theirs);
      return true;
    }

    private boolean isGivenAlike(Value ours, Value theirs) {
      return switch (ours.kind()) {
        case INPUT -> {
          input = input == null ? (Integer) theirs.index() : input;
          yield input == theirs.index();
        }
        case STATE -> states.get(ours.index()) == theirs.index();
        case VECTOR, ROWS -> isCapturedAlike(ours.index(), theirs.index());
        case APPLY -> ours.index() == theirs.index();
        default -> true;
      };
    }

    private boolean isCapturedAlike(int ours, int theirs) {
      Integer known = captured.putIfAbsent(ours, theirs);
      return known == null || known == theirs;
    }

    private boolean inputs(Value ours, Value theirs) {
      List<Value> mine = ours.inputs();
      List<Value> other = theirs.inputs();
      if (mine.size() != other.size()) {
        return false;
      }
      boolean anyOrder = ours.op() == Binary.ADD || ours.op() == Binary.MUL;
      if (ours.kind() != Kind.APPLY || !anyOrder) {
        return all(mine, other);
      }
      var before = new Noted(same, captured, input);
      if (all(mine, other)) {
        return true;
      }
      restore(before);
      return all(mine, other.reversed());
    }

    private boolean all(List<Value> ours, List<Value> theirs) {
      for (int i = 0; i < ours.size(); i++) {
        if (!same(ours.get(i), theirs.get(i))) {
          return false;
        }
      }
      return true;
    }

    private boolean terms(List<Term> ours, List<Term> theirs) {
      if (ours.size() != theirs.size()) {
        return false;
      }
      for (int i = 0; i < ours.size(); i++) {
        Term a = ours.get(i);
        Term b = theirs.get(i);
        if (a.row() != b.row()
            || a.column() != b.column()
            || !isCapturedAlike(a.weight(), b.weight())
            || !same(a.factor(), b.factor())) {
          return false;
        }
      }
      return true;
    }

    /** What was found so far. */
    private record Noted(
        Map<Value, Value> same, Map<Integer, Integer> captured, @Nullable Integer input) {
      Noted {
        same = Map.copyOf(same);
        captured = Map.copyOf(captured);
      }
    }

    private void restore(Noted before) {
      same.clear();
      same.putAll(before.same());
      captured.clear();
      captured.putAll(before.captured());
      input = before.input();
    }
  }
}
