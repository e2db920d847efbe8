package carousel.nn.layer;

import carousel.nn.Parameter;
import carousel.nn.Transform;
import carousel.nn.check.Operands;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import carousel.tensor.TensorException;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/**
 * {@code y = x · Eᵀ + b}; {@code x [..,D], E [V,D], b [V] → y [..,V]}, E the table of an {@link Embedding}: {@link
 * Linear#tied}. Gradients from both uses add up in the one table, which is listed and saved once. So the row of a
 * padding token, which no lookup changes, learns as what may come out.
 *
 * <p>Source: Press and Wolf 2017; Inan, Khosravi and Socher 2017.
 *
 * @param weight {@code E [V,D]}, of the embedding
 * @param bias {@code [V]}, or null for none
 */
public record TiedLinear(Parameter weight, @Nullable Parameter bias) implements Transform {
  /** Checks the shapes. */
  public TiedLinear {
    Operands.present("tiedLinear", "weight", weight);
    Shape table = weight.value().shape();
    if (table.rank() != 2) {
      throw new TensorException("tiedLinear: the weight must be a table [V,D], got " + table);
    }
    if (bias != null && !bias.value().shape().equals(Shape.of(table.dim(0)))) {
      throw new TensorException(
          "tiedLinear: the bias must have shape ["
              + table.dim(0)
              + "], the rows of the table "
              + table
              + ", got "
              + bias.value().shape());
    }
  }

  /**
   * Applies the layer to the last axis.
   *
   * @param x {@code [..,D]}
   * @return {@code [..,V]}
   * @throws TensorException if the last axis of x is not of size D
   */
  @Override
  public Tensor apply(Tensor x) {
    return Linear.apply("tiedLinear", x, weight.value().transpose(0, 1), bias);
  }

  @Override
  public OptionalInt reads() {
    return OptionalInt.of(weight.value().dim(1));
  }

  @Override
  public int outputs(int inputs) {
    return Linear.outputs("tiedLinear", inputs, weight.value().transpose(0, 1));
  }
}
