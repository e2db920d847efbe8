package carousel.autograd;

import carousel.tensor.DType;
import carousel.tensor.Tensor;
import carousel.tensor.TensorException;
import carousel.tensor.TensorScope;
import java.util.ArrayList;
import java.util.List;

/**
 * The sum of the gradients of several losses, e.g. of the parts of a batch that is too large for one: in memory for one set of
 * gradients, however many are added.
 *
 * <pre>{@code
 * var sum = new GradientSum(model.parameters());
 * for (Batch part : batches) {
 *   try (var scope = TensorScope.open()) {
 *     sum.add(Grad.of(() -> model.loss(part.x(), part.y()), model.parameters()));
 *   }
 * }
 * optimizer.step(sum.mean().clipNorm(1));
 * sum.clear();
 * }</pre>
 *
 * <p>Adding is no op: a sum is not differentiated again; {@link Gradients#plus} is. Not for several threads at once.
 */
public final class GradientSum {
  private final List<Leaf> leaves;
  private final List<Tensor> sums;

  /** F64: it lives as long as the sums, whatever the losses are. */
  private final Tensor value;

  private int parts;

  /**
   * A sum of nothing yet.
   *
   * @param leaves what the gradients are of; their sums belong to the innermost scope
   */
  public GradientSum(Iterable<? extends Leaf> leaves) {
    List<Leaf> all = new ArrayList<>();
    leaves.forEach(all::add);
    this.leaves = List.copyOf(all);
    this.sums = all.stream().map(leaf -> leaf.value().zerosLike()).toList();
    this.value = Tensor.zeros(DType.F64);
  }

  /**
   * Adds gradients, in place. They are not needed afterwards.
   *
   * @param more of the same leaves
   * @throws TensorException if a leaf is missing among theirs
   */
  public void add(Gradients more) {
    for (Leaf leaf : leaves) {
      var unused = more.unscaledRows(leaf); // what is missing is found before anything is added
    }
    try (var scope = TensorScope.openUnwatched()) {
      Tensor loss = more.value().detach().cast(DType.F64).to(value.device());
      value.assign(value.add(loss.reshape(value.shape())));
    }
    for (int i = 0; i < leaves.size(); i++) {
      try (var scope = TensorScope.openUnwatched()) {
        Tensor sum = sums.get(i);
        Rows rows = more.unscaledRows(leaves.get(i));
        sum.assign(
            rows == null
                ? sum.add(more.get(leaves.get(i)).detach())
                : rows.times(more.factor()).addedTo(sum));
      }
    }
    parts++;
  }

  /**
   * How many were added since the beginning or since {@link #clear}.
   *
   * @return the number of losses
   */
  public int parts() {
    return parts;
  }

  /**
   * The sums. They are what is added to: look at them, step with them or copy them before more is added.
   *
   * @return the sum of the losses, in F64, and of their gradients
   * @throws TensorException if nothing was added
   */
  public Gradients sum() {
    if (parts == 0) {
      throw new TensorException("sum: no gradients were added; add those of a loss first");
    }
    return Gradients.of(value, leaves, sums);
  }

  /**
   * The sums divided by how many there are: the gradients of the mean of the losses.
   *
   * @return the means
   * @throws TensorException if nothing was added
   */
  public Gradients mean() {
    Gradients sum = sum();
    return Gradients.of(sum.value().div(parts), leaves, sums).scale(1.0 / parts);
  }

  /** Begins again with zero. */
  public void clear() {
    for (Tensor sum : sums) {
      sum.fill(0);
    }
    value.fill(0);
    parts = 0;
  }

  /** How many parts there are, and of how many leaves. */
  @Override
  public String toString() {
    return "sum of " + parts + " gradients of " + leaves.size() + " leaves";
  }
}
