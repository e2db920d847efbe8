package carousel.tensor.trace;

import carousel.tensor.DType;
import carousel.tensor.Device;
import java.util.List;

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
   * Differentiates; to be done once, as it adds to the graph.
   *
   * @param type of all values
   * @param device where the rules' tensors are said to be
   * @return the step with its gradient
   * @throws Untraced if a rule does what no kernel can
   */
  public Step differentiate(DType type, Device device) {
    List<Value> outputs = new java.util.ArrayList<>(y);
    next.forEach(outputs::addAll);
    return Step.of(graph, outputs, state.stream().flatMap(List::stream).toList(), type, device);
  }
}
