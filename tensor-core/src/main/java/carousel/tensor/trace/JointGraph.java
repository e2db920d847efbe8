package carousel.tensor.trace;

import carousel.tensor.DType;
import carousel.tensor.Device;
import carousel.tensor.op.Binary;
import carousel.tensor.trace.Value.Kind;
import carousel.tensor.trace.Value.Term;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * One step of a cell, or one row of a composite, and its gradient, as one graph: reverse-mode
 * differentiation of what a trace noted, by the rules of the rows.
 *
 * @param graph all values
 * @param outputs the parts of y, then those of the tensors of the state after the step; each computed by
 *     the step, and none of them a mask or a number
 * @param states of the outputs from the y's on, the {@link Kind#STATE} that each becomes; these are all
 *     parts of all states, whether the step reads them or not
 * @param sums what products are added to, in order of the graph; those that the outputs are computed from
 * @param cotangents of the sums: what flows back to them; of no width where nothing does
 * @param before what flows to each of {@code states} without what comes through products; of no width
 *     where nothing does
 * @param back what flows to each of {@code states} through products, a {@link Kind#BACK}; not there where
 *     there are none
 * @param given what flows to columns of inputs, vectors and rows that are read as they are, for one row of
 *     one step
 */
public record JointGraph(
    Graph graph,
    List<Value> outputs,
    List<Value> states,
    List<Value> sums,
    Map<Value, Value> cotangents,
    List<Value> before,
    Map<Value, Value> back,
    Map<Value, Value> given) {

  /**
   * Differentiates.
   *
   * @param graph what a trace noted; the gradient is added to it
   * @param outputs what is computed
   * @param states what the last of the outputs become
   */
  public static JointGraph of(
      Graph graph, List<Value> outputs, List<Value> states, DType type, Device device) {
    return new Adjoint(graph, outputs, type, device).differentiate(states);
  }

  /** How many of the outputs are parts of y. */
  public int ys() {
    return outputs.size() - states.size();
  }

  /** The pass from the outputs to the inputs. */
  private static final class Adjoint {
    private final Graph graph;
    private final List<Value> outputs;
    private final DType type;
    private final Device device;
    private final Map<Value, Value> cotangents = new HashMap<>();
    private final Map<Value, List<Term>> products = new HashMap<>();

    /** For the first output of a user's op the one that this comes to last: all has arrived then. */
    private final Map<Value, Value> last = new HashMap<>();

    Adjoint(Graph graph, List<Value> outputs, DType type, Device device) {
      this.graph = graph;
      this.outputs = outputs;
      this.type = type;
      this.device = device;
    }

    JointGraph differentiate(List<Value> states) {
      for (int k = 0; k < outputs.size(); k++) {
        flow(outputs.get(k), graph.cotangent(k, outputs.get(k).width()));
      }
      List<Value> sums = new ArrayList<>();
      Map<Value, Value> ofSums = new LinkedHashMap<>();
      Map<Value, Value> given = new LinkedHashMap<>();
      Map<Value, Value> back = new LinkedHashMap<>();
      List<Value> ordered = ordered();
      ordered.stream().filter(Value::isOwn).forEach(o -> last.put(first(o), o));
      for (Value value : ordered) {
        List<Term> terms = products.get(value);
        if (terms != null && value.kind() == Kind.STATE) {
          back.put(value, graph.back(terms, value.width()));
        } else if (terms != null) {
          flow(value, graph.back(terms, value.width()));
        }
        Value g = cotangents.getOrDefault(value, graph.constant(0));
        switch (value.kind()) {
          case SUM -> {
            sums.addFirst(value);
            ofSums.put(value, g);
            for (Term term : value.terms()) {
              products
                  .computeIfAbsent(term.factor(), f -> new ArrayList<>())
                  .add(new Term(value, term.weight(), term.row(), term.column()));
            }
          }
          case INPUT, VECTOR, ROWS -> {
            if (!g.isNumber()) {
              given.put(value, g);
            }
          }
          case SPREAD, FOLD, APPLY -> pull(value, g);
          default -> {
            // a state, whose cotangent is taken below; or a number
          }
        }
      }
      List<Value> before =
          states.stream().map(s -> cotangents.getOrDefault(s, graph.constant(0))).toList();
      return new JointGraph(graph, outputs, states, sums, ofSums, before, back, given);
    }

    private void pull(Value value, Value g) {
      if (value.isOwn()) {
        if (value.equals(last.get(first(value)))) {
          pull(graph.application(value));
        }
        return;
      }
      // A gradient that is a number is 0: rules are linear in the cotangent.
      if (value.stops() || value.isTest() || value.isNumber() || g.isNumber()) {
        return;
      }
      switch (value.kind()) {
        case SPREAD -> flow(value.inputs().getFirst(), graph.fold(Binary.ADD, g));
        case FOLD -> flow(value.inputs().getFirst(), RuleTrace.fold(graph, value, g));
        default -> {
          List<@Nullable Value> pulled = RuleTrace.pull(graph, value, g, type, device);
          for (int i = 0; i < pulled.size(); i++) {
            Value of = pulled.get(i);
            if (of != null) {
              flow(value.inputs().get(i), of);
            }
          }
        }
      }
    }

    private Value first(Value output) {
      return graph.application(output).outputs().getFirst();
    }

    /** What has arrived at the outputs takes its place in the rule; nothing flows if nothing has. */
    private void pull(Application applied) {
      Map<Value, Value> arrived = new HashMap<>();
      boolean reached = false;
      for (Value output : applied.outputs()) {
        Value g = cotangents.getOrDefault(output, graph.constant(0));
        reached |= !g.isNumber();
        arrived.put(output, g.isNumber() ? graph.copy(g, output.width()) : g);
      }
      if (!reached) {
        return;
      }
      Map<Value, Value> known = new HashMap<>();
      for (Application.Flow flow : applied.flows()) {
        flow(flow.to(), of(flow.g(), arrived, known));
      }
    }

    /** A value of a rule, of what has arrived. */
    private Value of(Value value, Map<Value, Value> arrived, Map<Value, Value> known) {
      Value done = known.get(value);
      if (done != null) {
        return done;
      }
      Value is =
          switch (value.kind()) {
            case ARRIVING -> Objects.requireNonNull(arrived.get(value.inputs().getFirst()));
            case APPLY, SPREAD, FOLD -> {
              List<Value> inputs =
                  value.inputs().stream().map(input -> of(input, arrived, known)).toList();
              yield inputs.equals(value.inputs()) ? value : again(value, inputs);
            }
            default -> value;
          };
      known.put(value, is);
      return is;
    }

    private Value again(Value value, List<Value> inputs) {
      return switch (value.kind()) {
        case SPREAD -> graph.spread(inputs.getFirst(), value.width());
        case FOLD -> graph.fold((Binary) Objects.requireNonNull(value.op()), inputs.getFirst());
        default -> graph.apply(Objects.requireNonNull(value.op()), inputs);
      };
    }

    private void flow(Value to, Value g) {
      if (!to.isNumber() && !to.isTest() && !g.isNumber()) {
        cotangents.merge(to, g, (a, b) -> graph.apply(Binary.ADD, List.of(a, b)));
      }
    }

    /** What something may flow to, the last first. */
    private List<Value> ordered() {
      return graph.read(outputs).stream()
          .sorted(Comparator.comparingInt(Value::id).reversed())
          .toList();
    }
  }

  /** What some values are computed from, and they themselves. */
  public static Set<Value> live(List<Value> results) {
    Set<Value> live = new HashSet<>();
    List<Value> open = new ArrayList<>(results);
    while (!open.isEmpty()) {
      Value value = open.removeLast();
      if (live.add(value)) {
        open.addAll(value.inputs());
        value.terms().forEach(term -> open.add(term.factor()));
      }
    }
    return live;
  }
}
