package carousel.zoo.draw;

import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import carousel.tensor.op.Composite;
import carousel.tensor.op.GateOrder;
import carousel.tensor.op.Interpreter;
import carousel.tensor.op.Op;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Computes every op and notes it as a node, with edges from the ops that made its inputs. A composite
 * is noted as the ops of its body. A tape that is opened inside notes both its passes here: the rules
 * of the backward pass are ordinary ops.
 */
final class GraphTracer implements Interpreter {
  private final Map<Tensor, Source> sources = new HashMap<>();
  private final List<Diagram.Node> nodes = new ArrayList<>();
  private final List<Diagram.Edge> edges = new ArrayList<>();
  private final Function<Shape, String> shapes;
  private final List<GateOrder> gates;
  private final Deque<String> parts = new ArrayDeque<>();
  private @Nullable Tensor whole;
  private NodeKind kind = NodeKind.OPERATION;

  /** Where a tensor comes from: a node, and which of its outputs if they have names. */
  private record Source(String node, String output) {}

  /**
   * A tracer.
   *
   * @param shapes writes a shape, e.g. {@code [N,4H]}
   * @param gates names the pieces that an op with as many outputs gives
   */
  GraphTracer(Function<Shape, String> shapes, List<GateOrder> gates) {
    this.shapes = shapes;
    this.gates = gates;
  }

  /** Notes a tensor that is not computed here. */
  void source(Tensor tensor, String name, NodeKind as) {
    sources.put(tensor, new Source(node(name, as, shapes.apply(tensor.shape())), ""));
  }

  /** What follows is the backward pass; it begins with the parts of this tensor, which have names. */
  void backward(Tensor cotangent, List<String> names) {
    kind = NodeKind.BACKWARD;
    if (names.size() == 1) {
      source(cotangent, names.getFirst(), NodeKind.INPUT);
    } else {
      whole = cotangent;
      parts.addAll(names);
    }
  }

  /** Notes where a result goes, if anything that was noted made it. */
  void sink(Tensor tensor, String name, NodeKind as) {
    var source = sources.get(tensor);
    if (source == null) {
      return;
    }
    String id = node(name, as, shapes.apply(tensor.shape()));
    edges.add(new Diagram.Edge(source.node(), id, source.output()));
  }

  /** What was noted, but for values that nothing reads and ops whose results go nowhere. */
  Diagram diagram(String title) {
    var left = new ArrayList<>(edges);
    Set<String> kept = new LinkedHashSet<>();
    boolean removed;
    do {
      kept.clear();
      for (var node : nodes) {
        if (isResult(node)) {
          kept.add(node.id());
        }
      }
      for (var edge : left) {
        kept.add(edge.from());
      }
      removed = left.removeIf(edge -> !kept.contains(edge.to()));
    } while (removed);
    return new Diagram(title, nodes.stream().filter(n -> kept.contains(n.id())).toList(), left);
  }

  private static boolean isResult(Diagram.Node node) {
    return node.kind() == NodeKind.OUTPUT || node.kind() == NodeKind.GRADIENT;
  }

  /** What no tape records is drawn all the same. */
  @Override
  public Interpreter unrecorded() {
    return this;
  }

  @Override
  public Tensor[] apply(Op op, Tensor... inputs) {
    if (op instanceof Composite composite) {
      return composite.body().apply(inputs);
    }
    var results = op.evaluate(inputs);
    if (inputs.length == 1 && inputs[0] == whole && parts.size() >= results.length) {
      for (var result : results) {
        source(result, parts.removeFirst(), NodeKind.INPUT);
      }
      return results;
    }
    String id = node(op.label(), kind, shapes.apply(results[0].shape()));
    for (var input : inputs) {
      var source = sources.computeIfAbsent(input, this::constant);
      edges.add(new Diagram.Edge(source.node(), id, source.output()));
    }
    var names = names(results.length);
    for (int i = 0; i < results.length; i++) {
      sources.put(results[i], new Source(id, names.get(i)));
    }
    return results;
  }

  private List<String> names(int pieces) {
    return gates.stream()
        .filter(order -> pieces > 1 && order.size() == pieces)
        .findFirst()
        .map(GateOrder::names)
        .orElse(Collections.nCopies(pieces, ""));
  }

  private Source constant(Tensor tensor) {
    String name = tensor.size() == 1 ? number(tensor.toDoubleArray()[0]) : "constant";
    return new Source(node(name, NodeKind.INPUT, shapes.apply(tensor.shape())), "");
  }

  private static String number(double value) {
    return value == Math.rint(value) ? Long.toString((long) value) : Double.toString(value);
  }

  private String node(String label, NodeKind as, String detail) {
    String id = "n" + nodes.size();
    nodes.add(new Diagram.Node(id, label, as, detail));
    return id;
  }
}
