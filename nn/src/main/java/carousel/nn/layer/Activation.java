package carousel.nn.layer;

import carousel.nn.Transform;
import carousel.tensor.Tensor;

/**
 * Activations that other libraries know, too, and that files therefore name. Wherever one is wanted, any other
 * {@link Transform} will do, such as {@code Tensor::softplus}; a file of another library then refuses it. One with weights
 * is a record: a lambda that uses a layer or a parameter is refused where parameters are looked for.
 */
public enum Activation implements Transform {
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
  /** {@code 1 / (1 + e^−x)}. */
  SIGMOID {
    @Override
    public Tensor apply(Tensor x) {
      return x.sigmoid();
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
  @Override
  public abstract Tensor apply(Tensor x);
}
