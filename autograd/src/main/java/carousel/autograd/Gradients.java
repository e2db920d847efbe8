package carousel.autograd;

import carousel.tensor.DType;
import carousel.tensor.Device;
import carousel.tensor.Engine;
import carousel.tensor.Tensor;
import carousel.tensor.TensorException;
import carousel.tensor.TensorScope;
import carousel.tensor.op.Interpreter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
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

  /** F64, one number, still to be multiplied into {@link #unscaled}; null: none is. */
  private final @Nullable Tensor factor;

  /** The gradients as tensors, with the factor multiplied in; each made when it is asked for. */
  private final @Nullable Tensor[] tensors;

  Gradients(Tensor value, List<Leaf> leaves, List<Gradient> gradients) {
    this(value, leaves, gradients, null);
  }

  private Gradients(
      Tensor value, List<Leaf> leaves, List<Gradient> unscaled, @Nullable Tensor factor) {
    this.value = value;
    this.leaves = leaves;
    this.unscaled = unscaled;
    this.factor = factor;
    this.tensors = new Tensor[unscaled.size()];
  }

  /**
   * Gradients that were found in another way, or worked on: what clips, adds and steps takes them like any others.
   *
   * @param value the loss they belong to
   * @param leaves what they are gradients of
   * @param tensors one for each leaf, of its type and shape
   * @return the gradients
   * @throws TensorException if there are more or fewer than leaves, or one is not as its leaf
   */
  public static Gradients of(Tensor value, Iterable<? extends Leaf> leaves, List<Tensor> tensors) {
    List<Leaf> of = new ArrayList<>();
    leaves.forEach(of::add);
    if (of.size() != tensors.size()) {
      throw new TensorException(
          "gradients: " + of.size() + " leaves and " + tensors.size() + " tensors");
    }
    for (int i = 0; i < of.size(); i++) {
      requireLike(of.get(i), tensors.get(i));
    }
    return new Gradients(value, List.copyOf(of), tensors.stream().map(Gradients::whole).toList());
  }

  private static void requireLike(Leaf leaf, Tensor g) {
    Tensor of = leaf.value();
    if (g.dtype() != of.dtype() || !g.shape().equals(of.shape()) || g.device() != of.device()) {
      throw new TensorException(
          String.format(
              Locale.ROOT,
              "gradients: that of '%s' must be %s %s on %s as the leaf is, got %s %s on %s",
              leaf.name(),
              of.dtype(),
              of.shape(),
              of.device(),
              g.dtype(),
              g.shape(),
              g.device()));
    }
  }

  /** {@return the value of the loss, a scalar} */
  public Tensor value() {
    return value;
  }

  /** {@return the leaves that these are gradients of, in order} */
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
    if (g == null || !Engine.storage(g).isOpen()) {
      Tensor dense = unscaled.get(i).dense();
      g = times(dense, factor);
      tensors[i] = g;
    }
    return g;
  }

  private static Tensor times(Tensor g, @Nullable Tensor factor) {
    return factor == null ? g : g.mul(factor.cast(g.dtype()).to(g.device()));
  }

  /**
   * What is still to be multiplied into {@link #unscaled}: clipping and scaling write no tensors until
   * {@link #get} asks for one, so that an optimiser can do it in the pass it makes anyway.
   *
   * @return the factor, an F64 scalar on the device of the gradients; null if these were not scaled
   */
  public @Nullable Tensor factor() {
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
    return factor == null ? get(i) : unscaled.get(i).dense();
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

  /** {@return the number of leaves} */
  public int size() {
    return unscaled.size();
  }

  /**
   * The Euclidean norm of all gradients together, {@code √Σ‖g‖²}. Reading it waits for the device.
   *
   * @return the norm; NaN or ∞ if any element is
   */
  public double norm() {
    try (var scope = TensorScope.openUnwatched()) {
      return globalNorm().item();
    }
  }

  /** The loss, and of every gradient the leaf, the type, the shape and the norm. */
  @Override
  public String toString() {
    var text = new StringBuilder("gradients of " + value);
    for (int i = 0; i < leaves.size(); i++) {
      Tensor of = leaves.get(i).value();
      text.append("\n  ").append(leaves.get(i).name()).append("  ");
      text.append(of.dtype()).append(' ').append(of.shape()).append("  ");
      text.append(isOpen(i) ? "norm " + norm(i) : "(closed)");
    }
    return text.toString();
  }

  private boolean isOpen(int i) {
    return Engine.storage(unscaled.get(i).elements()).isOpen()
        && (factor == null || Engine.storage(factor).isOpen());
  }

  private String norm(int i) {
    try (var scope = TensorScope.openUnwatched()) {
      Tensor norm = unscaled.get(i).elements().norm().cast(DType.F64);
      double scale = factor == null ? 1 : Math.abs(factor.item());
      return String.format(Locale.ROOT, "%.4g", norm.item() * scale);
    }
  }

  /** The norm of the norms, an F64 scalar. */
  private Tensor globalNorm() {
    if (unscaled.isEmpty()) {
      return scalar(0);
    }
    // In F64: of gradients that F32 holds, their norm may be greater than any number of it.
    List<Tensor> norms = unscaled.stream().map(g -> g.elements().wideNorm().to(device())).toList();
    Tensor norm = Tensor.stack(norms, 0).norm();
    return factor == null ? norm : norm.mul(factor.abs());
  }

  /** Where factors and norms are computed: with the gradients. */
  private Device device() {
    return unscaled.isEmpty() ? value.device() : unscaled.getFirst().elements().device();
  }

  private Tensor scalar(double number) {
    return Tensor.full(DType.F64, number).to(device());
  }

  /**
   * Clipped by global norm (Pascanu, Mikolov and Bengio 2013): scaled by {@code max / (norm + 1e-6)}
   * where that is below 1, as PyTorch does. The factor is computed where the gradients are, so that
   * nothing waits for a device; differentiated again, it counts as a constant.
   *
   * <p>A norm that is NaN makes all gradients NaN; one that is ∞ makes the finite ones 0 and the others
   * NaN. Look at {@link #norm} before, where that is to be noticed.
   *
   * @param max the largest norm let through
   * @return the clipped gradients
   */
  public Gradients clipNorm(double max) {
    if (!(max > 0)) {
      throw new TensorException("clipNorm: the largest norm must be above 0, got " + max);
    }
    return scaled(clipping(max));
  }

  /** {@code min(1, max / (norm + 1e-6))}. */
  private Tensor clipping(double max) {
    try (var scope = TensorScope.openUnwatched()) {
      Tensor norm = globalNorm().add(NORM_GUARD);
      return scope.keep(norm.scalarLike(max).div(norm).minimum(1).detach());
    }
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
    return scaled(scalar(factor));
  }

  private Gradients scaled(Tensor by) {
    return Interpreter.current() == Interpreter.EAGER
        ? new Gradients(value, leaves, unscaled, factor == null ? by : factor.mul(by))
        : map(g -> times(g, by));
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
          rows == null || more == null || !rows.isWorth(more)
              ? new Gradient.Whole(get(i).add(other.get(i)))
              : new Gradient.Sparse(rows.times(factor).plus(more.times(other.factor))));
    }
    return new Gradients(value.add(other.value), leaves, sums);
  }

  /**
   * Each gradient through a function: noise added, rounded to another precision and back, normed by layer.
   *
   * @param f from a gradient to one of its type and shape
   * @return the new gradients, of the same leaves and loss
   * @throws TensorException if a result is not as its leaf
   */
  public Gradients map(UnaryOperator<Tensor> f) {
    return of(value, leaves, IntStream.range(0, size()).mapToObj(this::get).map(f).toList());
  }

  /**
   * Hands the memory of these, value included, to a scope further out, so that they outlive the scope in which the loss was
   * computed. {@code scope.keep} does the same for one tensor.
   *
   * @param outer the scope that shall own them
   * @return these
   * @throws TensorException if it is another thread's; {@link #copy} hands gradients to another thread
   */
  public Gradients adoptedBy(TensorScope outer) {
    outer.adopt(value);
    for (Gradient g : unscaled) {
      g.adoptedBy(outer);
    }
    if (factor != null) {
      outer.adopt(factor);
    }
    for (Tensor g : tensors) {
      if (g != null && Engine.storage(g).isOpen()) {
        outer.adopt(g);
      }
    }
    return this;
  }

  /**
   * The same in memory of its own, in the innermost scope: made inside {@link carousel.tensor.SharedScope#make}, for other threads.
   *
   * @return a copy, without what scaling left to do
   */
  public Gradients copy() {
    return of(
        value.detach().copy(),
        leaves,
        IntStream.range(0, size()).mapToObj(i -> get(i).detach().copy()).toList());
  }

  /** These, with another value. */
  Gradients ofLoss(Tensor loss) {
    return new Gradients(loss, leaves, unscaled, factor);
  }

  private static Gradient whole(Tensor dense) {
    return new Gradient.Whole(dense);
  }
}
