package carousel.nn.data;

import carousel.tensor.Tensor;

/**
 * What a language model sees at once: {@code targets[t,n]} is the token that follows {@code
 * tokens[t,n]}.
 *
 * @param tokens I32 {@code [T,N]}
 * @param targets I32 {@code [T,N]}
 */
public record TokenBatch(Tensor tokens, Tensor targets) {
  /**
   * The number of steps.
   *
   * @return T
   */
  public int steps() {
    return tokens.dim(0);
  }

  /**
   * The number of streams side by side.
   *
   * @return N
   */
  public int batch() {
    return tokens.dim(1);
  }

  /**
   * The number of predictions.
   *
   * @return T · N
   */
  public long size() {
    return tokens.size();
  }
}
