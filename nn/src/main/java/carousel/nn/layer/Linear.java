package carousel.nn.layer;

import carousel.nn.Parameter;
import carousel.nn.Transform;
import carousel.nn.check.Operands;
import carousel.nn.init.Init;
import carousel.tensor.Philox;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import carousel.tensor.TensorException;
import carousel.tensor.op.LayerComposites;
import carousel.tensor.op.Op;
import java.util.Locale;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/**
 * {@code y = x · W + b}; {@code x [..,in], W [in,out], b [out] → y [..,out]}.
 *
 * @param weight {@code [in,out]}
 * @param bias {@code [out]}, or null for none
 */
public record Linear(Parameter weight, @Nullable Parameter bias) implements Transform {
  /** Checks the shapes. */
  public Linear {
    Operands.present("linear", "weight", weight);
    Shape w = weight.value().shape();
    if (w.rank() != 2) {
      throw new TensorException("linear: the weight must be a matrix [in,out], got " + w);
    }
    if (bias != null && !bias.value().shape().equals(Shape.of(w.dim(1)))) {
      throw new TensorException(
          "linear: the bias must have shape ["
              + w.dim(1)
              + "], the columns of the weight "
              + w
              + ", got "
              + bias.value().shape());
    }
  }

  /**
   * A layer whose bias starts at 0.
   *
   * @param in size of the last axis of x
   * @param out size of the last axis of y
   * @param init how the weight starts
   * @param rng where random numbers come from
   * @return the layer
   */
  public static Linear of(int in, int out, Init init, Philox rng) {
    return of(in, out, init, Init.zeros().as(init.dtype()), rng);
  }

  /**
   * A layer.
   *
   * @param in size of the last axis of x
   * @param out size of the last axis of y
   * @param init how the weight starts
   * @param biasInit how the bias starts
   * @param rng where random numbers come from, first for the weight
   * @return the layer
   */
  public static Linear of(int in, int out, Init init, Init biasInit, Philox rng) {
    return new Linear(init.parameter(rng, in, out), biasInit.parameter(rng, out));
  }

  /**
   * A layer without a bias, {@code y = x · W}.
   *
   * @param in size of the last axis of x
   * @param out size of the last axis of y
   * @param init how the weight starts
   * @param rng where random numbers come from
   * @return the layer
   */
  public static Linear withoutBias(int in, int out, Init init, Philox rng) {
    return new Linear(init.parameter(rng, in, out), null);
  }

  /**
   * A layer that scores tokens by an embedding's own vectors, {@code y = x · Eᵀ + b}, its bias starting at 0:
   * one table for what goes in and what comes out of a language model.
   *
   * @param embedding its table {@code E [V,D]} is shared
   * @return a layer from D to V features
   */
  public static TiedLinear tied(Embedding embedding) {
    Tensor table = embedding.weight().value();
    var bias = Parameter.of(() -> table.zerosLike(Shape.of(table.dim(0))));
    return new TiedLinear(embedding.weight(), bias);
  }

  /**
   * The same without a bias, {@code y = x · Eᵀ}.
   *
   * @param embedding its table {@code E [V,D]} is shared
   * @return a layer from D to V features
   */
  public static TiedLinear tiedWithoutBias(Embedding embedding) {
    return new TiedLinear(embedding.weight(), null);
  }

  /**
   * Applies the layer to the last axis.
   *
   * @param x {@code [..,in]}
   * @return {@code [..,out]}
   * @throws TensorException if the last axis of x is not of size in
   */
  @Override
  public Tensor apply(Tensor x) {
    return apply("linear", x, weight.value(), bias);
  }

  @Override
  public OptionalInt reads() {
    return OptionalInt.of(weight.value().dim(0));
  }

  @Override
  public int outputs(int inputs) {
    return outputs("linear", inputs, weight.value());
  }

  /** {@code x · w + b}, w of any layout. */
  static Tensor apply(String label, Tensor x, Tensor w, @Nullable Parameter bias) {
    if (x.rank() == 0 || x.dim(Tensor.LAST) != w.dim(0)) {
      throw new TensorException(
          String.format(
              Locale.ROOT,
              "%s: x %s must have a last axis of %d, the rows of the weight %s",
              label,
              x.shape(),
              w.dim(0),
              w.shape()));
    }
    Operands.sameType(label, "x", x, "the weight", w);
    Shape before = x.shape().without(Tensor.LAST);
    // One matrix: the gradient of the weight is then one product, too, not a sum of many.
    Tensor rows = x.reshape(Operands.rows(label, x, before.size()), w.dim(0));
    Tensor y =
        bias == null ? rows.matmul(w) : Op.apply(LayerComposites.LINEAR, rows, w, bias.value());
    return y.reshape(before.insert(before.rank(), w.dim(1)));
  }

  /** The columns of a weight whose rows are so many. */
  static int outputs(String label, int inputs, Tensor w) {
    if (inputs != w.dim(0)) {
      throw new TensorException(
          String.format(
              Locale.ROOT,
              "%s: reads %d features, the rows of its weight %s, got %d",
              label,
              w.dim(0),
              w.shape(),
              inputs));
    }
    return w.dim(1);
  }
}
