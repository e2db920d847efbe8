package carousel.testing;

import carousel.tensor.Tensor;
import java.util.Arrays;
import java.util.List;

/** How an input lies in memory: what is between its elements, and around them, is NaN. */
enum Arrangement {
  TRANSPOSED("transposed in memory", 2),
  STEPPED("with a stride of 2 along its last axis", 1),
  INSIDE("from the middle of a larger tensor", 1),
  BACKWARDS("backwards in memory", 1),
  EXPANDED_FIRST("expanded along its first axis", 1),
  EXPANDED_LAST("expanded along its last axis", 2);

  private final String text;
  private final int rank;

  Arrangement(String text, int rank) {
    this.text = text;
    this.rank = rank;
  }

  boolean suits(Tensor x) {
    return x.rank() >= rank && x.size() > 0;
  }

  /** A view of the shape of x; of its values, too, unless it is expanded. */
  Tensor of(Tensor x) {
    int last = x.rank() - 1;
    int[] order = new int[x.rank()];
    int[] axes = new int[x.rank()];
    Arrays.setAll(order, i -> last - i);
    Arrays.setAll(axes, i -> i);
    Tensor gap = x.dtype().isFloating() ? x.mul(Double.NaN) : x.zerosLike();
    return switch (this) {
      case TRANSPOSED -> x.permute(order).copy().permute(order);
      case STEPPED ->
          Tensor.concat(List.of(x.unsqueeze(x.rank()), gap.unsqueeze(x.rank())), x.rank())
              .select(x.rank(), 0);
      case INSIDE ->
          Tensor.concat(List.of(gap, x, gap), last).narrow(last, x.dim(last), x.dim(last));
      case BACKWARDS -> x.flip(axes).copy().flip(axes);
      case EXPANDED_FIRST -> x.narrow(0, 0, 1).copy().expand(x.shape());
      case EXPANDED_LAST -> x.narrow(last, 0, 1).copy().expand(x.shape());
    };
  }

  @Override
  public String toString() {
    return text;
  }
}
