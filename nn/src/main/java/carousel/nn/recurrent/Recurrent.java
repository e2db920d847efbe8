package carousel.nn.recurrent;

import carousel.nn.Parameter;
import carousel.nn.check.Operands;
import carousel.tensor.Draws;
import carousel.tensor.Tensor;
import carousel.tensor.TensorException;
import carousel.tensor.TensorScope;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * Runs a {@link Cell} over time, the scan {@code s_t = cell(x_t, s_{t−1})}: {@code x [T,N,D] → y
 * [T,N,H]}.
 *
 * <p>In reverse direction the steps of a row are taken from its last to its first; of a ragged batch
 * only the valid prefix is reversed. Outputs stand at the step they belong to in both directions.
 * What x holds past a row's length, or at a step that is skipped, is not read, and its gradient is zero.
 *
 * <p>The cell's code computes all rows of all steps; what it computes where a row takes no step is dropped.
 * There it sees neither the padding nor zeros, but a step that it takes: the first of the row, input and state,
 * before a skipped step's successor the successor's, and in a row without steps the first of another row
 * (zeros, if no row has any). So a step or projection that is finite at what the rows hold has finite
 * gradients, whatever it would be at 0.
 *
 * @param cell one step
 * @param direction the order of the steps
 * @param start a learned initial state, one parameter per tensor of the cell's state, each of the
 *     shape of one row; empty for zeros
 * @param noise what is random about it in training
 * @param <S> what the cell carries from step to step
 */
