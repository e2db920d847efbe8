package carousel.tensor.trace;

import carousel.tensor.DType;
import carousel.tensor.Device;
import carousel.tensor.Engine;
import carousel.tensor.Layout;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import carousel.tensor.op.Binary;
import carousel.tensor.op.Cast;
import carousel.tensor.op.Composite;
import carousel.tensor.op.CustomOp;
import carousel.tensor.op.Interpreter;
import carousel.tensor.op.Joins;
import carousel.tensor.op.Masks;
import carousel.tensor.op.MatMul;
import carousel.tensor.op.Op;
import carousel.tensor.op.ReduceAxes;
import carousel.tensor.op.Softmax;
import carousel.tensor.op.Ternary;
import carousel.tensor.op.Unary;
import carousel.tensor.op.Views;
import carousel.tensor.trace.Value.Kind;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Runs code on stand-ins, which have a type and a shape but no memory, and notes what it computes of
 * them. What it computes of other tensors alone is computed, by the interpreter around; the results are
 * inputs of the kernel, and so is every tensor that the code reads and has not made of one number.
 *
 * <p>Stand-ins have rows, and mostly columns: {@code [N,C]}, or {@code [N]} after a sum over columns.
 * Understood is what keeps rows apart. Code that does anything else ends with {@link Untraced}.
 */
final class StepTrace implements Interpreter {
  /** Names what has no memory, in the error of who reads it. */
  static final String STAND_IN = "a stand-in of a trace";

  final Graph graph;
  final Shape rows;
  final DType type;
  final Device device;
  final Cuts cuts;
  final Columns columns;
  final Captured captured;
  final Folds folds;
  private final Applications applications;
  private final @Nullable WeightProducts products;
  private final Map<Tensor, Seen> seen = new HashMap<>();
  private final Tensor gone;
  private final Tensor goneTest;

  /**
   * What a stand-in holds.
   *
   * @param parts from left to right; of a number, that
   * @param hasRows whether it has the axes of rows
   * @param hasColumns whether it has an axis of columns
   */
  record Seen(List<Part> parts, boolean hasRows, boolean hasColumns) {
    /** As this, of other columns. */
    Seen of(List<Part> other) {
      return new Seen(other, hasRows, hasColumns);
    }

    boolean isNumber() {
      return parts.size() == 1 && parts.getFirst().width() == 0;
    }

    int width() {
      return parts.stream().mapToInt(Part::width).sum();
    }
  }

  /**
   * A trace.
   *
   * @param graph where values are noted
   * @param rows the axes before the columns
   * @param cuts where columns are cut
   * @param captured what is read beside stand-ins
   * @param products notes products with weights; null where there are none
   */
  StepTrace(
      Graph graph,
      Shape rows,
      DType type,
      Device device,
      Cuts cuts,
      Captured captured,
      @Nullable WeightProducts products) {
    this.graph = graph;
    this.rows = rows;
    this.type = type;
    this.device = device;
    this.cuts = cuts;
    this.captured = captured;
    this.products = products;
    this.columns = new Columns(graph, cuts);
    this.folds = new Folds(this);
    this.applications = new Applications(this);
    try (var scope = TensorScope.openUnwatched()) {
      gone = Engine.empty(STAND_IN, device, type, Shape.SCALAR);
      goneTest = Engine.empty(STAND_IN, device, DType.BOOL, Shape.SCALAR);
    }
  }

  /** A stand-in. */
  Tensor standIn(Seen holds) {
    Shape shape = holds.hasRows() ? rows : Shape.SCALAR;
    if (holds.hasColumns()) {
      shape = shape.insert(shape.rank(), holds.width());
    }
    boolean test = holds.parts().getFirst().value().isTest();
    Tensor tensor = Engine.over((test ? goneTest : gone), Layout.contiguous(shape));
    seen.put(tensor, holds);
    return tensor;
  }

  /** A stand-in with rows and columns. */
  Tensor standIn(List<Part> parts) {
    return standIn(new Seen(parts, true, true));
  }

  /** What is given to the code: columns of an input, of a state, or of a vector, which has no rows. */
  Tensor given(Kind kind, int index, int width) {
    List<Part> parts = new ArrayList<>();
    int from = 0;
    for (int piece : cuts.widths(kind, index, width)) {
      parts.add(Part.of(graph.given(kind, index, from, piece)));
      from += piece;
    }
    return standIn(new Seen(parts, kind != Kind.VECTOR, true));
  }

  /** What is not recorded elsewhere is part of the kernel all the same. */
  @Override
  public Interpreter unrecorded() {
    return this;
  }

  @Override
  public Tensor number(Tensor like, double value) {
    if (!seen.containsKey(like)) {
      return captured.outer().number(like, value);
    }
    return standIn(new Seen(List.of(new Part(captured.number(value), 0)), false, false));
  }

