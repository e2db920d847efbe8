package carousel.tensor.op;

import carousel.tensor.Layout;
import carousel.tensor.Scope;
import carousel.tensor.Tensor;
import carousel.tensor.TensorException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Reads code that computes elementwise as a {@link Formula}: runs it on stand-ins, which have
 * a type and a shape but no memory, and notes the rows it applies.
 *
 * <p>Code that does anything else with a stand-in, such as summing it or reading its values, ends with a
 * {@link TensorException}; what it has computed of other tensors until then is done.
 */
public final class FormulaTrace implements Interpreter {
  private final Tensor like;
  private final @Nullable Tensor rows;
  private final Tensor gone;
  private final Map<Tensor, Integer> places = new HashMap<>();
  private final List<Formula.Value> values = new ArrayList<>();
  private final List<Double> constants = new ArrayList<>();
  private final List<Tensor> inputs = new ArrayList<>();
  private final List<Integer> results = new ArrayList<>();
  private final List<Tensor> targets = new ArrayList<>();

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
   * @param rows which rows of the latter, I32 {@code [R]}, dense, each once and in [0, V)
   */
  public FormulaTrace(Tensor like, @Nullable Tensor rows) {
    this.like = like;
    this.rows = rows;
    try (var scope = Scope.openUnwatched()) {
      gone = Tensor.empty("a stand-in of a formula", like.device(), like.dtype(), like.shape());
    }
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
    return note(new Formula.Input(inputs.size() - 1));
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

  /**
   * Returns what was noted.
   *
   * @return the formula with its operands
   */
  public Formula.Call call() {
    return new Formula.Call(new Formula(values, results), constants, inputs, targets, rows);
  }

  @Override
  public Tensor[] apply(Op op, Tensor... operands) {
    boolean known = false;
    for (Tensor x : operands) {
      known |= places.containsKey(x);
    }
    if (!known) {
      return EAGER.apply(op, operands);
    }
    if (op instanceof Composite composite) {
      return composite.body().apply(operands);
    }
    if (!closed(op)) {
      throw new TensorException(op.label() + " is not a row of one type, element by element");
    }
    List<Integer> of = new ArrayList<>(operands.length);
    for (Tensor x : operands) {
      of.add(place(x));
    }
    return new Tensor[] {note(new Formula.Apply(op, List.copyOf(of)))};
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

  private int place(Tensor x) {
    Integer place = places.get(x);
    if (place != null) {
      return place;
    }
    if (x.rank() != 0 || x.dtype() != like.dtype()) {
      throw new TensorException(
          "a formula of "
              + like.shape()
              + " takes its inputs and numbers, not "
              + x.dtype()
              + " "
              + x.shape());
    }
    constants.add(x.item());
    values.add(new Formula.Constant(constants.size() - 1));
    return values.size() - 1;
  }

  private Tensor note(Formula.Value value) {
    Tensor standIn = gone.over(Layout.contiguous(like.shape()));
    places.put(standIn, values.size());
    values.add(value);
    return standIn;
  }

  private boolean isTable(Tensor x) {
    return rows != null
        && x.rank() == like.rank()
        && x.shape().without(0).equals(like.shape().without(0));
  }

  private void requireFitting(Tensor x) {
    if (x.dtype() != like.dtype()
        || !(x.shape().equals(like.shape()) || isTable(x))
        || !x.layout().isContiguous()
        || x.device() != like.device()) {
      throw new TensorException(
          "a formula of dense "
              + like.dtype()
              + " "
              + like.shape()
              + " does not take "
              + x.dtype()
              + " "
              + x.shape());
    }
  }
}
