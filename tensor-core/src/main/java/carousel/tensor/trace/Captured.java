package carousel.tensor.trace;

import carousel.tensor.DType;
import carousel.tensor.Engine;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import carousel.tensor.op.Binary;
import carousel.tensor.op.Cast;
import carousel.tensor.op.CustomOp;
import carousel.tensor.op.Interpreter;
import carousel.tensor.op.Op;
import carousel.tensor.trace.StepTrace.Seen;
import carousel.tensor.trace.Value.Kind;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * What code reads beside stand-ins: weights and whatever else it holds, computes of these, or makes. They
 * are inputs of the kernel, in the order in which they are met, with gradients; so none of them is frozen
 * in it. A constant is only what the code has made itself, of one number.
 *
 * <p>Kept over the traces of one call: what is computed of the same tensors is computed once.
 */
class Captured {
  /** What a tensor is read as: as a weight, of rank 2; or element by element. */
  private record Use(Tensor tensor, boolean weight) {}

  private record Applied(Op op, List<Tensor> inputs) {}

  private final Interpreter outer;
  private final TensorScope scope;
  private final Map<Applied, Tensor[]> computed = new HashMap<>();
  private final Map<Use, Integer> known = new HashMap<>();
  private final List<Tensor> tensors = new ArrayList<>();
  private final Set<Tensor> roots = new LinkedHashSet<>();

  /** What users' ops of a linear rule have given. */
  private final Set<Tensor> linear = new HashSet<>();

  private Graph graph;

  /**
   * What a call captures.
   *
   * @param outer computes what does not depend on stand-ins
   * @param scope owns what is made while code is traced
   */
  Captured(Interpreter outer, TensorScope scope, Graph graph) {
    this.outer = outer;
    this.scope = scope;
    this.graph = graph;
  }

  /** Begins another trace of the same code. */
  void again(Graph next) {
    graph = next;
    known.clear();
    tensors.clear();
  }

  Interpreter outer() {
    return outer;
  }

  /** Whether what is traced is a rule of the op table, whose numbers belong to the graph. */
  boolean isRule() {
    return false;
  }

  /** The tensors, by index. */
  List<Tensor> tensors() {
    return List.copyOf(tensors);
  }

  /** The tensors that are there when the code is not: those that it reads, and not what it makes of them. */
  List<Tensor> roots() {
    return List.copyOf(roots);
  }

  private void read(Tensor tensor) {
    if (!scope.owns(tensor)) {
      roots.add(tensor);
    }
  }

  /** A number of the code's; 0 and 1 are forms rather than settings. */
  Value number(double value) {
    return value == 1 || Double.doubleToRawLongBits(value) == 0
        ? graph.constant(value)
        : graph.number(value);
  }

  /** What does not depend on stand-ins is computed by whoever computes around the trace. */
  Tensor[] apply(Op op, Tensor... inputs) {
    if (inputs.length == 0) {
      return outer.apply(op, inputs);
    }
    for (Tensor input : inputs) {
      read(input);
    }
    var applied = new Applied(op, List.of(inputs));
    Tensor[] known = computed.get(applied);
    if (known == null) {
      // Not by this trace: the body of a composite would come back here.
      known = kept(outer.run(() -> outer.apply(op, inputs)));
      computed.put(applied, known);
    }
    return known;
  }

  /**
   * Fails if a user's op would be applied once where the code says at every step, and its rule makes
   * something else of a sum than of the summands.
   */
  void requireLinear(CustomOp op, Tensor[] inputs, Tensor... results) {
    if (inputs.length == 0 || linear.contains(results[0])) {
      return;
    }
    if (Linearity.holds(op, inputs, results)) {
      linear.add(results[0]);
    } else {
      throw new Untraced(
          op.label()
              + " of what no step changes, "
              + inputs[0].shape()
              + ": its rule is not linear in what arrives, step by step; apply it before the steps");
    }
  }

  /** What code makes in a scope of its own is read after the end of that. */
  private Tensor[] kept(Tensor... tensors) {
    for (Tensor tensor : tensors) {
      if (scope.owns(tensor)) {
        scope.adopt(tensor);
      }
    }
    return tensors;
  }

  /** The index of a weight. */
  int weight(Tensor tensor) {
    return index(new Use(tensor, true), tensor);
  }

  /** What a tensor holds beside stand-ins. */
  Seen elements(StepTrace trace, Tensor tensor, boolean hasColumns) {
    if (isMade(tensor)) {
      double number = Engine.storage(tensor).filled().orElseThrow();
      Value value = number(number);
      if (tensor.dtype() == DType.BOOL) {
        value = graph.apply(Binary.NE, List.of(graph.constant(number), graph.constant(0)));
      }
      int width = hasColumns && tensor.rank() > 0 ? tensor.dim(-1) : 1;
      return new Seen(List.of(new Part(value, width)), true, hasColumns);
    }
    requireTaken(tensor);
    if (tensor.device() != trace.device) {
      throw new Untraced("it reads a tensor on " + tensor.device() + " beside " + trace.device);
    }
    Shape shape = tensor.shape();
    int width = hasColumns && shape.rank() > 0 ? shape.dim(-1) : 1;
    Shape before = hasColumns && shape.rank() > 0 ? shape.without(-1) : shape;
    boolean vector = before.size() == 1;
    if (!vector && (!before.equals(trace.rows) || width == 0)) {
      throw new Untraced(
          "it reads a tensor " + shape + " beside rows " + trace.rows + ": not one value a row");
    }
    var use = new Use(tensor, false);
    if (!known.containsKey(use)) {
      index(
          use,
          dense(trace, tensor, vector ? Shape.of(width) : before.insert(before.rank(), width)));
    }
    int index = index(use, tensor);
    List<Part> parts = new ArrayList<>();
    int from = 0;
    Kind kind = vector ? Kind.VECTOR : Kind.ROWS;
    for (int piece : trace.cuts.widths(kind, index, width)) {
      Value value = graph.given(kind, index, from, piece);
      if (tensor.dtype() == DType.BOOL) {
        value = graph.apply(Binary.NE, List.of(value, graph.constant(0)));
      }
      parts.add(Part.of(value));
      from += piece;
    }
    return new Seen(parts, true, hasColumns);
  }

  /** Whether the code has made a tensor, of one number. */
  private boolean isMade(Tensor tensor) {
    return Engine.storage(tensor).filled().isPresent() && scope.owns(tensor);
  }

  /** Fails if code may not capture a tensor. */
  void requireTaken(Tensor tensor) {}

  private Tensor dense(StepTrace trace, Tensor tensor, Shape shape) {
    Tensor of = tensor;
    if (tensor.dtype() == DType.BOOL) {
      of = apply(new Cast(trace.type), tensor)[0];
    } else if (tensor.dtype() != trace.type) {
      throw new Untraced("it reads " + tensor.dtype() + " where rows are " + trace.type);
    }
    Tensor numbers = of;
    return outer.run(() -> numbers.reshape(shape));
  }

  private int index(Use use, Tensor tensor) {
    read(use.tensor());
    Integer index = known.putIfAbsent(use, tensors.size());
    if (index != null) {
      return index;
    }
    kept(tensor);
    tensors.add(tensor);
    return tensors.size() - 1;
  }
}
