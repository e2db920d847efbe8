package carousel.nn.optim;

import carousel.autograd.Rows;
import carousel.tensor.DType;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import java.util.Arrays;

/** Which rows of a gradient are not 0. */
final class TouchedRows {
  private static final int NONE = -1;

  private TouchedRows() {}

  /** Those rows of a table's gradient that are not 0; for the others there is none. */
  static Rows of(Rows rows) {
    Tensor some = some(rows.values());
    return new Rows(
        rows.shape(),
        Tensor.where(some, rows.index(), rows.index().scalarLike(NONE)),
        rows.values());
  }

  /** Those rows of a gradient {@code [V,..]} that are not 0. */
  static Rows of(Tensor gradient) {
    Tensor numbers = Tensor.arange(gradient.dim(0)).to(gradient.device());
    return of(new Rows(gradient.shape(), numbers, gradient));
  }

  /** Where a row of {@code [V,..]} is not 0, BOOL {@code [V,1,..]}. */
  static Tensor mask(Tensor gradient) {
    int[] dims = new int[gradient.rank()];
    Arrays.fill(dims, 1);
    dims[0] = gradient.dim(0);
    return some(gradient).reshape(dims);
  }

  /** BOOL {@code [V]}. */
  private static Tensor some(Tensor gradient) {
    Tensor differs = gradient.ne(0);
    if (gradient.rank() == 1) {
      return differs;
    }
    int rows = gradient.dim(0);
    long each = rows == 0 ? 0 : gradient.size() / rows;
    if (each == 0) {
      return differs.zerosLike(Shape.of(rows));
    }
    return differs.cast(DType.I32).reshape(rows, Math.toIntExact(each)).max(1).gt(0);
  }
}
