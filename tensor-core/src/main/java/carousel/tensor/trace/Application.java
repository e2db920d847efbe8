package carousel.tensor.trace;

import java.util.List;

/**
 * One application of an op of a user's own in a graph. Nothing flows through its outputs by itself: what
 * arrives at them, the rule takes to the inputs. The rule is noted with {@link Value.Kind#ARRIVING} in the
 * place of what will arrive.
 *
 * @param outputs the parts of its outputs, but for masks; in order of the graph
 * @param flows what its rule makes of what arrives
 */
record Application(List<Value> outputs, List<Flow> flows) {
  /**
   * What flows to a part of an input.
   *
   * @param to the part
   * @param g as wide as that
   */
  record Flow(Value to, Value g) {}

  Application {
    outputs = List.copyOf(outputs);
    flows = List.copyOf(flows);
  }

  /** In words: two rules of the same words are the same. */
  void append(StringBuilder text) {
    text.append("rule of");
    outputs.forEach(output -> text.append(" %").append(output.id()));
    for (Flow flow : flows) {
      text.append(", %").append(flow.g().id()).append(" to %").append(flow.to().id());
    }
    text.append('\n');
  }
}
