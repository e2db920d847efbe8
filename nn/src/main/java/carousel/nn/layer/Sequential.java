package carousel.nn.layer;

import carousel.nn.Transform;
import carousel.nn.Unnamed;
import carousel.tensor.Tensor;
import carousel.tensor.TensorException;
import java.util.List;

/**
 * Layers one after another, each reading what the one before gives: {@code y = fₙ(… f₂(f₁(x)))}.
 *
 * <p>Its parameters are named by place, {@code 0.weight}, {@code 2.bias}, as those of PyTorch's {@code
 * nn.Sequential} are; a function counts as one place there, too, being a module.
 *
 * @param layers in order; none for {@code y = x}
 */
public record Sequential(@Unnamed List<Transform> layers) implements Transform {
  /** Copies the list. */
  public Sequential {
    layers = List.copyOf(layers);
  }

  /**
   * Layers one after another.
   *
   * @param layers in order, functions among them
   * @return the layer
   */
  public static Sequential of(Transform... layers) {
    return new Sequential(List.of(layers));
  }

  /**
   * Applies all of them.
   *
   * @param x {@code [..,in]}
   * @return {@code [..,out]}
   * @throws TensorException as the layer does that x or what comes of it does not fit
   */
  @Override
  public Tensor apply(Tensor x) {
    Tensor y = x;
    for (Transform layer : layers) {
      y = layer.apply(y);
    }
    return y;
  }

  @Override
  public int outputs(int inputs) {
    int size = inputs;
    for (int i = 0; i < layers.size(); i++) {
      try {
        size = layers.get(i).outputs(size);
      } catch (TensorException e) {
        throw new TensorException("sequential: layer " + i + ": " + e.getMessage(), e);
      }
    }
    return size;
  }
}
