package carousel.tensor.trace;

import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import carousel.tensor.op.Binary;
import carousel.tensor.op.Interpreter;
import carousel.tensor.op.MatMul;
import carousel.tensor.op.Op;
import carousel.tensor.op.Reduce;
import carousel.tensor.op.ReduceAxes;
import carousel.tensor.op.Views;
import carousel.tensor.trace.Value.Kind;
import carousel.tensor.trace.Value.Term;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The products of a step with weights. A product of what depends on the input alone is computed for all
 * steps at once, by the interpreter around: its result is one more input of the steps.
 */
final class WeightProducts {
  /** What a value depends on, as bits. */
  private static final int INPUT = 1;

  private static final int STATE = 2;

  private final Graph graph;
  private final Cuts cuts;
  private final Captured captured;
  private final int inputs;
  private final List<Hoisted> hoisted = new ArrayList<>();
  private final Map<Value, Integer> dependence = new HashMap<>();
  private int count;

  /** A product that is computed for all steps at once: {@code left [T·N,K] · weight[row : row+K, :]}. */
  private record Hoisted(List<Part> left, Tensor weight, int row) {}

  /**
   * The products of a trace.
   *
   * @param inputs how many inputs the steps have before products add to them
   */
  WeightProducts(Graph graph, Cuts cuts, Captured captured, int inputs) {
    this.graph = graph;
    this.cuts = cuts;
    this.captured = captured;
    this.inputs = inputs;
  }

  /** {@code left [N,K] · weight [K,C]}. */
  List<Part> of(Columns columns, List<Part> left, Tensor weight) {
    int product = count++;
    List<Part> total = null;
    List<Part> steady = new ArrayList<>();
    int steadyRow = 0;
    List<Term> terms = new ArrayList<>();
    int row = 0;
    for (Part part : left) {
      if (isOfInput(part.value())) {
        if (steady.isEmpty()) {
          steadyRow = row;
        }
        steady.add(part);
      } else if (!steady.isEmpty()) {
        total = plus(columns, total, hoist(steady, weight, steadyRow));
        steady = new ArrayList<>();
      }
      if (!isOfInput(part.value())) {
        Value factor =
            part.value().isNumber()
                ? graph.copy(part.value(), part.width())
                : graph.spread(part.value(), part.width());
        terms.add(new Term(factor, captured.weight(weight), row, 0));
      }
      row += part.width();
    }
    if (!steady.isEmpty()) {
      total = plus(columns, total, hoist(steady, weight, steadyRow));
    }
    if (!terms.isEmpty()) {
      total = plus(columns, total, sums(columns, product, terms, weight));
    }
    return Objects.requireNonNull(total);
  }

  private List<Part> sums(Columns columns, int product, List<Term> terms, Tensor weight) {
    List<Part> parts = new ArrayList<>();
    int from = 0;
    for (int width : cuts.ofWeight(terms.getFirst().weight(), weight.dim(1))) {
      int column = from;
      List<Term> block =
          terms.stream().map(t -> new Term(t.factor(), t.weight(), t.row(), column)).toList();
      Value sum = graph.sum(List.of(), block, width);
      parts.add(Part.of(columns.summand("product " + product + " " + column, sum)));
      from += width;
    }
    return parts;
  }

  private static List<Part> plus(Columns columns, @Nullable List<Part> total, List<Part> more) {
    if (total == null) {
      return more;
    }
    int width = total.stream().mapToInt(Part::width).sum();
    return columns.elementwise(Binary.ADD, List.of(total, more), width);
  }

  /** Whether a value depends on inputs, and on nothing that a step leaves for the next. */
  private boolean isOfInput(Value value) {
    return dependence(value) == INPUT;
  }

  private int dependence(Value value) {
    Integer known = dependence.get(value);
    if (known == null) {
      known = value.kind() == Kind.INPUT ? INPUT : value.kind() == Kind.STATE ? STATE : 0;
      // A piece depends on what it is cut off, or products would change their places.
      if (Cuts.isPiece(value)) {
        known = dependence(graph.values().get(value.offset()));
      }
      // The rule of a user's op takes all that arrives in one step, and so stays in the steps.
      if (value.isOwn()) {
        known |= STATE;
      }
      for (Value input : value.inputs()) {
        known |= dependence(input);
      }
      for (Term term : value.terms()) {
        known |= dependence(term.factor());
      }
      dependence.put(value, known);
    }
    return known;
  }

