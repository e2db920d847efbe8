package carousel.nn.recurrent;

import carousel.tensor.DType;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import carousel.tensor.TensorException;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What is particular about some steps of some rows of a batch {@code [T,N,..]}.
 *
 * <p>All of it is data: no gradient flows to it, and what x holds at steps that are not taken is not read (what a cell
 * sees there instead: {@link Recurrent}).
 *
 * @param lengths I32 {@code [N]}, each in {@code [0,T]}: past its length a row's outputs are 0 and its state
 *     stays; null if all rows are T long
 * @param resets BOOL {@code [T,N]}: where it holds a new sequence begins, from the layer's own initial state.
 *     No state crosses from step t − 1 to t in either direction: a forward scan starts anew before step t, a
 *     reverse one before step t − 1. Null if nothing starts anew
 * @param taken BOOL {@code [T,N]}: where it does not hold the step is skipped: the output is 0, and the state
 *     is carried on as it was. Null if all steps are taken
 */
public record Marks(@Nullable Tensor lengths, @Nullable Tensor resets, @Nullable Tensor taken) {
  private static final Marks NONE = new Marks(null, null, null);

  /**
   * Nothing particular.
   *
   * @return no marks
   */
  public static Marks none() {
    return NONE;
  }

  /**
   * Rows of different lengths.
   *
   * @param lengths I32 {@code [N]}; null for rows that are all as long as the sequence
   * @return the marks
   */
  public static Marks ofLengths(@Nullable Tensor lengths) {
    return lengths == null ? NONE : new Marks(lengths, null, null);
  }

  /**
   * These marks, and rows that start anew.
   *
   * @param where BOOL {@code [T,N]}
   * @return the marks
   */
  public Marks withResets(@Nullable Tensor where) {
    return new Marks(lengths, where, taken);
  }

  /**
   * These marks, and steps that are skipped.
   *
   * @param where BOOL {@code [T,N]}, false where a step is skipped
   * @return the marks
   */
  public Marks withTaken(@Nullable Tensor where) {
    return new Marks(lengths, resets, where);
  }

  /** Whether there may be steps that are not taken. */
  boolean leaveOut() {
    return lengths != null || taken != null;
  }

  /** Which steps are taken, BOOL {@code [T,N]}, if some may not be. */
  Tensor steps(int steps) {
    Tensor some = taken;
    if (lengths == null) {
      return Objects.requireNonNull(some);
    }
    Tensor within = valid(steps, lengths);
    return some == null ? within : within.and(some);
  }

  /**
   * Where the state starts anew before a step is taken, {@code [T,N]}: in reverse that is one step earlier,
   * and the end of a row is the end of its last sequence.
   */
  @Nullable Tensor resetsBefore(boolean reverse) {
    Tensor flags = resets;
    if (flags == null || !reverse || flags.dim(0) == 0) {
      return flags;
    }
    int steps = flags.dim(0);
    Tensor within = lengths == null ? flags : flags.and(valid(steps, lengths));
    Tensor none = flags.zerosLike(Shape.of(1, flags.dim(1)));
    return Tensor.concat(List.of(within.narrow(0, 1, steps - 1), none), 0);
  }

  /** Which rows have a step, BOOL {@code [T,N]}. */
  static Tensor valid(int steps, Tensor lengths) {
    return Tensor.arange(steps).to(lengths.device()).unsqueeze(1).lt(lengths);
  }

  /** These marks on the device of x. */
  Marks on(Tensor x) {
    return new Marks(on(x, lengths), on(x, resets), on(x, taken));
  }

  private static @Nullable Tensor on(Tensor x, @Nullable Tensor mark) {
    return mark == null ? null : mark.to(x.device());
  }

  /**
   * Checks types, shapes and, where no device has to be waited for, lengths.
   *
   * @param label names the layer in errors
   * @param x {@code [T,N,D]}
   * @return the least of the lengths; 0 if a device would have to be waited for
   */
  int check(String label, Tensor x) {
    checkFlags(label, "resets", resets, x);
    checkFlags(label, "taken", taken, x);
    return lengths == null ? x.dim(0) : shortest(label, lengths, x);
  }

  private static void checkFlags(String label, String what, @Nullable Tensor flags, Tensor x) {
    if (flags == null) {
      return;
    }
    if (flags.dtype() != DType.BOOL || !flags.shape().equals(Shape.of(x.dim(0), x.dim(1)))) {
      String hint = flags.dtype() == DType.BOOL ? "" : "; compare numbers, e.g. ne(0)";
      throw new TensorException(
          String.format(
              Locale.ROOT,
              "%s: %s must be BOOL [%d,%d], one per step and row of %s, got %s %s%s",
              label,
              what,
              x.dim(0),
              x.dim(1),
              x.shape(),
              flags.dtype(),
              flags.shape(),
              hint));
    }
  }

  private static int shortest(String label, Tensor lengths, Tensor x) {
    if (lengths.dtype() != DType.I32 || !lengths.shape().equals(Shape.of(x.dim(1)))) {
      throw new TensorException(
          String.format(
              Locale.ROOT,
              "%s: lengths must be I32 [%d], one per row of %s, got %s %s",
              label,
              x.dim(1),
              x.shape(),
              lengths.dtype(),
              lengths.shape()));
    }
    if (lengths.device().backend().isAsynchronous()) {
      // To look something up is how to have indices checked there.
      Tensor unused = x.zerosLike(Shape.of(x.dim(0) + 1)).indexSelect(lengths, 0);
      return 0;
    }
    int[] values = lengths.toIntArray();
    for (int n = 0; n < values.length; n++) {
      if (values[n] < 0 || values[n] > x.dim(0)) {
        throw new TensorException(
            String.format(
                Locale.ROOT,
                "%s: length %d of row %d is not within the %d steps of %s",
                label,
                values[n],
                n,
                x.dim(0),
                x.shape()));
      }
    }
    return Arrays.stream(values).min().orElse(x.dim(0));
  }
}
