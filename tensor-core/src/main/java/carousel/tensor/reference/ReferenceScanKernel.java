package carousel.tensor.reference;

import carousel.tensor.DType;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import carousel.tensor.op.Binary;
import carousel.tensor.op.Interpreter;
import carousel.tensor.op.LastStep;
import carousel.tensor.op.Op;
import carousel.tensor.op.Reduce;
import carousel.tensor.op.ReduceAxes;
import carousel.tensor.op.Scan;
import carousel.tensor.spi.Fused;
import carousel.tensor.trace.JointGraph;
import carousel.tensor.trace.Value;
import carousel.tensor.trace.Value.Term;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What the graph of a step means: its values one after the other, by ops, step by step, and those of its
 * gradient on the way back. Kernels are this, faster.
 */
final class ReferenceScanKernel implements Fused {
  private final Scan scan;
  private final JointGraph step;
  private final Scan.Inputs places;

  /** @throws carousel.tensor.trace.Untraced if the step cannot be differentiated */
  ReferenceScanKernel(Scan scan, Tensor like) {
    this.scan = scan;
    this.step = scan.step().differentiate(like.dtype(), like.device());
    this.places = scan.inputs();
  }

  /**
   * Values of one step, {@code [N,width]} each; of numbers {@code []}. A row that has ended is computed as one
   * that has not: 0 flows back to it, and no more comes of that than of the rows that are there.
   */
  private final class Values {
    private final Tensor[] inputs;
    private final int t;
    private final @Nullable Tensor which;
    private final List<Tensor> states;
    private final List<Tensor> cotangents;
    private final Map<Value, Tensor> known = new HashMap<>();

    Values(Tensor[] inputs, int t, List<Tensor> states, List<Tensor> cotangents) {
      this.inputs = inputs;
      this.t = t;
      this.which = which(t, inputs);
      this.states = states.stream().map(this::there).toList();
      this.cotangents = cotangents;
    }

    /** The rows that are computed, of one value for each row. */
    Tensor there(Tensor rows) {
      return which == null ? rows : rows.indexSelect(which, 0);
    }

    Tensor of(Value value) {
      Tensor tensor = known.get(value);
      if (tensor == null) {
        tensor = compute(value);
        known.put(value, tensor);
      }
      return tensor;
    }

    private Tensor compute(Value value) {
      int from = value.offset();
      int width = value.width();
      return switch (value.kind()) {
        case INPUT -> input(value.index()).narrow(1, from, width);
        case STATE -> states.get(value.index()).narrow(1, from, width);
        case VECTOR -> rows(captured(value.index()).narrow(0, from, width).unsqueeze(0), width);
        case ROWS -> there(captured(value.index())).narrow(1, from, width);
        case CONSTANT, NUMBER -> like().fullLike(Shape.SCALAR, value.number());
        case COTANGENT -> cotangents.get(value.index());
        case ARRIVING -> throw new IllegalStateException("not known before the gradient: " + value);
        case SPREAD -> rows(of(value.inputs().getFirst()), width);
        case FOLD -> fold(Objects.requireNonNull(value.op()), of(value.inputs().getFirst()));
        case APPLY -> {
          Tensor[] operands = value.inputs().stream().map(this::of).toArray(Tensor[]::new);
          yield Op.apply(Objects.requireNonNull(value.op()), operands);
        }
        case SUM -> {
          Tensor sum = value.inputs().isEmpty() ? null : of(value.inputs().getFirst());
          for (Term term : value.terms()) {
            sum = plus(sum, of(term.factor()).matmul(block(term, term.factor(), value)));
          }
          yield Objects.requireNonNull(sum);
        }
        case BACK -> {
          Tensor sum = null;
          for (Term term : value.terms()) {
            Tensor g = cotangent(term.factor());
            Tensor weight = captured(term.weight());
            Tensor block =
                weight.narrow(0, term.row(), width).narrow(1, term.column(), term.factor().width());
            sum = plus(sum, g.matmul(block.transpose(0, 1)));
          }
          yield Objects.requireNonNull(sum);
        }
      };
    }

    /** What flows back to a sum. */
    Tensor cotangent(Value sum) {
      return rows(of(Objects.requireNonNull(step.cotangents().get(sum))), sum.width());
    }

    Tensor rows(Tensor tensor, int width) {
      return tensor.expand(scan.rows(), width);
    }

    private Tensor like() {
      return ReferenceScanKernel.this.like(inputs);
    }

