package carousel.nn.recurrent;

import carousel.tensor.Tensor;

/** The nonlinearity of a simple recurrence. */
public enum Activation {
  /** {@code tanh x}. */
  TANH {
    @Override
    public Tensor apply(Tensor x) {
      return x.tanh();
    }
  },
  /** {@code max(x, 0)}. */
  RELU {
    @Override
    public Tensor apply(Tensor x) {
      return x.relu();
    }
  },
  /** {@code x}. */
  IDENTITY {
    @Override
    public Tensor apply(Tensor x) {
      return x;
    }
  };

  /**
   * Applies it elementwise.
   *
   * @param x any tensor
   * @return a tensor of the same shape
   */
  public abstract Tensor apply(Tensor x);
}
