package carousel.autograd;

import carousel.tensor.Draws;
import carousel.tensor.Tensor;
import carousel.tensor.TensorException;
import carousel.tensor.TensorScope;
import carousel.tensor.op.Composite;
import carousel.tensor.op.Indexing;
import carousel.tensor.op.Interpreter;
import carousel.tensor.op.Observer;
import carousel.tensor.op.Op;
import carousel.tensor.op.Vjp;
import carousel.tensor.spi.Fused;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Computes by the interpreter around it and records what depends on the leaves.
 *
 * <p>A tape holds what its rules will read; a scope may close in between. Rules run under the outer
 * interpreter, so that an outer tape sees them as ordinary ops: that is all there is to higher
 * derivatives.
 */
final class Tape implements Interpreter {
  /** Instead of {@link Node#pull}: for who has to know whose gradient the ops are that it sees. */
  static final ScopedValue<Consumer<Node>> PULL = ScopedValue.newInstance();

  private final Interpreter outer = Interpreter.current();
  private final Map<Tensor, Edge> tracked = new HashMap<>();
  private final List<Node> nodes = new ArrayList<>();

  /** A tape on which gradients with respect to the given tensors can be taken. */
  Tape(Iterable<Tensor> leaves) {
    for (Tensor leaf : leaves) {
      tracked.putIfAbsent(leaf, Edge.ofLeaf(outer == EAGER));
    }
  }

  /** An outer tape must see the parts: a fused backward cannot be differentiated again. */
  @Override
  public boolean takesKernels() {
    return outer == EAGER;
  }

  @Override
  public Interpreter unrecorded() {
    return outer.unrecorded();
  }

  @Override
  public Tensor[] apply(Op op, Tensor... inputs) {
    if (op instanceof Composite composite) {
      Fused fused = takesKernels() ? composite.fused(inputs) : null;
      return fused == null || !KernelCheck.agrees(composite, fused, inputs)
          ? composite.body().apply(inputs)
          : record(composite, fused, inputs);
    }
    Tensor[] results = outer.apply(op, inputs);
    @Nullable Edge[] edges = edges(op, inputs);
    if (edges == null) {
      return results;
    }
    Vjp vjp = op.vjp();
    boolean[] wanted = new boolean[inputs.length];
    boolean any = false;
    for (int i = 0; i < inputs.length; i++) {
      wanted[i] = edges[i] != null && vjp.flows(i);
      any |= wanted[i];
    }
    if (any) {
      var node = new Node(op.label(), vjp, edges, wanted, inputs, results);
      if (op instanceof Indexing.IndexSelect(int axis) && axis == 0) {
        node.looksUpRows();
      }
      add(node, results);
    }
    return results;
  }

  /** A write that changes a recorded value, or takes one along, would be left out of the gradient. */
  @Override
  public void beforeWrite(String op, Tensor target, Tensor... sources) {
    Edge written = tracked.get(target);
    if (written != null && !written.isLeaf()) {
      throw new TensorException(
          String.format(
              Locale.ROOT,
              "%s: this %s %s is a result of the program that is being differentiated, or a view of one, and a write is no op: its gradient would be that of the old value; make a new tensor (where, concat, stack, scatterAdd), or write to a detach().copy(), which the gradient does not see",
              op,
              target.dtype(),
              target.shape()));
    }
    for (Tensor source : sources) {
      if (tracked.containsKey(source)) {
        throw new TensorException(
            String.format(
                Locale.ROOT,
                "%s: the %s %s that is written depends on what the gradient is taken by, and none flows through a write; join parts with concat or stack, or write its detach() if it is to be a constant",
                op,
                source.dtype(),
                source.shape()));
      }
    }
    outer.beforeWrite(op, target, sources);
  }

  /** Where the inputs came from; null if none is tracked. */
  private @Nullable Edge @Nullable [] edges(Op op, Tensor... inputs) {
    @Nullable Edge[] edges = null;
    for (int i = 0; i < inputs.length; i++) {
      Edge edge = tracked.get(inputs[i]);
      if (edge != null) {
        edge.requireUnchanged(op.label(), "input " + i, inputs[i]);
        if (edges == null) {
          edges = new Edge[inputs.length];
        }
        edges[i] = edge;
      }
    }
    return edges;
  }

  private void add(Node node, Tensor... results) {
    nodes.add(node);
    for (int k = 0; k < results.length; k++) {
      // Numbers without gradients (the indices of a sort) come out of differentiable ops, too.
      if (results[k].dtype().isFloating()) {
        tracked.put(results[k], node.output(k));
      }
    }
  }

  /** Records a kernel, whatever is known of it. */
  Tensor[] unchecked(Composite op, Fused fused, Tensor... inputs) {
    return record(op, fused, inputs);
  }

  private Tensor[] record(Composite op, Fused fused, Tensor... inputs) {
    @Nullable Edge[] edges = edges(op, inputs);
    Fused.Result result = Observer.around(op.label(), inputs, () -> fused.forward(inputs));
    if (edges != null) {
      boolean[] wanted = new boolean[inputs.length];
      for (int i = 0; i < inputs.length; i++) {
        wanted[i] = edges[i] != null;
      }
      Vjp vjp = new FusedVjp(op, fused, inputs, result);
      add(new Node(op.label(), vjp, edges, wanted, inputs, result.outputs()), result.outputs());
    }
    return result.outputs();
  }

