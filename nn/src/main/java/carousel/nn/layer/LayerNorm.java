package carousel.nn.layer;

import carousel.nn.Parameter;
import carousel.nn.Transform;
import carousel.nn.check.Operands;
import carousel.tensor.DType;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import carousel.tensor.TensorException;
import carousel.tensor.op.LayerComposites;
import carousel.tensor.op.Op;
import java.util.OptionalInt;

/**
 * {@code y = (x − μ) / √(σ² + ε) ⊙ gain + bias}, μ and the biased variance σ² over the last axes, as
 * many as the gain has; {@code x [..,D], gain [D], bias [D] → y [..,D]}.
 *
 * <p>The squares that σ² is the mean of have to fit: where {@code √Σ (x − μ)²} of a row of F32 is 1.8·10¹⁹ or more, the
 * variance is infinite and the row is the bias, or NaN, as PyTorch's is. CUDA's kernel adds squares up in F64 and goes
 * on. To scale every row by its greatest number first would be one pass more over all rows that there are; cast to F64
 * what may be as large.
 *
 * <p>Source: Ba, Kiros and Hinton, "Layer Normalization", 2016.
 *
 * @param gain {@code [D]}, or more axes
 * @param bias of the gain's shape
 * @param epsilon what keeps the root away from 0
 */
public record LayerNorm(Parameter gain, Parameter bias, double epsilon) implements Transform {
  /** Checks the shapes. */
  public LayerNorm {
    Operands.present("layerNorm", "gain", gain);
    Operands.present("layerNorm", "bias", bias);
    Shape g = gain.value().shape();
    if (g.rank() == 0 || !g.equals(bias.value().shape())) {
      throw new TensorException(
          "layerNorm: gain and bias must have one shape of at least one axis, got "
              + g
              + " and "
              + bias.value().shape());
    }
    if (!(epsilon >= 0)) {
      throw new TensorException("layerNorm: epsilon must not be negative, got " + epsilon);
    }
  }

  /**
   * A layer with gain 1, bias 0, F32 and ε = 10⁻⁵.
   *
   * @param dims the sizes of the axes that are normalised, usually the last one alone
   * @return the layer
   */
  public static LayerNorm of(int... dims) {
    return of(DType.F32, dims);
  }

  /**
   * A layer with gain 1, bias 0 and ε = 10⁻⁵.
   *
   * @param dtype F32 or F64
   * @param dims the sizes of the axes that are normalised, usually the last one alone
   * @return the layer
   */
  public static LayerNorm of(DType dtype, int... dims) {
    return new LayerNorm(
        Parameter.of(() -> Tensor.ones(dtype, dims)),
        Parameter.of(() -> Tensor.zeros(dtype, dims)),
        1e-5);
  }

  /**
   * Normalises the last axes.
   *
   * @param x {@code [..,D]}
   * @return {@code [..,D]}
   * @throws TensorException if the last axes of x are not those of the gain
   */
  @Override
  public Tensor apply(Tensor x) {
    Tensor g = gain.value();
    boolean fits = x.rank() >= g.rank();
    for (int axis = -1; fits && axis >= -g.rank(); axis--) {
      fits = x.dim(axis) == g.dim(axis);
    }
    if (!fits) {
      throw new TensorException(
          "layerNorm: x "
              + x.shape()
              + " does not end in "
              + g.shape()
              + ", the shape of the gain");
    }
    Operands.sameType("layerNorm", "x", x, "the gain", g);
    return Op.apply(LayerComposites.LAYER_NORM, x, g, bias.value(), x.scalarLike(epsilon));
  }

  @Override
  public OptionalInt reads() {
    return OptionalInt.of(gain.value().dim(Tensor.LAST));
  }

  @Override
  public int outputs(int inputs) {
    Shape g = gain.value().shape();
    if (g.dim(Tensor.LAST) != inputs) {
      throw new TensorException(
          "layerNorm: reads "
              + g.dim(Tensor.LAST)
              + " features, as its gain "
              + g
              + " has, got "
              + inputs);
    }
    return inputs;
  }
}