    private Tensor input(int index) {
      int place = places.sequences().get(index);
      if (index > 0 || !places.affine()) {
        return there(inputs[place].select(0, t));
      }
      return x().matmul(inputs[Scan.Inputs.WX]).add(inputs[Scan.Inputs.B]);
    }

    Tensor x() {
      return there(inputs[Scan.Inputs.X].select(0, t));
    }

    private Tensor captured(int index) {
      return inputs[places.captured().get(index)];
    }

    private Tensor block(Term term, Value factor, Value sum) {
      return captured(term.weight())
          .narrow(0, term.row(), factor.width())
          .narrow(1, term.column(), sum.width());
    }
  }

  private static Tensor fold(Op by, Tensor x) {
    Reduce reduce = by == Binary.ADD ? Reduce.SUM : by == Binary.MAX ? Reduce.MAX : Reduce.MIN;
    return Op.apply(new ReduceAxes(reduce, List.of(1)), x);
  }

  private static Tensor plus(@Nullable Tensor a, Tensor b) {
    return a == null ? b : a.add(b);
  }

  @Override
  public Result forward(Tensor[] inputs) {
    return Interpreter.EAGER.run(() -> run(inputs));
  }

  private Tensor like(Tensor... inputs) {
    return inputs[places.states()];
  }

  private Result run(Tensor... inputs) {
    List<Tensor> states = new ArrayList<>();
    for (int k = 0; k < scan.step().state().size(); k++) {
      states.add(inputs[places.states() + k]);
    }
    List<Tensor> before = new ArrayList<>();
    Tensor[] y = new Tensor[scan.steps()];
    for (int k = 0; k < scan.steps(); k++) {
      int t = time(k);
      before.addAll(states);
      var values = new Values(inputs, t, states, List.of());
      Tensor valid = valid(t, inputs);
      y[t] = joined(values, scan.step().y());
      if (valid != null) {
        y[t] = Tensor.where(valid, y[t], y[t].scalarLike(0));
      }
      List<Tensor> next = new ArrayList<>();
      for (int i = 0; i < states.size(); i++) {
        Tensor state = joined(values, scan.step().next().get(i));
        next.add(valid == null ? state : Tensor.where(valid, state, states.get(i)));
      }
      states = next;
    }
    List<Tensor> outputs = new ArrayList<>();
    outputs.add(Tensor.stack(List.of(y), 0));
    states.forEach(state -> outputs.add(state.copy()));
    return new Result(outputs.toArray(new Tensor[0]), before.toArray(new Tensor[0]));
  }

  private static Tensor joined(Values values, List<Value> parts) {
    List<Tensor> columns = parts.stream().map(p -> values.rows(values.of(p), p.width())).toList();
    return columns.size() == 1 ? columns.getFirst() : Tensor.concat(columns, 1);
  }

  private int time(int k) {
    return scan.reverse() ? scan.steps() - 1 - k : k;
  }

  private @Nullable Tensor valid(int t, Tensor... inputs) {
    return places.ragged() ? inputs[places.lengths()].gt(t).unsqueeze(1) : null;
  }

  /** For each row itself, or one that has not ended, if there is one; null if all are as long as the sequence. */
  private @Nullable Tensor which(int t, Tensor... inputs) {
    if (!places.ragged()) {
      return null;
    }
    Tensor longer = inputs[places.lengths()].gt(t);
    Tensor own = Tensor.arange(scan.rows()).to(longer.device());
    return Tensor.where(longer, own, longer.cast(DType.I32).argmax(0));
  }

  @Override
  public @Nullable Tensor[] backward(
      Tensor[] inputs, Result result, @Nullable Tensor[] cotangents, boolean[] wanted) {
    if (!scan.isSteady(cotangents)) {
      return LastStep.backward(
          scan,
          inputs,
          cotangents,
          wanted,
          (part, given) -> new ReferenceScanKernel(part, like(given)));
    }
    Scan reached = scan.reached(cotangents);
    ReferenceScanKernel exact =
        reached == scan ? this : new ReferenceScanKernel(reached, like(inputs));
    return Interpreter.EAGER.run(() -> exact.pull(inputs, result, cotangents, wanted));
  }

