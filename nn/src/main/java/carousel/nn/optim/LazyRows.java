package carousel.nn.optim;

import carousel.nn.check.Operands;
import carousel.tensor.Tensor;
import carousel.tensor.TensorException;
import java.util.List;

/**
 * A rule that a row of a table knows only when it has a gradient: a step changes the rows of which some gradient is not
 * 0, and what the rule remembers of them, and leaves all others alone, as if they had not been there. For embeddings,
 * of which a batch looks up a few rows:
 *
 * <pre>{@code
 * Optimizer tables = new LazyRows(Adam.rule()).over(model.embed().parameters(), 1e-3);
 * }</pre>
 *
 * <p>{@link Adam} alone moves every row at every step, by what it remembers; lazily a word that is rare keeps its
 * averages until it comes again, and a step costs what the batch has of rows. The number of the step, by which averages
 * are corrected, is that of all steps. That is PyTorch's {@code SparseAdam}, except for rows that were looked up and
 * whose gradient is 0 all the same: there they move.
 *
 * <p>Rows are along the first axis; a scalar has none and is always changed. {@link Sgd} without momentum and {@link
 * AdaGrad} leave such rows alone by themselves, to the bit, and so cost as little without this.
 *
 * <p>What is remembered is what the rule remembers, by the same names: a checkpoint of a training with the rule alone goes
 * on lazily, and the other way round, from the same averages.
 *
 * @param rule what happens to rows that have a gradient
 */
public record LazyRows(Rule rule) implements Rule {
  /**
   * Checks the rule.
   *
   * @throws TensorException if it is one of these itself
   */
  public LazyRows {
    Operands.present("lazyRows", "rule", rule);
    if (rule instanceof LazyRows) {
      throw new TensorException(
          "lazyRows: the rule leaves out rows without a gradient already: " + rule);
    }
  }

  @Override
  public List<Slot> slots() {
    return rule.slots();
  }

  @Override
  public boolean skipsRowsWithoutGradient() {
    return true;
  }

  @Override
  public Tensor update(Tensor parameter, Tensor gradient, Memory memory) {
    return rule.update(parameter, gradient, memory);
  }
}
