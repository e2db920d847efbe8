package carousel.nn;

import carousel.tensor.Tensor;

/** What becomes of the losses of single elements. */
public enum Reduction {
  /** Their mean, a scalar; NaN of no losses at all. */
  MEAN {
    @Override
    Tensor of(Tensor losses) {
      return losses.mean();
    }
  },
  /** Their sum, a scalar. */
  SUM {
    @Override
    Tensor of(Tensor losses) {
      return losses.sum();
    }
  },
  /** Nothing: they stay apart. */
  NONE {
    @Override
    Tensor of(Tensor losses) {
      return losses;
    }
  };

  abstract Tensor of(Tensor losses);
}
