package carousel.benchmarks.compare;

import carousel.tensor.DType;
import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Collectors;

/**
 * One thing to time, as the coordinator names it to every contender: {@code lstm f32 20,20,200,200,2}.
 *
 * @param kind what is computed
 * @param dtype in which type
 * @param sizes what the kind asks for
 */
public record Task(Kind kind, DType dtype, int... sizes) {

  private static final int HIDDEN = 3;
  private static final int OUTPUTS = 5;

  /** What can be computed, and the sizes it takes. */
  public enum Kind {
    /** LSTM layers, forward and backward: T,B,I,H,L. */
    LSTM(5),
    /** GRU layers that reset after the product: T,B,I,H,L. */
    GRU_AFTER(5),
    /** GRU layers that reset before the product: T,B,I,H,L. */
    GRU(5),
    /** LSTM layers with diagonal peepholes: T,B,I,H,L. */
    PEEPHOLE(5),
    /** LSTM layers with full-matrix peepholes: T,B,I,H,L. */
    MATRIX_PEEPHOLE(5),
    /** Simple recurrent layers with tanh: T,B,I,H,L. */
    ELMAN(5),
    /** LSTM layers of which every step is written in single operations: T,B,I,H,L. */
    LSTM_BY_HAND(5),
    /** LSTM layers with layer normalisation: T,B,I,H,L. */
    LAYER_NORM_LSTM(5),
    /** LSTM layers whose rows start anew at some steps: T,B,I,H,L. */
    RESET_LSTM(5),
    /** The same, every step written in single operations: T,B,I,H,L. */
    RESET_LSTM_BY_HAND(5),
    /** LSTM layers with a projection to P outputs: T,B,I,H,L,P. */
    LSTMP(6),
    /** The same, every step written in single operations: T,B,I,H,L,P. */
    LSTMP_BY_HAND(6),
    /** Scalar LSTM layers of xLSTM: T,B,I,H,L. */
    SLSTM(5),
    /** {@code C = A·B}: m,n,k. */
    GEMM(3),
    /** A whole training step of a language model: T,B,H,L,V. */
    LANGUAGE_MODEL(5),
    /** The same, recorded once and repeated as one piece where a device can: T,B,H,L,V. */
    LANGUAGE_MODEL_REPLAYED(5);

    private final int sizes;

    Kind(int sizes) {
      this.sizes = sizes;
    }

    /**
     * Whether it is layers over time, of sizes T,B,I,H,L and maybe more.
     *
     * @return true for all cells
     */
    public boolean isRecurrent() {
      return this != GEMM && this != LANGUAGE_MODEL && this != LANGUAGE_MODEL_REPLAYED;
    }

    /** What it computes, whichever way it is written. */
    private String result() {
      return name().replace("_BY_HAND", "");
    }
  }

  /** Checks the number of sizes. */
  public Task {
    sizes = sizes.clone();
    if (sizes.length != kind.sizes) {
      throw new IllegalArgumentException(
          kind + " takes " + kind.sizes + " sizes, got " + Arrays.toString(sizes));
    }
  }

  /**
   * Reads what {@link #toString} writes.
   *
   * @param text kind, type and sizes; an x may stand for a comma, at which JMH cuts parameters
   * @return the task
   */
  public static Task parse(String text) {
    String[] part = text.trim().split(" ");
    if (part.length != 3) {
      throw new IllegalArgumentException("a task is KIND TYPE SIZE,SIZE,..., got '" + text + "'");
    }
    return new Task(
        Kind.valueOf(part[0].toUpperCase(Locale.ROOT)),
        DType.valueOf(part[1].toUpperCase(Locale.ROOT)),
        Arrays.stream(part[2].split("[,x]")).mapToInt(Integer::parseInt).toArray());
  }

  /**
   * One of the sizes.
   *
   * @param i its place
   * @return the size
   */
  public int size(int i) {
    return sizes[i];
  }

  /**
   * The features of what recurrent layers give.
   *
   * @return H, or P where there is a projection
   */
  public int outputs() {
    return sizes[sizes.length > OUTPUTS ? OUTPUTS : HIDDEN];
  }

  /**
   * Whether another task has the same result: the same, or that written in single operations.
   *
   * @param other the other
   * @return true if so
   */
  boolean isSameWorkAs(Task other) {
    return kind.result().equals(other.kind.result())
        && dtype == other.dtype
        && Arrays.equals(sizes, other.sizes);
  }

  /**
   * The sizes as a table shows them.
   *
   * @return joined by commas
   */
  public String shape() {
    return Arrays.stream(sizes).mapToObj(Integer::toString).collect(Collectors.joining(","));
  }

  @Override
  public String toString() {
    return (kind + " " + dtype + " " + shape()).toLowerCase(Locale.ROOT);
  }
}
