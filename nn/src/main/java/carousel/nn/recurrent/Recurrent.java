package carousel.nn.recurrent;

import carousel.nn.Parameter;
import carousel.tensor.DType;
import carousel.tensor.Scope;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import carousel.tensor.TensorException;
import carousel.tensor.op.Composite;
import carousel.tensor.op.Op;
import carousel.tensor.op.Scan;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.function.BinaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * Runs a {@link Cell} over time, the scan {@code s_t = cell(x_t, s_{t−1})}: {@code x [T,N,D] → y
 * [T,N,H]}.
 *
 * <p>In reverse direction the steps of a row are taken from its last to its first; of a ragged batch
 * only the valid prefix is reversed. Outputs stand at the step they belong to in both directions.
 * What x holds past a row's length is not read, and its gradient is zero.
 *
 * @param cell one step
 * @param direction the order of the steps
 * @param start a learned initial state, one parameter per tensor of the cell's state, each of the
 *     shape of one row; empty for zeros
 * @param <S> what the cell carries from step to step
 */
public record Recurrent<S extends State>(Cell<S> cell, Direction direction, List<Parameter> start)
    implements Sequence {

  /** The order in which the steps are taken. */
  public enum Direction {
    /** From the first step to the last. */
    FORWARD,
    /** From the last valid step to the first. */
    REVERSE
  }

  /** Copies the list. */
  public Recurrent {
    start = List.copyOf(start);
  }

  /**
   * A forward scan from zeros.
   *
   * @param cell one step
   * @param <S> what it carries
   * @return the layer
   */
  public static <S extends State> Recurrent<S> of(Cell<S> cell) {
    return new Recurrent<>(cell, Direction.FORWARD, List.of());
  }

  /**
   * A reverse scan from zeros.
   *
   * @param cell one step
   * @param <S> what it carries
   * @return the layer
   */
  public static <S extends State> Recurrent<S> reverse(Cell<S> cell) {
    return new Recurrent<>(cell, Direction.REVERSE, List.of());
  }

  /**
   * This layer with an initial state that is learned, zeros at first and the same for every row.
   *
   * @return a layer that shares the cell
   */
  public Recurrent<S> withLearnedStart() {
    List<Parameter> rows = new ArrayList<>();
    try (var making = Scope.openUnwatched()) {
      for (Tensor zero : cell.zero(1).tensors()) {
        Parameter row = Parameter.of(zero.select(0, 0));
        making.keep(row.value());
        rows.add(row);
      }
    }
    return new Recurrent<>(cell, direction, rows);
  }

  @Override
  public int inputs() {
    return cell.inputs();
  }

  @Override
  public int outputs() {
    return cell.outputs();
  }

  @Override
  @SuppressWarnings("unchecked") // The class of the given state was compared with the cell's.
  public Run run(Tensor x, List<? extends State> initial, @Nullable Tensor lengths) {
    checkInput(x);
    S begin = ownStart(x.dim(1));
    if (!initial.isEmpty()) {
      checkState(initial, begin, x);
      begin = (S) initial.getFirst();
    }
    return lengths == null
        ? run(x, begin, null, x.dim(0))
        : ragged(x, begin, lengths, shortest(lengths, x));
  }

  /**
   * Runs from a given state.
   *
   * @param x {@code [T,N,D]}
   * @param initial the state before the first step
   * @return the outputs and the final state
   */
  public Run run(Tensor x, S initial) {
    return run(x, List.of(initial), null);
  }

  private S ownStart(int batch) {
    S zero = cell.zero(batch);
    if (start.isEmpty()) {
      return zero;
    }
    List<Tensor> zeros = zero.tensors();
    List<Tensor> rows = new ArrayList<>();
    if (start.size() != zeros.size()) {
      throw new TensorException(
          label() + ": " + start.size() + " learned tensors for a state of " + zeros.size());
    }
    for (int i = 0; i < zeros.size(); i++) {
      rows.add(start.get(i).value().expand(zeros.get(i).shape()));
    }
    return State.with(zero, rows);
  }

  private Run ragged(Tensor x, S begin, Tensor lengths, int shortest) {
    int steps = x.dim(0);
    if (shortest == steps) {
      return run(x, begin, null, steps);
    }
    try (var masked = Scope.openUnwatched()) {
      Tensor valid = valid(steps, lengths.to(x.device()));
      // Padding may hold anything. A NaN in it would get past the masks of the steps: backward
      // multiplies it with gradients of 0.
      Tensor clean = Tensor.where(valid.unsqueeze(2), x, x.scalarLike(0));
      Run run = run(clean, begin, lengths.to(x.device()), shortest);
      run.states().forEach(state -> state.tensors().forEach(masked::keep));
      masked.keep(run.y());
      masked.keep(run.last());
      return run;
    }
  }

  /** Which rows are at a step, {@code [T,N]}. */
  private static Tensor valid(int steps, Tensor lengths) {
    return Tensor.arange(steps).to(lengths.device()).unsqueeze(1).lt(lengths);
  }

  /** As one op, which a backend may have a kernel for: cells that the input enters by a product. */
  private Run run(Tensor x, S begin, @Nullable Tensor lengths, int full) {
    int steps = x.dim(0);
    if (!(cell instanceof AffineCell<S> affine)) {
      return scan(x, begin, full, lengths == null ? List.of() : valid(steps, lengths).unbind(0));
    }
    List<Tensor> inputs = new ArrayList<>(List.of(x, affine.wx().value(), affine.b().value()));
    inputs.addAll(begin.tensors());
    cell.parameters().stream()
        .map(named -> named.parameter())
        .filter(parameter -> parameter != affine.wx() && parameter != affine.b())
        .forEach(parameter -> inputs.add(parameter.value()));
    int states = begin.tensors().size();
    Composite.Body loop =
        in -> {
          S start = State.with(begin, List.of(in).subList(3, 3 + states));
          List<Tensor> rows =
              lengths == null ? List.of() : valid(steps, in[in.length - 1]).unbind(0);
          Run run = scan(in[0], start, full, rows);
          List<Tensor> out = new ArrayList<>(List.of(run.y()));
          out.addAll(run.states().getFirst().tensors());
          return out.toArray(new Tensor[0]);
        };
    Scan.Step step =
        (z, state) -> {
          S next = cell.step(z, State.with(begin, List.of(state)));
          List<Tensor> out = new ArrayList<>(List.of(cell.output(next)));
          out.addAll(next.tensors());
          return out.toArray(new Tensor[0]);
        };
    if (lengths != null) {
      inputs.add(lengths);
    }
    var scan = new Scan(cell, step, loop, states, direction == Direction.REVERSE, lengths != null);
    Tensor[] out =
        Op.applyAll(new Composite(cell.label() + ".scan", scan), inputs.toArray(new Tensor[0]));
    S last = State.with(begin, List.of(out).subList(1, 1 + states));
    return new Run(out[0], cell.output(last), List.of(last));
  }

  /** Runs all steps; from step {@code full} on, only rows where {@code valid[t] [N]} holds. */
  private Run scan(Tensor x, S begin, int full, List<Tensor> valid) {
    int steps = x.dim(0);
    List<Tensor> outputs = new ArrayList<>(Collections.nCopies(steps, x));
    S state = begin;
    try (var whole = Scope.openUnwatched()) {
      List<Tensor> z = steps == 0 ? List.of() : cell.project(x).unbind(0);
      for (int k = 0; k < steps; k++) {
        int t = direction == Direction.FORWARD ? k : steps - 1 - k;
        // What a step makes on the way is freed with it; a tape holds what it needs.
        try (var step = Scope.openUnwatched()) {
          S next = cell.step(z.get(t), state);
          Tensor y = cell.output(next);
          if (t >= full) {
            BinaryOperator<Tensor> choose = choose(valid.get(t));
            next = State.zip(next, state, choose);
            y = choose.apply(y, y.scalarLike(0));
          }
          state = State.map(next, step::keep);
          outputs.set(t, step.keep(y));
        }
      }
      Tensor y =
          steps == 0
              ? Tensor.zerosAs(x, Shape.of(0, x.dim(1), outputs()))
              : Tensor.stack(0, outputs);
      S last = State.map(state, whole::keep);
      return new Run(whole.keep(y), whole.keep(cell.output(last)), List.of(last));
    }
  }

  /** Rows of the first tensor where the mask {@code [N]} holds, of the second elsewhere. */
  private static BinaryOperator<Tensor> choose(Tensor valid) {
    return (a, b) -> {
      int[] dims = new int[a.rank()];
      Arrays.fill(dims, 1);
      dims[0] = a.dim(0);
      return Tensor.where(valid.reshape(dims), a, b);
    };
  }

  private String label() {
    return "recurrent " + cell.getClass().getSimpleName();
  }

  private void checkInput(Tensor x) {
    if (x.rank() != 3) {
      throw new TensorException(
          label()
              + ": the input must be [T,N,D] (steps, rows, features), got "
              + x.shape()
              + "; add an axis with unsqueeze, or transpose(0, 1) if rows come first");
    }
    if (x.dim(2) != cell.inputs()) {
      throw new TensorException(
          label()
              + ": the input "
              + x.shape()
              + " has "
              + x.dim(2)
              + " features, the cell reads "
              + cell.inputs()
              + "; make the cell for "
              + x.dim(2)
              + " inputs, or put a linear layer before it");
    }
  }

  private void checkState(List<? extends State> initial, S own, Tensor x) {
    if (initial.size() != 1 || initial.getFirst().getClass() != own.getClass()) {
      throw new TensorException(
          label()
              + ": one initial state of type "
              + own.getClass().getSimpleName()
              + " is wanted, got "
              + initial.stream().map(s -> s.getClass().getSimpleName()).toList()
              + "; pass on what run(..).states() gave, or none");
    }
    List<Tensor> wanted = own.tensors();
    List<Tensor> given = initial.getFirst().tensors();
    for (int i = 0; i < wanted.size(); i++) {
      Tensor w = wanted.get(i);
      Tensor g = given.get(i);
      if (!g.shape().equals(w.shape()) || g.dtype() != w.dtype()) {
        throw new TensorException(
            label()
                + ": "
                + own.getClass().getRecordComponents()[i].getName()
                + " of the initial state must be "
                + w.dtype()
                + " "
                + w.shape()
                + " for the input "
                + x.shape()
                + ", got "
                + g.dtype()
                + " "
                + g.shape()
                + "; start without a state where the rows of a batch are new");
      }
    }
  }

  /** The least of the lengths, or 0 if a device would have to be waited for; they are checked. */
  private int shortest(Tensor lengths, Tensor x) {
    if (lengths.dtype() != DType.I32 || !lengths.shape().equals(Shape.of(x.dim(1)))) {
      throw new TensorException(
          label()
              + ": lengths must be I32 ["
              + x.dim(1)
              + "], one per row of "
              + x.shape()
              + ", got "
              + lengths.dtype()
              + " "
              + lengths.shape());
    }
    if (lengths.device().backend().isAsynchronous()) {
      // To look something up is how to have indices checked there.
      var unused = Tensor.zerosAs(x, Shape.of(x.dim(0) + 1)).indexSelect(0, lengths);
      return 0;
    }
    int[] values = lengths.toIntArray();
    for (int n = 0; n < values.length; n++) {
      if (values[n] < 0 || values[n] > x.dim(0)) {
        throw new TensorException(
            label()
                + ": length "
                + values[n]
                + " of row "
                + n
                + " is not within the "
                + x.dim(0)
                + " steps of "
                + x.shape());
      }
    }
    return Arrays.stream(values).min().orElse(x.dim(0));
  }
}