public record Recurrent<S extends RecurrentState>(
    Cell<S> cell, Direction direction, List<Parameter> start, Noise noise) implements Sequence {

  /** The order in which the steps are taken. */
  public enum Direction {
    /** From the first step to the last. */
    FORWARD,
    /** From the last valid step to the first. */
    REVERSE
  }

  /** Copies the list and checks that the noise is one for the cell. */
  public Recurrent {
    Operands.present("recurrent", "cell", cell);
    Operands.present(label(cell), "direction", direction);
    Operands.present(label(cell), "start", start);
    Operands.present(label(cell), "noise", noise);
    start = List.copyOf(start);
    checkNoise(cell, noise);
  }

  /**
   * A scan without noise.
   *
   * @param cell one step
   * @param direction the order of the steps
   * @param start a learned initial state; empty for zeros
   */
  public Recurrent(Cell<S> cell, Direction direction, List<Parameter> start) {
    this(cell, direction, start, Noise.none());
  }

  /**
   * A forward scan from zeros.
   *
   * @param cell one step
   * @param <S> what it carries
   * @return the layer
   */
  public static <S extends RecurrentState> Recurrent<S> of(Cell<S> cell) {
    return new Recurrent<>(cell, Direction.FORWARD, List.of());
  }

  /**
   * A reverse scan from zeros.
   *
   * @param cell one step
   * @param <S> what it carries
   * @return the layer
   */
  public static <S extends RecurrentState> Recurrent<S> reverse(Cell<S> cell) {
    return new Recurrent<>(cell, Direction.REVERSE, List.of());
  }

  /**
   * This layer with an initial state that is learned, zeros at first and the same for every row.
   *
   * @return a layer that shares the cell
   */
  public Recurrent<S> withLearnedStart() {
    List<Parameter> rows = new ArrayList<>();
    try (var making = TensorScope.openUnwatched()) {
      for (Tensor zero : cell.zero(1).tensors()) {
        var row = Parameter.of(zero.select(0, 0));
        making.keep(row.value());
        rows.add(row);
      }
    }
    return new Recurrent<>(cell, direction, rows, noise);
  }

  /**
   * This layer with other noise.
   *
   * @param other what is random about it in training
   * @return a layer that shares the cell
   * @throws TensorException if the noise has rates for another number of tensors than the state has, or for
   *     the candidate of a cell that has none
   */
  public Recurrent<S> withNoise(Noise other) {
    return new Recurrent<>(cell, direction, start, other);
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
  public Run run(Tensor x, Marks marks, List<? extends RecurrentState> initial) {
    checkInput(x);
    S begin = ownStart(x.dim(1));
    if (!initial.isEmpty()) {
      checkState(initial, begin, x);
      begin = (S) initial.getFirst();
    }
    int shortest = marks.check(label(), x);
    boolean ragged = shortest < x.dim(0);
    // What is drawn and made for the run is not made by the step, which is traced in a scope of its
    // own.
    try (var scope = TensorScope.openUnwatched()) {
      Marks here = marks.on(x);
      Marks read = ragged ? here : new Marks(null, here.resets(), here.taken());
      return Scanner.kept(scope, scanner(x, read, begin, shortest).run());
    }
  }

  private Scanner<S> scanner(Tensor x, Marks marks, S begin, int shortest) {
    var masks = Masks.draw(noise, cell, x, begin);
    var filled =
        Filled.of(
            masks.inputs().apply(x), marks, isReverse(), begin.tensors(), () -> anew(x.dim(1)));
    var step = new LayerStep<>(cell, filled, marks.taken(), masks);
    return new Scanner<>(
        cell, step, isReverse(), filled.x(), begin, this::anew, marks.lengths(), shortest);
  }

  /**
   * Says what runs this layer on an input: the stages of its kernel, products with their sizes and rows of
   * the op table with their counts; or what the step does that no kernel can, and in which line. No random
   * number is used up.
   *
   * @param x {@code [T,N,D]}; its values do not matter
   * @return some lines
   */
  public String explain(Tensor x) {
    checkInput(x);
    try (var scope = TensorScope.openUnwatched()) {
      return Draws.aside(
          () -> scanner(x, Marks.none(), ownStart(x.dim(1)), x.dim(0)).explanation());
    }
  }

  private boolean isReverse() {
    return direction == Direction.REVERSE;
  }

  /**
   * Runs from a given state.
   *
   * @param x {@code [T,N,D]}
   * @param initial the state before the first step
   * @return the outputs and the final state
   */
  public Run run(Tensor x, S initial) {
    return run(x, Marks.none(), List.of(initial));
  }

  private S ownStart(int batch) {
    S zero = cell.zero(batch);
    CellShapes.checkZero(cell, batch, zero);
    if (start.isEmpty()) {
      return zero;
    }
    List<Tensor> rows = new ArrayList<>();
    List<Tensor> zeros = zero.tensors();
    if (start.size() != zeros.size()) {
      throw new TensorException(
          label() + ": " + start.size() + " learned tensors for a state of " + zeros.size());
    }
    for (int i = 0; i < zeros.size(); i++) {
      rows.add(start.get(i).value().expand(zeros.get(i).shape()));
    }
    return RecurrentState.with(zero, rows);
  }

  /** What rows start anew from: rows of zeros, or the learned tensors, which are the same for all rows. */
  private List<Tensor> anew(int batch) {
    return start.isEmpty()
        ? cell.zero(batch).tensors()
        : start.stream().map(Parameter::value).toList();
  }

  private String label() {
    return label(cell);
  }

  private static String label(Cell<?> cell) {
    return "recurrent " + cell.getClass().getSimpleName();
  }

  private static void checkNoise(Cell<?> cell, Noise noise) {
    checkRates(cell, "states", noise.states());
    checkRates(cell, "zoneout", noise.zoneout());
    if (noise.candidate() > 0 && !(cell instanceof CandidateCell)) {
      throw new TensorException(
          label(cell)
              + ": the cell has no candidate of which noise could drop; those that have one are "
              + String.join(", ", CandidateCell.names())
              + ", and any CandidateCell");
    }
  }

  private static void checkRates(Cell<?> cell, String what, List<Double> rates) {
    if (rates.size() < 2) {
      return;
    }
    try (var scope = TensorScope.openUnwatched()) {
      RecurrentState state = cell.zero(1);
      if (rates.size() != state.tensors().size()) {
        throw new TensorException(
            String.format(
                Locale.ROOT,
                "%s: noise has %d rates of %s for %s, a state of %d; give one for each tensor, or one for all",
                label(cell),
                rates.size(),
                what,
                state.getClass().getSimpleName(),
                state.tensors().size()));
      }
    }
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
          String.format(
              Locale.ROOT,
              "%s: the input %s has %d features, the cell reads %d; make the cell for %d inputs, or"
                  + " put a linear layer before it",
              label(),
              x.shape(),
              x.dim(2),
              cell.inputs(),
              x.dim(2)));
    }
    if (cell instanceof AffineCell<S> affine
        && AffineCells.isAffine(cell)
        && affine.wx().value().dtype() != x.dtype()) {
      throw new TensorException(
          String.format(
              Locale.ROOT,
              "%s: the input is %s %s, the cell's weights are %s; convert one with cast(DType.%s)",
              label(),
              x.dtype(),
              x.shape(),
              affine.wx().value().dtype(),
              affine.wx().value().dtype()));
    }
  }

  private void checkState(List<? extends RecurrentState> initial, S own, Tensor x) {
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
            String.format(
                Locale.ROOT,
                "%s: %s of the initial state must be %s %s for the input %s, got %s %s; start without a"
                    + " state where the rows of a batch are new",
                label(),
                own.getClass().getRecordComponents()[i].getName(),
                w.dtype(),
                w.shape(),
                x.shape(),
                g.dtype(),
                g.shape()));
      }
    }
  }
}
