package carousel.tensor.trace;

import carousel.tensor.Tensor;
import carousel.tensor.op.Binary;
import carousel.tensor.op.CustomOp;
import carousel.tensor.op.Op;
import carousel.tensor.op.Reduce;
import carousel.tensor.op.ReduceAxes;
import carousel.tensor.op.Softmax;
import carousel.tensor.op.Ternary;
import carousel.tensor.op.Unary;
import carousel.tensor.trace.StepTrace.Seen;
import java.util.ArrayList;
import java.util.List;

/** What is summed, or otherwise combined, over the columns of each row. */
final class Folds {
  private final StepTrace trace;
  private final Graph graph;

  Folds(StepTrace trace) {
    this.trace = trace;
    this.graph = trace.graph;
  }

  Tensor reduction(ReduceAxes op, Tensor input, Seen holds) {
    int last = input.rank() - 1;
    if (!holds.hasRows() || !holds.hasColumns() || !op.axes().equals(List.of(last))) {
      throw new Untraced(op + " of " + input.shape() + " mixes rows");
    }
    List<Part> x = holds.parts();
    boolean isExtreme = op.reduce() == Reduce.MAX || op.reduce() == Reduce.MIN;
    if (isExtreme && x.size() > 1 && !trace.isInsideOwn()) {
      // Part by part, two that are equal would share alike, whatever the number of equals in each.
      var whole = CustomOp.of(op.label(), (Tensor of) -> Op.apply(op, of), op.vjp());
      return trace.apply(whole, input)[0];
    }
    Value result =
        switch (op.reduce()) {
          case SUM -> fold(Binary.ADD, x);
          case MEAN -> row(Binary.DIV, fold(Binary.ADD, x), graph.constant(holds.width()));
          case MAX -> fold(Binary.MAX, x);
          case MIN -> fold(Binary.MIN, x);
          case LOG_SUM_EXP -> logSumExp(x);
          case NORM -> norm(x);
          default -> throw new Untraced(op + " over columns");
        };
    return trace.standIn(holds.of(List.of(new Part(result, 1))));
  }

  /** The softmax or its logarithm: the greatest is subtracted first, which changes nothing but overflow. */
  Tensor softmax(Softmax op, Tensor input, Seen holds) {
    if (!holds.hasRows() || !holds.hasColumns() || op.axis() != input.rank() - 1) {
      throw new Untraced(op.label() + " of " + input.shape() + " over rows");
    }
    List<Part> x = holds.parts();
    List<Part> shifted = each(Binary.SUB, x, graph.stop(fold(Binary.MAX, x)));
    List<Part> powers = each(Unary.EXP, shifted);
    Value sum = fold(Binary.ADD, powers);
    List<Part> result =
        op.log() ? each(Binary.SUB, shifted, row(Unary.LOG, sum)) : each(Binary.DIV, powers, sum);
    return trace.standIn(holds.of(result));
  }

  /** {@code m + ln Σ e^(x − m)}, with m = 0 where the greatest is infinite. */
  private Value logSumExp(List<Part> x) {
    Value greatest = graph.stop(fold(Binary.MAX, x));
    Value finite = row(Unary.IS_FINITE, greatest);
    Value shift = row(Ternary.WHERE, finite, greatest, graph.constant(0));
    Value sum = fold(Binary.ADD, each(Unary.EXP, each(Binary.SUB, x, shift)));
    return row(Binary.ADD, row(Unary.LOG, sum), shift);
  }

  /** {@code √Σ x²}, whose gradient at the origin is 0. */
  private Value norm(List<Part> x) {
    Value squares = fold(Binary.ADD, each(Unary.SQUARE, x));
    Value zero = row(Binary.EQ, squares, graph.constant(0));
    Value safe = row(Ternary.WHERE, zero, graph.constant(1), squares);
    return row(Ternary.WHERE, zero, graph.constant(0), row(Unary.SQRT, safe));
  }

  /** All columns combined into one. */
  Value fold(Binary by, List<Part> parts) {
    Value total = null;
    for (Part part : parts) {
      Value value = part.value();
      if (value.isTest()) {
        throw new Untraced("a sum of masks; cast them first");
      }
      Value one;
      if (!part.isEven()) {
        one = graph.fold(by, value);
      } else if (by == Binary.ADD) {
        one = row(Binary.MUL, value, graph.constant(part.width()));
      } else {
        one = value;
      }
      total = total == null ? one : row(by, total, one);
    }
    if (total == null) {
      throw new Untraced("a sum of no columns");
    }
    return total.isNumber() ? graph.copy(total, 1) : total;
  }

  private Value row(Op op, Value... inputs) {
    return graph.apply(op, List.of(inputs));
  }

  private List<Part> each(Op op, List<Part> x, Value... others) {
    List<Part> results = new ArrayList<>();
    for (Part part : x) {
      List<Value> inputs = new ArrayList<>();
      inputs.add(part.value());
      inputs.addAll(List.of(others));
      results.add(new Part(graph.apply(op, inputs), part.width()));
    }
    return results;
  }
}