  private @Nullable Tensor[] pull(
      Tensor[] inputs, Result result, @Nullable Tensor[] cotangents, boolean[] wanted) {
    Tensor[] sums = new Tensor[inputs.length];
    for (int i = 0; i < inputs.length; i++) {
      if (inputs[i].dtype().isFloating()) {
        // In double precision: a reference does not round at every step.
        sums[i] = inputs[i].cast(DType.F64).zerosLike();
      }
    }
    int states = scan.step().state().size();
    List<Tensor> carried = new ArrayList<>();
    for (int i = 0; i < states; i++) {
      Tensor g = cotangents[1 + i];
      carried.add(g == null ? inputs[places.states() + i].zerosLike() : g);
    }
    for (int k = scan.steps() - 1; k >= 0; k--) {
      int t = time(k);
      List<Tensor> before = List.of(result.saved()).subList(k * states, (k + 1) * states);
      Tensor valid = valid(t, inputs);
      Tensor dy = cotangents[0] == null ? null : cotangents[0].select(0, t);
      if (valid != null && valid.cast(DType.I32).max().item() == 0) {
        continue; // no row has this step
      }
      carried = step(inputs, t, before, valid, dy, carried, sums);
    }
    for (int i = 0; i < states; i++) {
      sums[places.states() + i] = carried.get(i);
    }
    @Nullable Tensor[] gradients = new Tensor[inputs.length];
    for (int i = 0; i < inputs.length; i++) {
      gradients[i] = wanted[i] ? sums[i].cast(inputs[i].dtype()) : null;
    }
    return gradients;
  }

  /** One step back: adds to the gradients of all inputs; gives what flows to the state before it. */
  private List<Tensor> step(
      Tensor[] inputs,
      int t,
      List<Tensor> before,
      @Nullable Tensor valid,
      @Nullable Tensor dy,
      List<Tensor> carried,
      Tensor... sums) {
    List<Tensor> arriving = new ArrayList<>();
    int column = 0;
    for (Value part : scan.step().y()) {
      arriving.add(
          dy == null
              ? before.getFirst().zerosLike(Shape.of(scan.rows(), part.width()))
              : masked(dy.narrow(1, column, part.width()), valid));
      column += part.width();
    }
    for (int i = 0; i < carried.size(); i++) {
      int from = 0;
      for (Value part : scan.step().next().get(i)) {
        arriving.add(masked(carried.get(i).narrow(1, from, part.width()), valid));
        from += part.width();
      }
    }
    var values = new Values(inputs, t, before, arriving);
    for (Value sum : step.sums()) {
      Tensor g = values.cotangent(sum);
      for (Term term : sum.terms()) {
        Tensor left = values.rows(values.of(term.factor()), term.factor().width());
        add(
            sums[places.captured().get(term.weight())]
                .narrow(0, term.row(), left.dim(1))
                .narrow(1, term.column(), sum.width()),
            left.transpose(0, 1).matmul(g));
      }
      if (!sum.inputs().isEmpty()) {
        given(sum.inputs().getFirst(), g, values, sums);
      }
    }
    step.given()
        .forEach(
            (value, g) -> given(value, values.rows(values.of(g), value.width()), values, sums));
    List<Tensor> flowing = new ArrayList<>();
    int at = 0;
    for (int i = 0; i < carried.size(); i++) {
      List<Tensor> parts = new ArrayList<>();
      for (Value part : scan.step().state().get(i)) {
        Tensor g = values.rows(values.of(step.before().get(at++)), part.width());
        Value back = step.back().get(part);
        parts.add(back == null ? g : g.add(values.of(back)));
      }
      Tensor all = Tensor.concat(parts, 1);
      flowing.add(valid == null ? all : Tensor.where(valid, all, carried.get(i)));
    }
    return flowing;
  }

  private static Tensor masked(Tensor g, @Nullable Tensor valid) {
    return valid == null ? g : Tensor.where(valid, g, g.scalarLike(0));
  }

  private void given(Value value, Tensor g, Values values, Tensor... sums) {
    int t = values.t;
    int from = value.offset();
    int width = value.width();
    switch (value.kind()) {
      case VECTOR ->
          add(sums[places.captured().get(value.index())].narrow(0, from, width), g.sum(0));
      case ROWS -> add(sums[places.captured().get(value.index())].narrow(1, from, width), g);
      default -> {
        if (value.index() > 0 || !places.affine()) {
          int place = places.sequences().get(value.index());
          add(sums[place].select(0, t).narrow(1, from, width), g);
        } else {
          Tensor x = values.x();
          Tensor wx = values.inputs[Scan.Inputs.WX].narrow(1, from, width);
          add(sums[Scan.Inputs.X].select(0, t), g.matmul(wx.transpose(0, 1)));
          add(sums[Scan.Inputs.WX].narrow(1, from, width), x.transpose(0, 1).matmul(g));
          add(sums[Scan.Inputs.B].narrow(0, from, width), g.sum(0));
        }
      }
    }
  }

  private static void add(Tensor to, Tensor more) {
    to.assign(to.add(more.cast(DType.F64)));
  }
}