  private List<Part> hoist(List<Part> left, Tensor weight, int row) {
    int index = inputs + hoisted.size();
    hoisted.add(new Hoisted(List.copyOf(left), weight, row));
    List<Part> parts = new ArrayList<>();
    int from = 0;
    for (int width : cuts.widths(Kind.INPUT, index, weight.dim(1))) {
      parts.add(Part.of(graph.given(Kind.INPUT, index, from, width)));
      from += width;
    }
    return parts;
  }

  /**
   * Computes the products for all steps.
   *
   * @param given the other inputs of the steps
   * @param tensors what was captured in the same trace
   * @return {@code [T·N,C]} each
   */
  List<Tensor> hoisted(AllSteps given, List<Tensor> tensors) {
    List<Tensor> results = new ArrayList<>();
    Interpreter outer = captured.outer();
    outer.run(() -> {
      var values = new AllRows(given, tensors, results);
      for (Hoisted product : hoisted) {
        List<Tensor> columns = new ArrayList<>();
        int depth = 0;
        for (Part part : product.left()) {
          columns.add(values.of(part));
          depth += part.width();
        }
        Tensor left = columns.size() == 1 ? columns.getFirst() : Tensor.concat(columns, 1);
        results.add(left.matmul(product.weight().narrow(0, product.row(), depth)));
      }
      return results;
    });
    return results;
  }

  /** The inputs of all steps. */
  interface AllSteps {
    /** A tensor of their type, on their device. */
    Tensor like();

    /** Columns of an input, {@code [T·N,width]}. */
    Tensor columns(int input, int from, int width);

    int steps();

    int rows();
  }

  /** Values for all steps at once. */
  private final class AllRows {
    private final AllSteps given;
    private final List<Tensor> tensors;
    private final List<Tensor> products;
    private final Map<Value, Tensor> known = new HashMap<>();

    AllRows(AllSteps given, List<Tensor> tensors, List<Tensor> products) {
      this.given = given;
      this.tensors = tensors;
      this.products = products;
    }

    Tensor of(Part part) {
      Tensor value = of(part.value());
      return value.dim(1) == part.width()
          ? value
          : value.expand(given.steps() * given.rows(), part.width());
    }

    private Tensor of(Value value) {
      Tensor tensor = known.get(value);
      if (tensor == null) {
        tensor = compute(value);
        known.put(value, tensor);
      }
      return tensor;
    }

    private Tensor compute(Value value) {
      int all = given.steps() * given.rows();
      return switch (value.kind()) {
        case INPUT ->
            value.index() < inputs
                ? given.columns(value.index(), value.offset(), value.width())
                : products.get(value.index() - inputs).narrow(1, value.offset(), value.width());
        case VECTOR ->
            tensors
                .get(value.index())
                .narrow(0, value.offset(), value.width())
                .unsqueeze(0)
                .expand(all, value.width());
        case ROWS ->
            tensors
                .get(value.index())
                .narrow(1, value.offset(), value.width())
                .unsqueeze(0)
                .expand(given.steps(), given.rows(), value.width())
                .reshape(all, value.width());
        case CONSTANT, NUMBER -> given.like().fullLike(Shape.of(1, 1), value.number());
        case SPREAD -> of(value.inputs().getFirst()).expand(all, value.width());
        case FOLD -> {
          Reduce reduce =
              value.op() == Binary.ADD
                  ? Reduce.SUM
                  : value.op() == Binary.MAX ? Reduce.MAX : Reduce.MIN;
          yield Op.apply(new ReduceAxes(reduce, List.of(1)), of(value.inputs().getFirst()));
        }
        case APPLY -> {
          if (value.stops()) {
            yield Op.apply(new Views.Detach(), of(value.inputs().getFirst()));
          }
          Tensor[] inputs = value.inputs().stream().map(this::of).toArray(Tensor[]::new);
          yield Op.apply(Objects.requireNonNull(value.op()), inputs);
        }
        case SUM -> {
          Tensor sum = value.inputs().isEmpty() ? null : of(value.inputs().getFirst());
          for (Term term : value.terms()) {
            Tensor block =
                tensors
                    .get(term.weight())
                    .narrow(0, term.row(), term.factor().width())
                    .narrow(1, term.column(), value.width());
            Tensor product = Op.apply(MatMul.ROW, of(term.factor()), block);
            sum = sum == null ? product : sum.add(product);
          }
          yield Objects.requireNonNull(sum);
        }
        default -> throw new IllegalStateException("not of a step: " + value);
      };
    }
  }
}