  @Override
  public Tensor[] apply(Op op, Tensor... inputs) {
    boolean any = false;
    boolean all = true;
    for (Tensor input : inputs) {
      Seen holds = seen.get(input);
      any |= holds != null && !holds.isNumber();
      all &= holds != null;
    }
    if (!any && !(all && inputs.length > 0 && captured.isRule())) {
      Tensor[] operands = materialised(inputs);
      Tensor[] results = captured.apply(op, operands);
      if (op instanceof CustomOp own && !applications.isInside()) {
        captured.requireLinear(own, operands, results);
      }
      return results;
    }
    if (op instanceof Composite composite) {
      return composite.body().apply(inputs);
    }
    return switch (op) {
      case CustomOp own -> applications.of(own, inputs);
      case Unary _, Binary _, Ternary _ -> one(elementwise(op, inputs));
      case Cast cast -> one(cast(cast, inputs[0]));
      case MatMul _ -> one(product(inputs[0], inputs[1]));
      case Views view -> view(view, inputs[0]);
      case Joins join -> one(join(join, inputs));
      case ReduceAxes reduction -> one(folds.reduction(reduction, inputs[0], of(inputs[0])));
      case Softmax softmax -> one(folds.softmax(softmax, inputs[0], of(inputs[0])));
      default ->
          throw new Untraced(op.label() + " of " + inputs[0].shape() + " mixes rows or columns");
    };
  }

  private static Tensor[] one(Tensor tensor) {
    return new Tensor[] {tensor};
  }

  /** Numbers as tensors, for who computes with them now. */
  private Tensor[] materialised(Tensor... inputs) {
    Tensor[] tensors = inputs.clone();
    for (int i = 0; i < tensors.length; i++) {
      Seen holds = seen.get(inputs[i]);
      if (holds != null) {
        tensors[i] = gone.fullLike(Shape.SCALAR, holds.parts().getFirst().value().number());
      }
    }
    return tensors;
  }

  /** What a tensor holds if it is a stand-in; else null. */
  @Nullable Seen known(Tensor tensor) {
    return seen.get(tensor);
  }

  /** What a stand-in holds; fails for other tensors, which are met beside one only. */
  Seen of(Tensor tensor) {
    Seen holds = seen.get(tensor);
    if (holds == null) {
      throw new Untraced(
          "it takes " + tensor.dtype() + " " + tensor.shape() + " apart by its rows");
    }
    return holds;
  }

  /** What an operand holds beside stand-ins. */
  Seen operand(Tensor tensor, boolean hasColumns) {
    Seen holds = seen.get(tensor);
    if (holds == null) {
      return captured.elements(this, tensor, hasColumns);
    }
    if (!holds.isNumber() && holds.hasColumns() != hasColumns && rows.size() != 1) {
      throw new Untraced(
          "a value for each row, " + tensor.shape() + ", meets columns; unsqueeze it first");
    }
    return holds;
  }

  private Tensor elementwise(Op op, Tensor... inputs) {
    Shape result = inputs[0].shape();
    boolean hasRows = false;
    boolean hasColumns = false;
    for (Tensor input : inputs) {
      result = Shape.broadcast(op.label(), result, input.shape());
      Seen holds = seen.get(input);
      hasRows |= holds != null && holds.hasRows();
      hasColumns |= holds != null && holds.hasColumns();
    }
    Shape expected = hasColumns && result.rank() > 0 ? result.without(-1) : result;
    // What the code has made of one number may have rows where no stand-in has.
    hasRows |= hasColumns && expected.equals(rows);
    if (!expected.equals(hasRows ? rows : Shape.SCALAR)) {
      throw new Untraced(op.label() + " makes " + result + " beside rows " + rows);
    }
    List<List<Part>> operands = new ArrayList<>();
    for (int i = 0; i < inputs.length; i++) {
      requireType(op, i, inputs[i]);
      operands.add(operand(inputs[i], hasColumns).parts());
    }
    int width = hasColumns ? result.dim(-1) : hasRows ? 1 : 0;
    return standIn(new Seen(columns.elementwise(op, operands, width), hasRows, hasColumns));
  }

  private void requireType(Op op, int operand, Tensor input) {
    DType wanted = Masks.reads(op, operand) ? DType.BOOL : type;
    if (input.dtype() != wanted) {
      throw new Untraced(op.label() + " of " + input.dtype() + " where rows are " + type);
    }
  }

  private Tensor cast(Cast cast, Tensor input) {
    Seen holds = of(input);
    if (cast.to() != type || input.dtype() != DType.BOOL) {
      throw new Untraced(
          "cast from " + input.dtype() + " to " + cast.to() + " in a step of " + type);
    }
    List<Part> parts = new ArrayList<>();
    for (Part part : holds.parts()) {
      parts.add(new Part(graph.indicator(part.value()), part.width()));
    }
    return standIn(holds.of(parts));
  }

