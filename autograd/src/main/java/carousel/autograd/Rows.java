package carousel.autograd;

import carousel.tensor.DType;
import carousel.tensor.Scope;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import carousel.tensor.TensorException;
import carousel.tensor.op.Indexing;
import carousel.tensor.op.Op;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A gradient of which only some rows are not zero: that of a table {@code [V,..]} from which fewer than
 * V rows were looked up.
 *
 * @param shape {@code [V,..]}
 * @param index I32 {@code [R]}, the rows, ascending, each once
 * @param values {@code [R,..]}, their gradients
 */
public record Rows(Shape shape, Tensor index, Tensor values) {
  /** Checks the shapes. */
  public Rows {
    if (index.dtype() != DType.I32
        || values.rank() != shape.rank()
        || !index.shape().equals(Shape.of(values.dim(0)))
        || !values.shape().without(0).equals(shape.without(0))) {
      throw new TensorException(
          "rows: index "
              + index.dtype()
              + " "
              + index.shape()
              + " and values "
              + values.shape()
              + " are no rows of "
              + shape);
    }
  }

  /**
   * From rows in any order, any number of times: equal ones are added in the order they come in, as a
   * dense gradient would be.
   *
   * @param shape {@code [V,..]}
   * @param indices I32 of any shape, each in [0, V)
   * @param values for each the shape of its index, followed by that of a row
   * @return the sums, in the innermost scope
   */
  static Rows summed(Shape shape, List<Tensor> indices, List<Tensor> values) {
    int[] all = indices.stream().flatMapToInt(i -> Arrays.stream(i.toIntArray())).toArray();
    int[] distinct = Arrays.stream(all).sorted().distinct().toArray();
    try (var scope = Scope.openUnwatched()) {
      Shape rows = shape.without(0).insert(0, distinct.length);
      Tensor sum = Tensor.zerosAs(values.getFirst(), rows);
      int done = 0;
      for (Tensor v : values) {
        int count = Math.toIntExact(v.size() / Math.max(1, shape.without(0).size()));
        int[] places = new int[count];
        for (int i = 0; i < count; i++) {
          places[i] = Arrays.binarySearch(distinct, all[done + i]);
        }
        done += count;
        Tensor flat = v.reshape(shape.without(0).insert(0, count));
        Tensor at = Tensor.of(Shape.of(count), places).to(v.device());
        sum = Op.apply(new Indexing.IndexAdd(0), sum, at, flat);
      }
      Tensor index = Tensor.of(Shape.of(distinct.length), distinct).to(sum.device());
      return new Rows(shape, scope.keep(index), scope.keep(sum));
    }
  }

  /**
   * All rows.
   *
   * @return {@code [V,..]}, 0 where there is no row
   */
  public Tensor dense() {
    return addedTo(Tensor.zerosAs(values, shape));
  }

  /** A tensor {@code [V,..]} plus these. */
  Tensor addedTo(Tensor base) {
    return Op.apply(new Indexing.IndexAdd(0), base, index, values);
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
