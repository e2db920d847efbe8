package carousel.tensor;

import carousel.tensor.op.Op;
import carousel.tensor.op.Views;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;

/**
 * Parts of a tensor: views of some positions of an axis. Axes may be negative, counting from the last.
 */
public sealed interface Cutting permits Tensor {
  private Tensor self() {
    return (Tensor) this;
  }

  /**
   * Consecutive positions of an axis.
   *
   * @param axis the axis
   * @param start the first position, ≥ 0
   * @param length how many
   * @return the view
   * @throws TensorException if they do not lie within the axis
   */
  default Tensor narrow(int axis, int start, int length) {
    Tensor x = self();
    int a = x.shape().axis("narrow", axis);
    int n = x.dim(a);
    if (start < 0 || length < 0 || start > n - length) {
      throw new TensorException(
          String.format(
              Locale.ROOT,
              "narrow: positions %d to %s of axis %d do not lie within %s",
              start,
              start + (long) length,
              axis,
              x.shape()));
    }
    return Op.apply(new Views.Slice(a, start, 1, length), x);
  }

  /**
   * Every step-th position of an axis, as Python's {@code start:stop:step}: negative bounds count
   * from the end, bounds beyond it are cut.
   *
   * @param axis the axis
   * @param start the first position
   * @param stop the position before which to stop
   * @param step the distance, ≥ 1; {@link Tensor#flip} walks backwards
   * @return the view
   */
  default Tensor slice(int axis, int start, int stop, int step) {
    if (step < 1) {
      throw new TensorException(
          "slice: step must be at least 1, got " + step + "; use flip to walk backwards");
    }
    Tensor x = self();
    int a = x.shape().axis("slice", axis);
    int n = x.dim(a);
    int from = Math.clamp(start < 0 ? start + n : start, 0, n);
    int to = Math.clamp(stop < 0 ? stop + n : stop, from, n);
    int count = Math.ceilDiv(to - from, step);
    return Op.apply(new Views.Slice(a, from, step, count), x);
  }

  /**
   * One position of an axis, which disappears.
   *
   * @param axis the axis
   * @param index the position; negative counts from the end
   * @return a view of rank − 1
   * @throws TensorException if there is no such position
   */
  default Tensor select(int axis, int index) {
    Tensor x = self();
    int a = x.shape().axis("select", axis);
    int n = x.dim(a);
    int i = index < 0 ? index + n : index;
    if (i < 0 || i >= n) {
      throw new TensorException(
          "select: index " + index + " is out of range for axis " + axis + " of " + x.shape());
    }
    return Op.apply(new Views.Select(a, i), x);
  }

  /**
   * An axis cut into pieces of equal size; the last may be smaller.
   *
   * @param pieces how many at most
   * @param axis the axis
   * @return the views
   */
  default List<Tensor> chunk(int pieces, int axis) {
    if (pieces < 1) {
      throw new TensorException("chunk: wants at least 1 piece, got " + pieces);
    }
    int n = self().dim(self().shape().axis("chunk", axis));
    // An empty axis has as many pieces, too, so that code that takes them apart works.
    return n == 0
        ? split(Collections.nCopies(pieces, 0), axis)
        : split(Math.ceilDiv(n, pieces), axis);
  }

  /**
   * An axis cut into pieces of a given size; the last may be smaller.
   *
   * @param size the size of a piece, ≥ 1
   * @param axis the axis
   * @return the views
   */
  default List<Tensor> split(int size, int axis) {
    if (size < 1) {
      throw new TensorException("split: the size must be at least 1, got " + size);
    }
    int n = self().dim(self().shape().axis("split", axis));
    List<Integer> sizes = new ArrayList<>();
    for (int rest = n; rest > 0; rest -= size) {
      sizes.add(Math.min(size, rest));
    }
    return split(sizes.isEmpty() ? List.of(0) : sizes, axis);
  }

  /**
   * An axis cut into pieces of given sizes.
   *
   * @param sizes the sizes, which must sum to the axis
   * @param axis the axis
   * @return the views
   * @throws TensorException if they do not
   */
  default List<Tensor> split(List<Integer> sizes, int axis) {
    Tensor x = self();
    long total = sizes.stream().mapToLong(Integer::longValue).sum();
    int a = x.shape().axis("split", axis);
    if (total != x.dim(a) || sizes.isEmpty() || sizes.stream().anyMatch(s -> s < 0)) {
      throw new TensorException(
          "split: sizes " + sizes + " do not sum to axis " + axis + " of " + x.shape());
    }
    return List.of(Op.applyAll(new Views.Split(a, List.copyOf(sizes)), x));
  }

  /**
   * All positions of an axis, each a view without it.
   *
   * @param axis the axis
   * @return as many views as the axis is long
   */
  default List<Tensor> unbind(int axis) {
    return List.of(Op.applyAll(new Views.Unbind(self().shape().axis("unbind", axis)), self()));
  }
}
