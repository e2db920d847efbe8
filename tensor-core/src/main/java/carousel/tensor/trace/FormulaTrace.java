package carousel.tensor.trace;

import carousel.tensor.Engine;
import carousel.tensor.Layout;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import carousel.tensor.TensorException;
import carousel.tensor.TensorScope;
import carousel.tensor.op.Binary;
import carousel.tensor.op.Composite;
import carousel.tensor.op.CustomOp;
import carousel.tensor.op.Formula;
import carousel.tensor.op.Interpreter;
import carousel.tensor.op.Op;
import carousel.tensor.op.Ternary;
import carousel.tensor.op.Unary;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Reads code that computes elementwise as a {@link Formula}: runs it on stand-ins, which have
 * a type and a shape but no memory, and notes the rows it applies.
 *
 * <p>Code that does anything else with a stand-in, such as summing it or reading its values, ends with a
 * {@link TensorException}; what it has computed of other tensors until then is done.
 *
 * <p>A trace can read the same code {@linkplain #again again}, on other numbers. It notes all that the
 * code does, every time; while that is what it did the last time, nothing new is made.
 */
public final class FormulaTrace implements Interpreter {
  private final Tensor like;
  private final @Nullable Tensor rows;
  private final Tensor gone;
  private final Map<Tensor, Integer> places = new HashMap<>();
  private final List<Formula.Expression> values = new ArrayList<>();
  private final List<@Nullable Tensor> standIns = new ArrayList<>();
  private final List<Formula.Scalar> constants = new ArrayList<>();
  private final List<Tensor> inputs = new ArrayList<>();
  private final List<Integer> results = new ArrayList<>();
  private final List<Tensor> targets = new ArrayList<>();
  private @Nullable Formula formula;

  /** How many of the values the code computed this time; the others are from the last time. */
  private int count;

  /**
   * A trace of code on tensors like a given one.
   *
   * @param like of the type and shape of all inputs and results
   */
  public FormulaTrace(Tensor like) {
    this(like, null);
  }

  /**
   * A trace of code on some rows of tables.
   *
   * @param like {@code [R,..]}, of the type of all inputs and results, which are {@code [R,..]} or
   *     {@code [V,..]}
   * @param rows which rows of the latter, I32 {@code [R]}, dense, each once and in [0, V), or −1 for none
   */
  public FormulaTrace(Tensor like, @Nullable Tensor rows) {
    this.like = like;
    this.rows = rows;
    try (var scope = TensorScope.openUnwatched()) {
      gone = Engine.empty("a stand-in of a formula", like.device(), like.dtype(), like.shape());
    }
  }

  /**
   * Starts over, with no inputs and no results. Stand-ins of the last time are not to be used any more.
   */
  public void again() {
    count = 0;
    constants.clear();
    inputs.clear();
    results.clear();
    targets.clear();
  }

  /**
   * Tells whether this trace may read code on tensors like another one, too.
   *
   * @param other a tensor
   * @return whether its type, shape and device are those of this trace, which is not of rows
   */
  public boolean fits(Tensor other) {
    return rows == null
        && other.dtype() == like.dtype()
        && other.device() == like.device()
        && other.shape().equals(like.shape());
  }

  /**
   * Makes a tensor an input.
   *
   * @param x dense, of the trace's type and shape
   * @return what stands for it in the code
   */
  public Tensor input(Tensor x) {
    requireFitting(x);
    inputs.add(x);
    return noteInput(inputs.size() - 1);
  }

  /**
   * Makes a value a result.
   *
   * @param target where it goes, dense, of the trace's type and shape
   * @param value what the code computed, or a number
   */
  public void result(Tensor target, Tensor value) {
    requireFitting(target);
    results.add(place(value));
    targets.add(target);
  }

  /** {@return what was noted: the formula with its operands} */
  public Formula.Call call() {
    forget(count);
    Formula noted = formula;
    if (noted == null || !noted.results().equals(results)) {
      noted = new Formula(values, results);
      formula = noted;
    }
    return new Formula.Call(noted, constants, inputs, targets, rows);
  }

  @Override
  public Tensor[] apply(Op op, Tensor... operands) {
    boolean known = false;
    for (Tensor x : operands) {
      known |= placeOf(x) >= 0;
    }
    if (!known) {
      return EAGER.apply(op, operands);
    }
    if (op instanceof Composite composite) {
      return composite.body().apply(operands);
    }
    if (op instanceof CustomOp own) {
      return own.forward(operands);
    }
    if (!closed(op)) {
      throw new TensorException(op.label() + " is not a row of one type, element by element");
    }
    int[] of = new int[operands.length];
    for (int i = 0; i < of.length; i++) {
      of[i] = place(operands[i]);
    }
    return new Tensor[] {noteApply(op, of)};
  }

  /** A formula has no gradient. */
  @Override
  public Interpreter unrecorded() {
    return this;
  }

  /** Beside a stand-in, a number stays one: no device computes with it before the formula does. */
  @Override
  public Tensor number(Tensor like, double value) {
    if (placeOf(like) < 0) {
      return EAGER.number(like, value);
    }
    constants.add(new Formula.Known(value));
    var constant = new Formula.Constant(constants.size() - 1);
    Tensor known = constant.equals(last()) ? standIns.get(count) : null;
    if (known != null) {
      count++;
      return known;
    }
    return note(constant, Shape.SCALAR);
  }

  /** Whether a row takes the trace's type and gives it. */
  private boolean closed(Op op) {
    return switch (op) {
      case Unary row ->
          row.domain().accepts(like.dtype()) && row.result(like.dtype()) == like.dtype();
      case Binary row ->
          row.domain().accepts(like.dtype()) && row.result(like.dtype()) == like.dtype();
      case Ternary row -> row != Ternary.WHERE && row.domain().accepts(like.dtype());
      default -> false;
    };
  }

  /** The position of what a tensor stands for, negative if it stands for nothing. */
  private int placeOf(Tensor x) {
    Integer place = places.get(x);
    return place == null || place >= count ? -1 : place;
  }

  private int place(Tensor x) {
    int place = placeOf(x);
    if (place >= 0) {
      return place;
    }
    if (x.rank() != 0 || x.dtype() != like.dtype() || x.device() != like.device()) {
      throw new TensorException(
          "a formula of "
              + like.shape()
              + " takes its inputs and numbers, not "
              + x.dtype()
              + " "
              + x.shape());
    }
    constants.add(new Formula.Held(x));
    var constant = new Formula.Constant(constants.size() - 1);
    if (!constant.equals(last()) || standIns.get(count) != null) {
      forget(count);
      formula = null;
      values.add(constant);
      standIns.add(null);
    }
    return count++;
  }

  private Tensor noteInput(int index) {
    if (last() instanceof Formula.Input(int known) && known == index) {
      return Objects.requireNonNull(standIns.get(count++));
    }
    return note(new Formula.Input(index), like.shape());
  }

  private Tensor noteApply(Op op, int[] of) {
    if (last() instanceof Formula.Apply apply && apply.row() == op && same(apply.operands(), of)) {
      return Objects.requireNonNull(standIns.get(count++));
    }
    return note(new Formula.Apply(op, Arrays.stream(of).boxed().toList()), like.shape());
  }

  /** What was noted in the place of the next value, the last time; null if nothing was. */
  private Formula.@Nullable Expression last() {
    return count < values.size() ? values.get(count) : null;
  }

  private static boolean same(List<Integer> operands, int[] of) {
    boolean same = operands.size() == of.length;
    for (int i = 0; same && i < of.length; i++) {
      same = operands.get(i) == of[i];
    }
    return same;
  }

  private Tensor note(Formula.Expression value, Shape shape) {
    forget(count);
    Tensor standIn = Engine.over(gone, Layout.contiguous(shape));
    places.put(standIn, count++);
    formula = null;
    values.add(value);
    standIns.add(standIn);
    return standIn;
  }

  /** Drops what was noted from a position on: the code does something else now. */
  private void forget(int from) {
    while (values.size() > from) {
      formula = null;
      values.removeLast();
      places.remove(standIns.removeLast());
    }
  }

  private boolean isTable(Tensor x) {
    return rows != null
        && x.rank() == like.rank()
        && x.shape().without(0).equals(like.shape().without(0));
  }

  private void requireFitting(Tensor x) {
    if (x.dtype() != like.dtype()
        || !(x.shape().equals(like.shape()) || isTable(x))
        || !Engine.layout(x).isContiguous()
        || x.device() != like.device()) {
      throw new TensorException(
          String.format(
              Locale.ROOT,
              "a formula of dense %s %s does not take %s %s",
              like.dtype(),
              like.shape(),
              x.dtype(),
              x.shape()));
    }
  }
}
