package carousel.nn.layer;

import carousel.nn.Transform;
import carousel.nn.Unnamed;
import carousel.nn.check.Operands;
import carousel.tensor.Tensor;
import carousel.tensor.TensorException;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.OptionalInt;

/**
 * Layers one after another, each reading what the one before gives: {@code y = fₙ(… f₂(f₁(x)))}.
 *
 * <p>Its parameters are named by place, {@code 0.weight}, {@code 2.bias}, as those of PyTorch's {@code
 * nn.Sequential} are; a function counts as one place there, too, being a module. So what is put in front of a layer, or a
 * layer that is put into a Sequential, changes names, and a checkpoint from before does not fit: names follow the
 * structure, see {@link carousel.nn.Layer}.
 *
 * <p>A function among the layers is one without weights. If it uses a layer or a parameter, it is refused where parameters
 * are looked for; see {@link Transform} for what cannot be seen.
 *
 * @param layers in order; none for {@code y = x}
 */
public record Sequential(@Unnamed List<Transform> layers) implements Transform {
  /**
   * Copies the list, and checks that layers that say how much they read read what the one before gives. What a function
   * makes of a size is not known, so that behind one nothing is checked until x is there.
   *
   * @throws TensorException if one reads other features than the one before gives; the message names both
   */
  public Sequential {
    Operands.present("sequential", "layers", layers);
    for (int i = 0; i < layers.size(); i++) {
      Operands.present("sequential", "layer " + i, layers.get(i));
    }
    layers = List.copyOf(layers);
    checkSizes(layers);
  }

  private static void checkSizes(List<Transform> layers) {
    var size = OptionalInt.empty();
    int from = 0;
    for (int i = 0; i < layers.size(); i++) {
      Transform layer = layers.get(i);
      OptionalInt reads = layer.reads();
      if (reads.isPresent()) {
        if (size.isPresent() && size.getAsInt() != reads.getAsInt()) {
          throw new TensorException(
              String.format(
                  Locale.ROOT,
                  "sequential: layer %d, %s, reads %d features, and layer %d, %s, gives %d",
                  i,
                  layer.getClass().getSimpleName(),
                  reads.getAsInt(),
                  from,
                  layers.get(from).getClass().getSimpleName(),
                  size.getAsInt()));
        }
        size = OptionalInt.of(layer.outputs(reads.getAsInt()));
        from = i;
      } else if (layer instanceof Embedding table) {
        size = OptionalInt.of(table.outputs(1));
        from = i;
      } else if (!keepsSizes(layer)) {
        size = OptionalInt.empty();
      }
    }
  }

  /** Whether it gives as much as it reads, whatever that is. */
  private static boolean keepsSizes(Transform layer) {
    return layer instanceof Activation || layer instanceof Dropout || layer instanceof Residual;
  }

  /**
   * Layers one after another.
   *
   * @param layers in order, functions among them
   * @return the layer
   */
  public static Sequential of(Transform... layers) {
    return new Sequential(Arrays.asList(layers));
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
  public OptionalInt reads() {
    return layers.stream()
        .filter(layer -> !keepsSizes(layer) || layer.reads().isPresent())
        .findFirst()
        .map(Transform::reads)
        .orElse(OptionalInt.empty());
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
