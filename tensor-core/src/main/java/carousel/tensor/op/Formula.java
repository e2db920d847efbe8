package carousel.tensor.op;

import carousel.tensor.Engine;
import carousel.tensor.Tensor;
import carousel.tensor.TensorException;
import carousel.tensor.trace.FormulaTrace;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * A straight line of elementwise rows: from dense inputs of one type and shape, and numbers,
 * to results of that type and shape, element by element. What {@link FormulaTrace} makes of code and
 * a backend makes one loop of.
 *
 * @param values what is computed, each of those before it
 * @param results the positions of the results among the values
 */
public record Formula(List<Expression> values, List<Integer> results) {
  /** A value of the formula. */
  public sealed interface Expression {}

  /**
   * An element of an input.
   *
   * @param index which input
   */
  public record Input(int index) implements Expression {}

  /**
   * A number that is the same for all elements; not part of the formula, so that one loop serves
   * every learning rate.
   *
   * @param index which number
   */
  public record Constant(int index) implements Expression {}

  /**
   * A row of other values.
   *
   * @param row a {@link Unary}, {@link Binary} or {@link Ternary}
   * @param operands the positions of its operands among the values
   */
  public record Apply(Op row, List<Integer> operands) implements Expression {}

  /** Holds what it is given. */
  public Formula {
    values = List.copyOf(values);
    results = List.copyOf(results);
  }

  /** What stands for a {@link Constant} in a call. */
  public sealed interface Scalar {
    /** {@return the number; waits for the device if that computes it} */
    double value();
  }

  /**
   * A number of the host's.
   *
   * @param value the number
   */
  public record Known(double value) implements Scalar {}

  /**
   * A number on a device, read when the formula runs, so that nothing waits for what computes it.
   *
   * @param tensor a scalar of the formula's type
   */
  public record Held(Tensor tensor) implements Scalar {
    @Override
    public double value() {
      return tensor.item();
    }
  }

  /**
   * A formula, what it reads and what it writes.
   *
   * @param formula the formula
   * @param constants its numbers
   * @param inputs its inputs, dense, of one type and shape
   * @param targets where its results go, dense, of that type and shape; an input may be among them, and
   *     is read before it is written
   * @param rows if it is about R rows of larger tensors: which, I32 {@code [R]}, each once, or −1 for none. Inputs and
   *     targets may then be {@code [R,..]} or {@code [V,..]} with V other than R, of which only these
   *     rows are read and written
   */
  public record Call(
      Formula formula,
      List<Scalar> constants,
      List<Tensor> inputs,
      List<Tensor> targets,
      @Nullable Tensor rows) {
    /** Checks the operands. */
    public Call {
      constants = List.copyOf(constants);
      inputs = List.copyOf(inputs);
      targets = List.copyOf(targets);
      Tensor first = targets.getFirst();
      for (Tensor x : inputs) {
        requireFitting(x, first, rows);
      }
      for (Tensor x : targets) {
        requireFitting(x, first, rows);
      }
    }

    private static void requireFitting(Tensor x, Tensor first, @Nullable Tensor rows) {
      boolean alike =
          rows == null
              ? x.shape().equals(first.shape())
              : x.rank() > 0 && x.shape().without(0).equals(first.shape().without(0));
      if (!alike || x.dtype() != first.dtype() || !Engine.layout(x).isContiguous()) {
        throw new TensorException(
            String.format(
                Locale.ROOT,
                "a formula that writes dense %s %s takes no %s %s",
                first.dtype(),
                first.shape(),
                x.dtype(),
                x.shape()));
      }
    }
  }
}
