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
   * @return the step; this one, if all is read that the other results are computed from
   */
  public Traced reached(boolean ofY, List<Boolean> ofStates) {
    Set<Value> live = new HashSet<>();
    Set<Integer> states = new TreeSet<>();
    if (ofY) {
      read(y, live, states);
    }
    for (int k = 0; k < next.size(); k++) {
      if (ofStates.get(k)) {
        states.add(k);
      }
    }
    Set<Integer> done = new TreeSet<>();
    while (!done.containsAll(states)) {
      for (int k : List.copyOf(states)) {
        if (done.add(k)) {
          read(next.get(k), live, states);
        }
      }
    }
    List<Value> all = new ArrayList<>(y);
    next.forEach(all::addAll);
    if (graph.read(all).stream().allMatch(v -> v.isNumber() || v.isGiven() || live.contains(v))) {
      return this;
    }
    List<List<Value>> stopped = new ArrayList<>();
    for (int k = 0; k < next.size(); k++) {
      stopped.add(states.contains(k) ? next.get(k) : stopped(next.get(k)));
    }
    String words = signature + " reached " + (ofY ? "y " : "") + states;
    return new Traced(graph, ofY ? y : stopped(y), stopped, state, words);
  }

  private void read(List<Value> results, Set<Value> live, Set<Integer> states) {
    live.addAll(graph.read(results));
    for (Value value : live) {
      if (value.kind() == Value.Kind.STATE) {
        states.add(value.index());
      }
    }
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