  /**
   * Runs a segment without recording its inside, and records one node that runs it again at
   * backward, and holds what it reads until then. Random numbers drawn in the segment are drawn again the same.
   */
  Tensor checkpoint(Supplier<Tensor> segment) {
    try (var scope = TensorScope.openUnwatched()) {
      return scope.keep(checkpoint(segment, scope));
    }
  }

  /**
   * Runs a segment.
   *
   * @param scope the innermost one, which owns what the segment makes
   */
  private Tensor checkpoint(Supplier<Tensor> segment, TensorScope scope) {
    List<Tensor> read = new ArrayList<>();
    Map<Tensor, Edge> seen = new HashMap<>();
    Set<Tensor> constants = new LinkedHashSet<>();
    Interpreter watch =
        new Interpreter() {
          @Override
          public void beforeWrite(String op, Tensor target, Tensor... sources) {
            Tape.this.beforeWrite(op, target, sources);
          }

          @Override
          public Tensor[] apply(Op op, Tensor... inputs) {
            for (Tensor x : inputs) {
              Edge edge = tracked.get(x);
              if (edge != null) {
                edge.requireUnchanged(op.label(), "an input", x);
              }
              if (edge != null && seen.putIfAbsent(x, edge) == null) {
                read.add(x);
              } else if (edge == null && !scope.owns(x)) {
                constants.add(x);
              }
            }
            if (op instanceof Composite composite && outer != EAGER) {
              return composite.body().apply(inputs);
            }
            return outer.apply(op, inputs);
          }
        };
    var draws = new Draws();
    Tensor result = draws.record(() -> watch.run(segment));
    if (seen.containsKey(result) || read.isEmpty()) {
      return result;
    }
    List<Tensor> all = new ArrayList<>(read);
    all.addAll(constants);
    Tensor[] inputs = all.toArray(new Tensor[0]);
    @Nullable Edge[] edges = new Edge[inputs.length];
    boolean[] wanted = new boolean[inputs.length];
    for (int i = 0; i < read.size(); i++) {
      edges[i] = seen.get(inputs[i]);
      wanted[i] = true;
    }
    Vjp vjp = new Recompute(() -> draws.replay(segment), read, inputs.length);
    Tensor[] results = {result};
    add(new Node("checkpoint", vjp, edges, wanted, inputs, results), results);
    return result;
  }

  /**
   * Pulls a cotangent back to the leaves and empties the tape.
   *
   * @param result what was computed on this tape
   * @param cotangent its cotangent
   * @param leaves what gradients are wanted for
   * @return one gradient per leaf, in the current scope; null where the result does not depend on it
   */
  @Nullable Gradient[] backward(Tensor result, Tensor cotangent, List<Tensor> leaves) {
    return backward(List.of(result), new Tensor[] {cotangent}, leaves);
  }

  /**
   * Pulls cotangents of several results back.
   *
   * @param results what was computed on this tape
   * @param cotangents one for each; null where nothing flows
   * @param leaves what gradients are wanted for
   * @return one gradient per leaf, in the current scope; null where no result that something flows to depends on it
   */
  @Nullable Gradient[] backward(
      List<Tensor> results, @Nullable Tensor[] cotangents, List<Tensor> leaves) {
    return outer.run(() -> pullBack(results, cotangents, leaves));
  }

  private @Nullable Gradient[] pullBack(
      List<Tensor> results, @Nullable Tensor[] cotangents, List<Tensor> leaves) {
    @Nullable Gradient[] gradients = new Gradient[leaves.size()];
    try (var backward = TensorScope.openUnwatched()) {
      boolean any = false;
      for (int k = 0; k < cotangents.length; k++) {
        Edge end = tracked.get(results.get(k));
        Tensor cotangent = cotangents[k];
        if (end != null && cotangent != null) {
          end.requireUnchanged("gradient", "the result", results.get(k));
          end.accumulate(cotangent);
          any = true;
        }
      }
      if (any) {
        for (int i = nodes.size() - 1; i >= 0; i--) {
          // What a rule makes on the way is freed with it; cotangents are held by their edges.
          try (var rule = TensorScope.openUnwatched()) {
            PULL.orElse(Node::pull).accept(nodes.get(i));
          }
          nodes.get(i).release();
        }
      }
      for (int i = 0; i < gradients.length; i++) {
        Edge edge = tracked.get(leaves.get(i));
        Gradient g = edge == null ? null : edge.gradient(leaves.get(i).shape());
        if (g != null) {
          gradients[i] = g.keptBy(backward);
        }
      }
    } finally {
      release();
    }
    return gradients;
  }

  /** Lets go of everything saved; the tape is empty then. */
  void release() {
    for (Node node : nodes) {
      node.release();
    }
    nodes.clear();
    tracked.values().forEach(Edge::clear);
    tracked.clear();
  }
}
