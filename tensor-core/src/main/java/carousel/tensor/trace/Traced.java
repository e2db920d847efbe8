package carousel.tensor.trace;

import carousel.tensor.DType;
import carousel.tensor.Device;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/**
 * One step of a recurrence as it was traced.
 *
 * @param graph its values
 * @param y the parts of its output
 * @param next for each tensor of the state, the parts of what it becomes
 * @param state for each tensor of the state, the parts of what it was
 * @param signature what is computed, in words: two steps of one signature are the same, but for the
 *     numbers of the graph
 */
public record Traced(
    Graph graph, List<Value> y, List<List<Value>> next, List<List<Value>> state, String signature) {

  /** A trace that has ended. */
  static Traced of(Graph graph, List<Value> y, List<List<Value>> next, List<List<Value>> state) {
    String signature =
        graph.signature() + "y " + ids(y) + " next " + next.stream().map(Traced::ids).toList();
    return new Traced(graph, y, next, state, signature);
  }

  private static List<Integer> ids(List<Value> values) {
    return values.stream().map(Value::id).toList();
  }

  /**
   * This step, where only some of its results are reached by a gradient: nothing flows from the others, not even
   * a zero, which times a slope that is not finite is no zero. A tensor of the state from which something reached
   * is computed, is reached at the step before.
   *
   * @param ofY whether something flows to the outputs
   * @param ofStates for each tensor of the state, whether something flows to what it is at the end
   * @param isOnly whether there is no step before
   * @return the step; this one, if all is read that the other results are computed from
   */
  public Traced reached(boolean ofY, List<Boolean> ofStates, boolean isOnly) {
    List<Boolean> states = ofStates;
    while (!isOnly) {
      List<Boolean> more = before(ofY, states, true);
      if (more.equals(states)) {
        break;
      }
      states = more;
    }
    Set<Value> live = reachedBy(ofY, states);
    List<Value> all = new ArrayList<>(y);
    next.forEach(all::addAll);
    if (graph.read(all).stream().allMatch(v -> v.isNumber() || v.isGiven() || live.contains(v))) {
      return this;
    }
    List<List<Value>> stopped = new ArrayList<>();
    for (int k = 0; k < next.size(); k++) {
      stopped.add(states.get(k) ? next.get(k) : stopped(next.get(k)));
    }
    String words = signature + " reached " + (ofY ? "y " : "") + states;
    return new Traced(graph, ofY ? y : stopped(y), stopped, state, words);
  }

  /**
   * The tensors of the state that what is reached of one step is computed from.
   *
   * @param ofY whether something flows to the outputs
   * @param ofStates for each tensor of the state, whether something flows to what it is after the step
   * @return by their places
   */
  public Set<Integer> readBy(boolean ofY, List<Boolean> ofStates) {
    Set<Integer> read = new TreeSet<>();
    for (Value value : reachedBy(ofY, ofStates)) {
      if (value.kind() == Value.Kind.STATE) {
        read.add(value.index());
      }
    }
    return read;
  }

  private Set<Value> reachedBy(boolean ofY, List<Boolean> ofStates) {
    List<Value> results = new ArrayList<>(ofY ? y : List.of());
    for (int k = 0; k < next.size(); k++) {
      if (ofStates.get(k)) {
        results.addAll(next.get(k));
      }
    }
    return graph.read(results);
  }

  /**
   * Tells whether a gradient reaches the same values of every step. It does not, where a tensor of the state is read
   * at the next step alone, and nobody reads the last; or the last alone is read.
   *
   * @param ofY whether something flows to the outputs
   * @param ofStates for each tensor of the state, whether something flows to what it is at the end
   * @param steps how many there are
   * @param ragged whether rows end at steps of their own: a state stays from there
   * @return whether one gradient is that of all steps
   */
  public boolean isSteady(boolean ofY, List<Boolean> ofStates, int steps, boolean ragged) {
    List<Boolean> states = ofStates;
    Set<List<Boolean>> seen = new HashSet<>();
    Set<Value> after = null;
    for (int i = 0; i < steps && seen.add(states); i++) {
      Set<Value> now = reachedBy(ofY, states);
      now.removeIf(v -> v.isNumber() || v.isGiven());
      if (after != null && !after.equals(now)) {
        return false;
      }
      after = now;
      states = before(ofY, states, ragged);
    }
    return true;
  }

  /** For each tensor of the state, whether something flows to what it was before the step. */
  private List<Boolean> before(boolean ofY, List<Boolean> ofStates, boolean stays) {
    Set<Integer> read = readBy(ofY, ofStates);
    List<Boolean> before = new ArrayList<>();
    for (int k = 0; k < next.size(); k++) {
      before.add(read.contains(k) || (stays && ofStates.get(k)));
    }
    return before;
  }

  private List<Value> stopped(List<Value> values) {
    return values.stream().map(graph::stop).toList();
  }

  /**
   * Differentiates; to be done once, as it adds to the graph.
   *
   * @param type of all values
   * @param device where the rules' tensors are said to be
   * @return the step with its gradient
   * @throws Untraced if a rule does what no kernel can
   */
  public JointGraph differentiate(DType type, Device device) {
    List<Value> outputs = new ArrayList<>(y);
    next.forEach(outputs::addAll);
    return JointGraph.of(
        graph, outputs, state.stream().flatMap(List::stream).toList(), type, device);
  }
}
