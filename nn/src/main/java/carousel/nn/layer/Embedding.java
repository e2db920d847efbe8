package carousel.nn.layer;

import carousel.nn.Parameter;
import carousel.nn.Transform;
import carousel.nn.check.Operands;
import carousel.nn.check.Tokens;
import carousel.nn.init.Init;
import carousel.tensor.Philox;
import carousel.tensor.Tensor;
import carousel.tensor.TensorException;
import java.util.OptionalInt;

/**
 * {@code y[..] = W[token[..]]}: rows of a table; {@code tokens [..], W [V,D] → y [..,D]}.
 *
 * <p>The row of the padding token, where there is one, is read like any other, but no gradient
 * reaches it.
 *
 * @param weight {@code [V,D]}
 * @param padding the token that stands for nothing, if there is one
 */
public record Embedding(Parameter weight, OptionalInt padding) implements Transform {
  /** Checks the table and the padding token. */
  public Embedding {
    Operands.present("embedding", "weight", weight);
    Operands.present("embedding", "padding", padding);
    if (weight.value().rank() != 2) {
      throw new TensorException(
          "embedding: the weight must be a table [V,D], got " + weight.value().shape());
    }
    if (padding.isPresent()
        && (padding.getAsInt() < 0 || padding.getAsInt() >= weight.value().dim(0))) {
      throw new TensorException(
          "embedding: padding token "
              + padding.getAsInt()
              + " is out of range for a table of "
              + weight.value().dim(0)
              + " rows");
    }
  }

  /**
   * A table without a padding token.
   *
   * @param vocabulary V, how many tokens there are
   * @param width D, the size of a vector
   * @param init how the table starts
   * @param rng where random numbers come from
   * @return the layer
   */
  public static Embedding of(int vocabulary, int width, Init init, Philox rng) {
    return new Embedding(init.parameter(rng, vocabulary, width), OptionalInt.empty());
  }

  /**
   * A table with a padding token, whose row starts and stays at 0.
   *
   * @param vocabulary V, how many tokens there are
   * @param width D, the size of a vector
   * @param padding the padding token, in [0, V)
   * @param init how the other rows start
   * @param rng where random numbers come from
   * @return the layer
   */
  public static Embedding padded(int vocabulary, int width, int padding, Init init, Philox rng) {
    var layer = new Embedding(init.parameter(rng, vocabulary, width), OptionalInt.of(padding));
    layer.weight.value().select(0, padding).fill(0);
    return layer;
  }

  /**
   * Looks tokens up.
   *
   * @param tokens I32 {@code [..]}, each in [0, V)
   * @return {@code [..,D]}
   * @throws TensorException if a token is out of range; the message names it and its place
   */
  @Override
  public Tensor apply(Tensor tokens) {
    Tensor table = weight.value();
    Tokens.check("embedding", "token", tokens, table.dim(0), Tokens.NONE);
    Tensor rows = table.indexSelect(tokens, 0);
    if (padding.isEmpty()) {
      return rows;
    }
    Tensor pads = tokens.eq(padding.getAsInt()).unsqueeze(Tensor.LAST);
    return Tensor.where(pads, rows.detach(), rows);
  }

  /**
   * Returns the size of a vector, whatever the axes of the tokens are.
   *
   * @param inputs the size of the tokens' last axis, which does not matter
   * @return D
   */
  @Override
  public int outputs(int inputs) {
    return weight.value().dim(1);
  }
}
