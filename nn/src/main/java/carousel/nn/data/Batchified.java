package carousel.nn.data;

import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import java.util.Iterator;
import java.util.Locale;
import java.util.NoSuchElementException;

/**
 * A stream cut into N equal parts that lie side by side, {@code [L / N, N]}: column n is part n
 * read downwards, and a remainder of fewer than N tokens is left out. Read window by window from
 * the top, with the recurrent state carried from one window to the next, it is what truncated BPTT
 * trains on:
 *
 * <pre>{@code
 * var data = corpus.train().batchify(20);
 * for (var batch : data.windows(35)) {
 *   try (var step = TensorScope.open()) {
 *     Tensor loss = model.loss(batch.tokens(), batch.targets()); // both [35,20]
 *   }
 * }
 * }</pre>
 *
 * <p>The tokens are one tensor and a window is two views of it, so that windows cost nothing and
 * outlive any scope inside the one that this was made in.
 *
 * <p>Source: {@code batchify} and {@code get_batch} of PyTorch's word_language_model example.
 */
public final class Batchified {
  private final Tensor data;

  private Batchified(Tensor data) {
    this.data = data;
  }

  /** The columns of {@code ids}, at least two rows of them; checked by the caller. */
  static Batchified of(int[] ids, int batch) {
    int rows = ids.length / batch;
    var timeMajor = new int[rows * batch];
    for (int n = 0; n < batch; n++) {
      for (int t = 0; t < rows; t++) {
        timeMajor[t * batch + n] = ids[n * rows + t];
      }
    }
    return new Batchified(Tensor.of(Shape.of(rows, batch), timeMajor));
  }

  /**
   * All tokens that are read.
   *
   * @return I32 {@code [L / N, N]}
   */
  public Tensor data() {
    return data;
  }

  /**
   * The length of a column.
   *
   * @return L / N, at least 2
   */
  public int rows() {
    return data.dim(0);
  }

  /**
   * The number of columns.
   *
   * @return N
   */
  public int batch() {
    return data.dim(1);
  }

  /**
   * How many windows {@link #windows} gives.
   *
   * @param steps T, at least 1
   * @return {@code ⌈(rows − 1) / T⌉}
   */
  public int windowCount(int steps) {
    checkSteps(steps);
    return Math.ceilDiv(rows() - 1, steps);
  }

  /**
   * The window that begins at a row: {@code tokens = data[row … row+T−1]}, {@code targets =
   * data[row+1 … row+T]}, fewer than T where the data ends.
   *
   * @param row the first row, from 0 to {@code rows − 2}
   * @param steps T, at least 1
   * @return views of {@link #data}
   * @throws IndexOutOfBoundsException if there is no such row, or nothing after it
   */
  public TokenBatch window(int row, int steps) {
    checkSteps(steps);
    if (row < 0 || row >= rows() - 1) {
      throw new IndexOutOfBoundsException(
          String.format(
              Locale.ROOT,
              "window: row %d; it must be from 0 to %d so that a token follows",
              row,
              rows() - 2));
    }
    int length = Math.min(steps, rows() - 1 - row);
    return new TokenBatch(data.narrow(0, row, length), data.narrow(0, row + 1, length));
  }

  /**
   * All windows from the top, each beginning where the one before it ended, the last as short as
   * what is left.
   *
   * @param steps T, at least 1
   * @return {@link #windowCount} windows, of views; may be iterated again
   */
  public Iterable<TokenBatch> windows(int steps) {
    checkSteps(steps);
    return () ->
        new Iterator<>() {
          private int row;

          @Override
          public boolean hasNext() {
            return row < rows() - 1;
          }

          @Override
          public TokenBatch next() {
            if (!hasNext()) {
              throw new NoSuchElementException();
            }
            var window = window(row, steps);
            row += window.steps();
            return window;
          }
        };
  }

  private static void checkSteps(int steps) {
    if (steps < 1) {
      throw new IllegalArgumentException("windows: steps must be 1 or more, got " + steps);
    }
  }
}
