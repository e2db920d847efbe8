package carousel.tensor.op;

import carousel.tensor.DType;
import carousel.tensor.Tensor;
import carousel.tensor.spi.Setting;
import carousel.tensor.trace.Recent;
import java.lang.System.Logger.Level;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Whether the kernels that are made of users' code agree with it. The first time one runs, what it gives is
 * compared with what the code gives op by op, and the first time a tape records it, the gradients are, too. One
 * that differs beyond rounding is not used again, and a log line says so.
 *
 * <p>{@code -Dcarousel.fused=on} compares once, {@code check} at every call and also what this library's own
 * tests cover; {@code off} runs no kernel.
 */
public final class Agreement {
  private static final System.Logger LOG = System.getLogger("carousel.tensor");
  private static volatile @Nullable Mode mode;
  private static final int MOST_KNOWN = 2000;

  /** Of the greatest of what is compared: far more than rounding makes of sane numbers, far less than a mistake. */
  private static final double F32 = 1e-3;

  private static final double F64 = 1e-8;

  /** Of the greatest in all tensors: what is smaller may be the rounding of what has cancelled. */
  private static final double FLOOR = 1e-3;

  /**
   * As {@link #FLOOR}, of values that have all cancelled: what is left of terms of the size of 1, 10⁻⁶ in F32, is
   * far below this times the tolerance.
   */
  private static final double LEAST = 1e-2;

  private static final ScopedValue<Boolean> TRUSTING = ScopedValue.newInstance();

  private static final Map<Object, Set<Finding>> FINDINGS = new Recent<>(MOST_KNOWN);

  private enum Mode {
    ON,
    OFF,
    CHECK
  }

  /** What is known of a kernel. */
  private enum Finding {
    VALUES,
    GRADIENTS,
    DIFFERS
  }

  private Agreement() {}

  /** Read when it is first asked for: an error in the initializer of a class would come back as another one. */
  private static Mode mode() {
    Mode read = mode;
    if (read == null) {
      read = Mode.valueOf(Setting.FUSED.or("on").toUpperCase(Locale.ROOT));
      mode = read;
    }
    return read;
  }

  /**
   * Tells whether kernels are used at all.
   *
   * @return false with {@code -Dcarousel.fused=off}
   */
  public static boolean isFusionOn() {
    return mode() != Mode.OFF;
  }

  /**
   * Runs code whose kernels are used whatever is known of them: for who compares them.
   *
   * @param code the code
   * @param <R> what it returns
   * @return its result
   */
  public static <R> R trusting(Supplier<R> code) {
    return ScopedValue.where(TRUSTING, true).call(code::get);
  }

  /**
   * Tells whether a kernel is to be compared now.
   *
   * @param kernel what two kernels share that compute the same
   * @param trusted whether tests hold it to its code
   * @param gradients whether a tape records it
   * @return whether to call {@link #agree}
   */
  public static boolean isDue(Object kernel, boolean trusted, boolean gradients) {
    if (TRUSTING.isBound()) {
      return false;
    }
    if (mode() == Mode.CHECK) {
      return true;
    }
    if (trusted) {
      return false;
    }
    synchronized (FINDINGS) {
      Set<Finding> known = FINDINGS.get(kernel);
      return known == null || (gradients && !known.contains(Finding.GRADIENTS));
    }
  }

  /**
   * Tells whether a kernel was found to differ.
   *
   * @param kernel what two kernels share that compute the same
   * @return whether the code is to run instead
   */
  public static boolean isRefused(Object kernel) {
    if (TRUSTING.isBound()) {
      return false;
    }
    synchronized (FINDINGS) {
      Set<Finding> known = FINDINGS.get(kernel);
      return known != null && known.contains(Finding.DIFFERS);
    }
  }

  /**
   * Compares, and remembers.
   *
   * @param kernel what two kernels share that compute the same
   * @param name of the cell or composite, for the log
   * @param gradients whether these are gradients
   * @param actual by the kernel
   * @param expected by the code
   * @return whether they agree
   */
  public static boolean agree(
      Object kernel, String name, boolean gradients, List<Tensor> actual, List<Tensor> expected) {
    String difference = difference(actual, expected);
    synchronized (FINDINGS) {
      Set<Finding> known = FINDINGS.computeIfAbsent(kernel, k -> EnumSet.noneOf(Finding.class));
      known.add(gradients ? Finding.GRADIENTS : Finding.VALUES);
      if (difference != null) {
        known.add(Finding.DIFFERS);
      }
    }
    if (difference != null) {
      LOG.log(
          Level.WARNING,
          "the kernel made of {0} differs from it: {1} {2}. The code runs op by op from now on, which is"
              + " slower and right. Where {0} computes the same each time it runs, please report this, with"
              + " the file that -Dcarousel.dump=DIR writes",
          name,
          gradients ? "gradient" : "result",
          difference);
    }
    return difference == null;
  }

  /**
   * Says that no kernel could be made where one should be: a mistake of ours, which costs time and no more. Where
   * kernels are compared it is thrown.
   *
   * @param of what it was made of
   * @param failure what was thrown
   * @return why there is no kernel, in a user's words
   */
  public static String notMade(String of, Throwable failure) {
    if (TRUSTING.isBound()) {
      throw new IllegalStateException("no kernel could be made of " + of, failure);
    }
    LOG.log(
        Level.WARNING,
        "no kernel could be made of "
            + of
            + ", a mistake of ours: it runs op by op, slower and right. Please report this",
        failure);
    return "making its kernel failed: " + failure;
  }

  private static @Nullable String difference(List<Tensor> actual, List<Tensor> expected) {
    double greatest = 0;
    for (Tensor tensor : expected) {
      greatest = Math.max(greatest, greatest(tensor.cast(DType.F64).toDoubleArray()));
    }
    for (int i = 0; i < expected.size(); i++) {
      Tensor is = actual.get(i);
      Tensor should = expected.get(i);
      if (!is.shape().equals(should.shape())) {
        return i + " is " + is.shape() + ", not " + should.shape();
      }
      double[] a = is.cast(DType.F64).toDoubleArray();
      double[] e = should.cast(DType.F64).toDoubleArray();
      double scale = Math.max(Math.max(greatest(e), FLOOR * greatest), LEAST);
      double tolerance = should.dtype() == DType.F32 ? F32 : F64;
      for (int j = 0; j < e.length; j++) {
        if (Double.compare(a[j], e[j]) != 0 && !(Math.abs(a[j] - e[j]) <= tolerance * scale)) {
          return String.format(
              Locale.ROOT,
              "%d %s %s, element %d: %s, not %s",
              i,
              should.dtype(),
              should.shape(),
              j,
              a[j],
              e[j]);
        }
      }
    }
    return null;
  }

  private static double greatest(double... values) {
    double greatest = 0;
    for (double value : values) {
      if (Math.abs(value) > greatest && Math.abs(value) < Double.POSITIVE_INFINITY) {
        greatest = Math.abs(value);
      }
    }
    return greatest;
  }
}
