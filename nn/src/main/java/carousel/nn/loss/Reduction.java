package carousel.nn.loss;

import carousel.tensor.Tensor;

/** What becomes of the losses of single elements. */
public enum Reduction {
  /** Their mean, a scalar; NaN of no losses at all. */
  MEAN {
    @Override
    public Tensor of(Tensor losses) {
      return losses.mean();
    }
  },
  /** Their sum, a scalar. */
  SUM {
    @Override
    public Tensor of(Tensor losses) {
      return losses.sum();
    }
  },
  /** Nothing: they stay apart. */
  NONE {
    @Override
    public Tensor of(Tensor losses) {
      return losses;
    }
  };

  /**
   * Reduces losses.
   *
   * @param losses one of each element, of any shape
   * @return a scalar, or the losses themselves
   */
  public abstract Tensor of(Tensor losses);
}
