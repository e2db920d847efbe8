package carousel.autograd;

import carousel.tensor.DType;
import carousel.tensor.Philox;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;

/** Where, and how far, leaves are moved. */
final class Directions {
  private Directions() {}

  /** In what sizes elements are moved: their own, but not much less than those of the others. */
  static Tensor sizes(Tensor x) {
    Tensor wide = Judge.wide(x).abs();
    if (x.size() == 0) {
      return wide;
    }
    double largest = wide.max().item();
    if (largest == 0 || !Double.isFinite(largest)) {
      return wide.onesLike();
    }
    double mean = largest * Math.sqrt(wide.div(largest).square().mean().item());
    return wide.maximum(1e-3 * mean);
  }

  /** A random direction from a point, of elements between a half and one and a half of their sizes. */
  static Tensor random(Tensor x, Tensor size, Philox rng) {
    try (var scope = TensorScope.openUnwatched()) {
      Tensor u = rng.uniform(DType.F64, -1, 1, x.shape().toArray()).to(x.device());
      return scope.keep(u.sign().mul(0.5).add(u).mul(size).cast(x.dtype()));
    }
  }
}
