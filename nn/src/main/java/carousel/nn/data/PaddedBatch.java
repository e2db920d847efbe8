package carousel.nn.data;

import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/**
 * Sequences of different lengths side by side: {@code tokens[t,n]} is element t of sequence n for
 * {@code t < lengths[n]}, and padding below.
 *
 * @param tokens I32 {@code [T,N]}, T the longest length
 * @param lengths I32 {@code [N]}, each from 0 to T
 */
public record PaddedBatch(Tensor tokens, Tensor lengths) {
  /**
   * Pads sequences to the longest of them.
   *
   * @param sequences N of them, at least one; they may be empty
   * @param padding stands behind the end of each; for targets, the index that the loss ignores
   * @return the batch, in the innermost scope
   * @throws IllegalArgumentException if there is no sequence, or they are more numbers, padded, than an array holds
   */
  public static PaddedBatch of(List<int[]> sequences, int padding) {
    if (sequences.isEmpty()) {
      throw new IllegalArgumentException("padded batch: it needs at least one sequence");
    }
    int batch = sequences.size();
    var lengths = sequences.stream().mapToInt(sequence -> sequence.length).toArray();
    int steps = Arrays.stream(lengths).max().orElse(0);
    if ((long) steps * batch > Integer.MAX_VALUE - 8) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "padded batch: %d sequences, the longest of %d, are %d numbers and more than a batch can have; take fewer,"
                  + " or those of like lengths together",
              batch,
              steps,
              (long) steps * batch));
    }
    var padded = new int[steps * batch];
    Arrays.fill(padded, padding);
    for (int n = 0; n < batch; n++) {
      var sequence = sequences.get(n);
      for (int t = 0; t < sequence.length; t++) {
        padded[t * batch + n] = sequence[t];
      }
    }
    return new PaddedBatch(Tensor.of(Shape.of(steps, batch), padded), Tensor.of(lengths));
  }

  /**
   * Where a sequence is: {@code mask[t,n] = t < lengths[n]}.
   *
   * @return BOOL {@code [T,N]}, in the innermost scope
   */
  public Tensor mask() {
    Tensor steps = Tensor.arange(tokens.dim(0)).to(lengths.device()).unsqueeze(1);
    return steps.lt(lengths.unsqueeze(0));
  }
}
