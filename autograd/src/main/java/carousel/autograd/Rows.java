package carousel.autograd;

import carousel.tensor.DType;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import carousel.tensor.TensorException;
import carousel.tensor.TensorScope;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * A gradient of which only some rows are not zero: that of a table {@code [V,..]} from which fewer than
 * V rows were looked up.
 *
 * @param shape {@code [V,..]}
 * @param index I32 {@code [R]}, which rows, each once, or −1 for none
 * @param values {@code [R,..]}, their gradients; 0 where there is no row
 */
public record Rows(Shape shape, Tensor index, Tensor values) {
  private static final int NONE = -1;

  /** Checks the shapes. */
  public Rows {
    if (index.dtype() != DType.I32
        || values.rank() != shape.rank()
        || !index.shape().equals(Shape.of(values.dim(0)))
        || !values.shape().without(0).equals(shape.without(0))) {
      throw new TensorException(
          String.format(
              Locale.ROOT,
              "rows: index %s %s and values %s are no rows of %s",
              index.dtype(),
              index.shape(),
              values.shape(),
              shape));
    }
  }

  /**
   * From rows in any order, any number of times: equal ones are added in the order they come in, as a
   * dense gradient would be. How many rows there are is known to the device alone, so nothing waits for
   * it: there is room for as many as were given.
   *
   * @param shape {@code [V,..]}
   * @param indices I32 of any shape, each in [−1, V)
   * @param values for each the shape of its index, followed by that of a row
   * @return the sums, in the innermost scope
   */
  static Rows summed(Shape shape, List<Tensor> indices, List<Tensor> values) {
    try (var scope = TensorScope.openUnwatched()) {
      Tensor all = joined(Shape.SCALAR, indices);
      Tensor rows = joined(shape.without(0), values);
      var sorted = all.sort(0, false);
      Tensor starts = starts(sorted.values());
      Tensor places = starts.cumsum(0).sub(1);
      Tensor place = places.zerosLike().scatterAdd(sorted.indices(), places, 0);
      Tensor known = sorted.values().add(1).mul(starts);
      Tensor index = all.fullLike(all.shape(), NONE).indexAdd(places, known, 0);
      Tensor sum = rows.zerosLike().indexAdd(place, rows, 0);
      return new Rows(shape, scope.keep(index), scope.keep(sum));
    }
  }

  /** All of them one after the other, as {@code [n]} followed by a shape. */
  private static Tensor joined(Shape each, List<Tensor> tensors) {
    List<Tensor> flat =
        tensors.stream().map(x -> x.reshape(each.insert(0, count(x, each)))).toList();
    return flat.size() == 1 ? flat.getFirst() : Tensor.concat(flat, 0);
  }

  private static int count(Tensor x, Shape each) {
    return Math.toIntExact(x.size() / Math.max(1, each.size()));
  }

  /** 1 where a sorted index differs from the one before, and for the first. */
  private static Tensor starts(Tensor sorted) {
    int n = sorted.dim(0);
    if (n < 2) {
      return sorted.onesLike();
    }
    Tensor differs = sorted.slice(0, 1, n, 1).ne(sorted.slice(0, 0, n - 1, 1)).cast(DType.I32);
    return Tensor.concat(List.of(sorted.fullLike(Shape.of(1), 1), differs), 0);
  }

  /**
   * All rows.
   *
   * @return {@code [V,..]}, 0 where there is no row
   */
  public Tensor dense() {
    return addedTo(values.zerosLike(shape));
  }

  /** A tensor {@code [V,..]} plus these; to row 0 those are added, too, that are none, and 0. */
  Tensor addedTo(Tensor base) {
    return base.indexAdd(index.maximum(0), values, 0);
  }

  /** Whether these and others together have room for fewer rows than the table has. */
  boolean isWorth(Rows more) {
    return index.size() + more.index.size() < shape.dim(0);
  }

  /** The sum of two gradients of one table. */
  Rows plus(Rows other) {
    return summed(shape, List.of(index, other.index), List.of(values, other.values));
  }

  /** Times a scalar of any floating type; null: as they are. */
  Rows times(@Nullable Tensor factor) {
    return factor == null
        ? this
        : new Rows(shape, index, values.mul(factor.cast(values.dtype()).to(values.device())));
  }
}
