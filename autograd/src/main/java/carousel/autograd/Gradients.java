package carousel.autograd;

import carousel.tensor.Tensor;
import carousel.tensor.TensorException;
import carousel.tensor.op.Interpreter;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * The value of a loss and its gradients, one per leaf and of the leaf's shape, in the leaves' order.
 * Immutable: clipping and adding give new gradients.
 */
public final class Gradients {
  /** PyTorch's guard against division by a norm of 0. */
  private static final double NORM_GUARD = 1e-6;

  private final Tensor value;
  private final List<Leaf> leaves;
  private final List<Gradient> unscaled;
  private final double factor;

  /** The gradients as tensors, with {@link #factor} multiplied in; each made when it is asked for. */
  private final @Nullable Tensor[] tensors;

  Gradients(Tensor value, List<Leaf> leaves, List<Gradient> gradients) {
    this(value, leaves, gradients, 1);
  }

  private Gradients(Tensor value, List<Leaf> leaves, List<Gradient> unscaled, double factor) {
    this.value = value;
    this.leaves = leaves;
    this.unscaled = unscaled;
    this.factor = factor;
    this.tensors = new Tensor[unscaled.size()];
  }

  /**
   * Returns the value of the loss.
   *
   * @return a scalar
   */
  public Tensor value() {
    return value;
  }

  /**
   * Returns what the gradients are of.
   *
   * @return the leaves, in order
   */
  public List<Leaf> leaves() {
    return leaves;
  }

  /**
   * The gradient of a leaf.
   *
   * @param leaf one of {@link #leaves()}, found by its tensor
   * @return its gradient
   * @throws TensorException if it was not asked for
   */
  public Tensor get(Leaf leaf) {
    return get(position(leaf));
  }

  private int position(Leaf leaf) {
    for (int i = 0; i < leaves.size(); i++) {
      if (leaves.get(i).value() == leaf.value()) {
        return i;
      }
    }
    throw new TensorException(
        "gradients: none was taken for '"
            + leaf.name()
            + "', only for "
            + leaves.stream().map(Leaf::name).toList());
  }

  /**
   * The gradient of the i-th leaf.
   *
   * @param i its place in the leaves' order
   * @return its gradient
   */
  public Tensor get(int i) {
    Tensor g = tensors[i];
    if (g == null || !g.storage().isOpen()) {
      Tensor dense = unscaled.get(i).dense();
      g = factor == 1 ? dense : dense.mul(factor);
      tensors[i] = g;
    }
    return g;
  }

  /**
   * What is still to be multiplied into {@link #unscaled}: clipping and scaling write no tensors until
   * {@link #get} asks for one, so that an optimiser can do it in the pass it makes anyway.
   *
   * @return the factor, 1 unless these were scaled
   */
  public double factor() {
    return factor;
  }

  /**
   * The gradient of a leaf without {@link #factor}.
   *
   * @param leaf one of {@link #leaves()}, found by its tensor
   * @return its gradient divided by the factor
   * @throws TensorException if it was not asked for
   */
  public Tensor unscaled(Leaf leaf) {
    int i = position(leaf);
    return factor == 1 ? get(i) : unscaled.get(i).dense();
  }

  /**
   * The gradient of a leaf, without {@link #factor}, as rows: of a table that the loss uses in fewer
   * lookups than it has rows, and in no other way.
   *
   * @param leaf one of {@link #leaves()}, found by its tensor
   * @return its rows, or null if the gradient is no such
   * @throws TensorException if it was not asked for
   */
  public @Nullable Rows unscaledRows(Leaf leaf) {
    return unscaled.get(position(leaf)).rows();
  }

  /**
   * Returns how many there are.
   *
   * @return the number of leaves
   */
  public int size() {
    return unscaled.size();
  }

  /**
   * The Euclidean norm of all gradients together, {@code √Σ‖g‖²}.
   *
   * @return the norm; NaN or ∞ if any element is
   */
  public double norm() {
    double sum = 0;
    for (Gradient g : unscaled) {
      double n = g.elements().norm().item();
      sum += n * n;
    }
    return Math.abs(factor) * Math.sqrt(sum);
  }

  /**
   * Clipped by global norm (Pascanu, Mikolov and Bengio 2013): scaled by {@code max / (norm + 1e-6)}
   * where that is below 1, as PyTorch does.
   *
   * @param max the largest norm let through
   * @return the clipped gradients; these if their norm is small enough
   */
  public Gradients clipNorm(double max) {
    if (!(max > 0)) {
      throw new TensorException("clipNorm: the largest norm must be above 0, got " + max);
    }
    double scale = max / (norm() + NORM_GUARD);
    return scale < 1 ? scale(scale) : this;
  }

  /**
   * Clipped elementwise to {@code [−limit, limit]}.
   *
   * @param limit the largest magnitude let through
   * @return the clipped gradients
   */
  public Gradients clipValue(double limit) {
    if (!(limit > 0)) {
      throw new TensorException("clipValue: the limit must be above 0, got " + limit);
    }
    return map(g -> g.clamp(-limit, limit));
  }

  /**
   * Multiplied by a number.
   *
   * @param factor the number
   * @return the scaled gradients
   */
  public Gradients scale(double factor) {
    return Interpreter.current() == Interpreter.EAGER
        ? new Gradients(value, leaves, unscaled, this.factor * factor)
        : map(g -> g.mul(factor));
  }

  /**
   * Added to the gradients of another loss of the same leaves: accumulation over parts of a batch.
   *
   * @param other the other gradients
   * @return the sums; the value is the sum of the values
   * @throws TensorException if the leaves differ
   */
  public Gradients plus(Gradients other) {
    if (other.size() != size()) {
      throw new TensorException("plus: gradients of " + size() + " leaves and of " + other.size());
    }
    List<Gradient> sums = new ArrayList<>();
    for (int i = 0; i < size(); i++) {
      if (leaves.get(i).value() != other.leaves.get(i).value()) {
        throw new TensorException(
            "plus: leaf "
                + i
                + " is '"
                + leaves.get(i).name()
                + "' here and '"
                + other.leaves.get(i).name()
                + "' there; take both gradients for the same leaves");
      }
      Rows rows = unscaled.get(i).rows();
      Rows more = other.unscaled.get(i).rows();
      sums.add(
          rows == null || more == null
              ? new Gradient.Whole(get(i).add(other.get(i)))
              : new Gradient.Sparse(rows.times(factor).plus(more.times(other.factor))));
    }
    return new Gradients(value.add(other.value), leaves, sums);
  }

  private Gradients map(UnaryOperator<Tensor> f) {
    return new Gradients(
        value,
        leaves,
        IntStream.range(0, size()).mapToObj(this::get).map(f).map(Gradients::whole).toList());
  }

  private static Gradient whole(Tensor dense) {
    return new Gradient.Whole(dense);
  }
}
