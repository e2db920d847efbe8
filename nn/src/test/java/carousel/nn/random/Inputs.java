package carousel.nn.random;

import carousel.tensor.DType;
import carousel.tensor.Philox;
import carousel.tensor.Tensor;

/** The input of a call, as it lies in memory. */
final class Inputs {
  private Inputs() {}

  static Tensor of(Call call, int columns, DType type, Philox rng) {
    int steps = call.steps();
    int rows = call.rows();
    return switch (call.view()) {
      case DENSE -> rng.normal(type, 0, 0.8, steps, rows, columns);
      case SWAPPED -> rng.normal(type, 0, 0.8, rows, steps, columns).transpose(0, 1);
      case NARROW ->
          rng.normal(type, 0, 0.8, steps, rows, columns + 3).narrow(Tensor.LAST, 2, columns);
      case PADDED -> {
        Tensor x = rng.normal(type, 0, 0.8, steps, rows, columns);
        for (int row = 0; row < call.lengths().size(); row++) {
          int length = call.lengths().get(row);
          x.narrow(0, length, steps - length).select(1, row).fill(Double.NaN);
        }
        yield x;
      }
    };
  }
}
