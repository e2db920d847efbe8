package carousel.tensor.cpu.step;

import carousel.tensor.DType;
import carousel.tensor.Device;
import carousel.tensor.Tensor;
import carousel.tensor.cpu.step.Value.Kind;
import carousel.tensor.cpu.step.Value.Term;
import carousel.tensor.op.Binary;
import carousel.tensor.op.Scan;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * One step of a cell and its gradient, as one graph: reverse-mode differentiation of what {@link
 * StepTrace} noted, by the rules of the rows.
 *
 * @param graph all values
 * @param states how many tensors the state has
 * @param outputs y, then the state after the step
 * @param sums what products are added to, in order of the graph
 * @param cotangents of the sums: what flows back to gates and weights
 * @param before what flows to the state before the step, without what comes through products
 * @param back what flows to it through products; null where there are none
 * @param vectors what flows to weights without rows, and to parts of a composite's inputs, for one
 *     row of the batch
 */
public record Step(
    Graph graph,
    int states,
    List<Value> outputs,
    List<Value> sums,
    Map<Value, Value> cotangents,
    List<Value> before,
    List<@Nullable Value> back,
    Map<Value, Value> vectors) {

  /** Traces and differentiates; null if the step does what no kernel can. */
  public static @Nullable Step of(Scan scan, Tensor... inputs) {
    Graph graph = new Graph();
    try {
      StepTrace.Outputs traced = StepTrace.of(scan, inputs, graph);
      if (traced == null) {
        return null;
      }
      List<Value> outputs = traced.outputs().stream().map(graph::computed).toList();
      return new Adjoint(graph, outputs, inputs[0].dtype(), inputs[0].device())
          .differentiate(scan.states());
    } catch (StepTrace.NotUnderstood e) {
      return null;
    }
  }

  /**
   * Differentiates what a composite computes: a step without a state and without products. Null if
   * one of the rules does what no kernel can.
   */
  public static @Nullable Step of(Graph graph, List<Value> outputs, DType type, Device device) {
    try {
      return new Adjoint(graph, outputs, type, device).differentiate(0);
    } catch (StepTrace.NotUnderstood e) {
      return null;
    }
  }

  /** What is computed, in words: two steps of one signature are the same. */
  public String signature() {
    return graph.signature() + " = " + outputs.stream().map(Value::id).toList();
  }

  /** The pass from the outputs to the inputs. */
  private static final class Adjoint {
    private final Graph graph;
    private final List<Value> outputs;
    private final DType type;
    private final Device device;
    private final Map<Value, Value> cotangents = new HashMap<>();
    private final Map<Value, List<Term>> products = new HashMap<>();

    Adjoint(Graph graph, List<Value> outputs, DType type, Device device) {
      this.graph = graph;
      this.outputs = outputs;
      this.type = type;
      this.device = device;
    }

    @Nullable Step differentiate(int states) {
      for (int k = 0; k < outputs.size(); k++) {
        flow(outputs.get(k), graph.cotangent(k));
      }
      Set<Value> live = live();
      int size = graph.values().size();
      List<Value> forward =
          graph.values().stream().filter(live::contains).sorted((a, b) -> b.id() - a.id()).toList();
      List<Value> sums = new ArrayList<>();
      Map<Value, Value> ofSums = new HashMap<>();
      Map<Value, Value> vectors = new LinkedHashMap<>();
      @Nullable Value[] before = new Value[states];
      @Nullable Value[] back = new Value[states];
      Set<Value> gates = new HashSet<>();
      Set<List<Integer>> blocks = new HashSet<>();
      for (Value value : forward) {
        boolean isState = value.kind() == Kind.STATE;
        List<Term> terms = products.get(value);
        if (terms != null && isState) {
          back[value.index()] = graph.back(terms);
        } else if (terms != null) {
          flow(value, graph.back(terms));
        }
        Value cotangent = cotangents.get(value);
        if (isState) {
          before[value.index()] = cotangent == null ? graph.constant(0) : cotangent;
        } else if (value.kind() == Kind.SUM) {
          Value g = cotangent == null ? graph.constant(0) : cotangent;
          sums.addFirst(value);
          ofSums.put(value, g);
          if (!value.inputs().isEmpty() && !gates.add(value.inputs().getFirst())) {
            return null; // a gate in two places
          }
          for (Term term : value.terms()) {
            if (!blocks.add(List.of(term.weight(), term.row(), term.column()))) {
              return null; // a weight in two places
            }
            products
                .computeIfAbsent(term.factor(), f -> new ArrayList<>())
                .add(new Term(value, term.weight(), term.row(), term.column()));
          }
        } else if (isInput(value) && cotangent != null) {
          vectors.put(value, cotangent);
        } else if (value.kind() == Kind.APPLY && cotangent != null) {
          List<@Nullable Value> pulled = RuleTrace.pull(graph, value, cotangent, type, device);
          for (int i = 0; i < pulled.size(); i++) {
            Value g = pulled.get(i);
            if (g != null) {
              flow(value.inputs().get(i), g);
            }
          }
        }
      }
      for (int k = 0; k < states; k++) {
        if (before[k] == null) {
          before[k] = graph.constant(0); // a state that the step does not read
        }
      }
      if (graph.values().stream().anyMatch(v -> v.kind() == Kind.SUM && v.id() >= size)) {
        return null; // a rule that adds up sums: no product belongs to the gradient's own
      }
      return new Step(
          graph, states, outputs, sums, ofSums, List.of(before), Arrays.asList(back), vectors);
    }

    private static boolean isInput(Value value) {
      return value.kind() == Kind.VECTOR || value.kind() == Kind.PART;
    }

    private void flow(Value to, Value g) {
      Value before = cotangents.get(to);
      cotangents.put(to, before == null ? g : graph.apply(Binary.ADD, List.of(before, g)));
    }

    /** What the outputs are computed from. */
    private Set<Value> live() {
      Set<Value> live = new HashSet<>();
      List<Value> open = new ArrayList<>(outputs);
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
}
