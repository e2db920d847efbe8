package carousel.nn.check;

import carousel.tensor.DType;
import carousel.tensor.Tensor;
import carousel.tensor.TensorException;
import java.util.Arrays;
import java.util.Locale;

/**
 * Checks indices into classes before a backend meets them, to say which one is wrong and where; but where
 * looking at them would wait for a device, that finds the wrong ones itself.
 */
public final class Tokens {
  /** Stands for no exempt token. */
  public static final int NONE = Integer.MIN_VALUE;

  private Tokens() {}

  /**
   * Every token must be in [0, size), or the exempt one.
   *
   * @param op what to call the operation in an error
   * @param what what to call a token
   * @param tokens I32, of any shape
   * @param size how many classes there are
   * @param exempt a token that is passed over; {@link #NONE} if none is
   * @throws TensorException if one is not
   */
  public static void check(String op, String what, Tensor tokens, int size, int exempt) {
    if (tokens.dtype() != DType.I32) {
      throw new TensorException(
          String.format(
              Locale.ROOT,
              "%s: %ss must be I32, got %s %s; convert them with cast(DType.I32)",
              op,
              what,
              tokens.dtype(),
              tokens.shape()));
    }
    if (tokens.device().backend().isAsynchronous()) {
      return;
    }
    int[] values = tokens.toIntArray();
    for (int i = 0; i < values.length; i++) {
      if (values[i] != exempt && (values[i] < 0 || values[i] >= size)) {
        throw new TensorException(
            String.format(
                Locale.ROOT,
                "%s: %s %d at %s of %s is out of range; valid are 0 to %s%s",
                op,
                what,
                values[i],
                Arrays.toString(position(i, tokens)).replace(" ", ""),
                tokens.shape(),
                size - 1,
                exempt == NONE ? "" : ", and " + exempt + ", which is ignored"));
      }
    }
  }

  private static int[] position(int index, Tensor of) {
    var at = new int[of.rank()];
    for (int axis = at.length - 1, rest = index; axis >= 0; axis--) {
      at[axis] = rest % of.dim(axis);
      rest /= of.dim(axis);
    }
    return at;
  }
}