  /** Whether this is inside of an op with a rule of its own. */
  boolean isInsideOwn() {
    return applications.isInside();
  }

  private Tensor product(Tensor a, Tensor b) {
    if (seen.containsKey(b)) {
      throw new Untraced("matmul with a right operand that changes from step to step");
    }
    if (applications.isInRule()) {
      throw new Untraced("a product in the rule of an op of its own");
    }
    if (products == null || rows.rank() != 1) {
      throw new Untraced("matmul in a pointwise composite");
    }
    Seen left = of(a);
    if (!left.hasColumns() || b.rank() != 2 || b.dtype() != type || a.dim(1) != b.dim(0)) {
      throw new Untraced("matmul of " + a.shape() + " × " + b.dtype() + " " + b.shape());
    }
    if (b.size() == 0) {
      throw new Untraced("matmul with an empty weight " + b.shape());
    }
    return standIn(products.of(columns, left.parts(), b));
  }

  private Tensor[] view(Views view, Tensor input) {
    Seen holds = of(input);
    int last = input.rank() - 1;
    return switch (view) {
      case Views.Split split when holds.hasColumns() && split.axis() == last -> {
        Tensor[] results = new Tensor[split.sizes().size()];
        int from = 0;
        for (int i = 0; i < results.length; i++) {
          int to = from + split.sizes().get(i);
          results[i] = standIn(holds.of(columns.slice(holds.parts(), from, to)));
          from = to;
        }
        yield results;
      }
      case Views.Slice slice
          when slice.step() == 1 && holds.hasColumns() && slice.axis() == last -> {
        int from = slice.start();
        yield one(standIn(holds.of(columns.slice(holds.parts(), from, from + slice.count()))));
      }
      case Views.Select select
          when holds.hasRows() && holds.hasColumns() && select.axis() == last -> {
        List<Part> column = columns.slice(holds.parts(), select.index(), select.index() + 1);
        yield one(standIn(new Seen(column, holds.hasRows(), false)));
      }
      case Views.Expand expand when expand.shape().rank() == input.rank() -> {
        yield one(expand(expand.shape(), holds));
      }
      case Views.Reshape reshape -> {
        yield one(reshape(reshape.shape(), holds));
      }
      case Views.Detach _ -> {
        List<Part> stopped =
            holds.parts().stream().map(p -> new Part(graph.stop(p.value()), p.width())).toList();
        yield one(standIn(holds.of(stopped)));
      }
      default ->
          throw new Untraced(view.label() + " of " + input.shape() + " mixes rows or columns");
    };
  }

  private Tensor expand(Shape shape, Seen holds) {
    if (!holds.hasRows() || !holds.hasColumns() || !shape.without(-1).equals(rows)) {
      throw new Untraced("expand to " + shape + " of rows " + rows);
    }
    return standIn(columns.widen(holds.parts(), shape.dim(-1)));
  }

  /** Adds or drops an axis of one column. */
  private Tensor reshape(Shape shape, Seen holds) {
    boolean columnsAfter = shape.rank() == rows.rank() + 1;
    Shape before = columnsAfter ? shape.without(-1) : shape;
    boolean fits = columnsAfter ? shape.dim(-1) == holds.width() : holds.width() == 1;
    if (!holds.hasRows() || !before.equals(rows) || !fits) {
      throw new Untraced("reshape to " + shape + " of rows " + rows);
    }
    return standIn(new Seen(holds.parts(), true, columnsAfter));
  }

  private Tensor join(Joins join, Tensor... inputs) {
    return switch (join) {
      case Joins.Concat concat when concat.axis() == rows.rank() -> {
        List<Part> all = new ArrayList<>();
        for (Tensor input : inputs) {
          if (input.dtype() != type || input.rank() != rows.rank() + 1) {
            throw new Untraced("concat of " + input.dtype() + " " + input.shape());
          }
          Seen holds = operand(input, true);
          all.addAll(columns.widen(holds.parts(), input.dim(-1)));
        }
        yield standIn(all);
      }
      case Joins.Spread spread when spread.axis() == rows.rank() && spread.step() == 1 -> {
        List<Part> all = new ArrayList<>();
        Value zero = graph.constant(0);
        Seen holds = of(inputs[0]);
        int after = spread.size() - spread.start() - inputs[0].dim(-1);
        if (spread.start() > 0) {
          all.add(new Part(zero, spread.start()));
        }
        all.addAll(holds.parts());
        if (after > 0) {
          all.add(new Part(zero, after));
        }
        yield standIn(all);
      }
      case Joins.Copy _ -> {
        yield standIn(of(inputs[0]));
      }
      default ->
          throw new Untraced(join.label() + " of " + inputs[0].shape() + " mixes rows or columns");
    };
  }
}
