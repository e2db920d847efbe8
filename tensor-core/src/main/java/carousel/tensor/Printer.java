package carousel.tensor;

import java.util.Locale;

/**
 * Prints tensors: {@code F32 [2,3]} and nested brackets, numbers aligned, large axes abridged. The largest number
 * decides on the notation; one beside it that would read as 0, and is not, has an exponent of its own.
 */
final class Printer {
  private static final int WHOLE = 1000;
  private static final int EDGE = 3;
  private static final int USUAL = -1;

  /** Of the largest number, from which on it has an exponent. */
  private static final double HUGE = 1e6;

  /** As {@link #HUGE}, where the digits after the point were asked for. */
  private static final double HUGE_WITH_DECIMALS = 1e15;

  private final Tensor tensor;
  private final boolean abridged;
  private final StringBuilder out = new StringBuilder();
  private final int wanted;
  private int width;
  private double largest;
  private boolean fractions;

  private Printer(Tensor tensor, int wanted) {
    this.tensor = tensor;
    this.abridged = tensor.size() > WHOLE;
    this.wanted = wanted;
  }

  /** As is usual: four digits after the point, one where there are no fractions. */
  static String print(Tensor x) {
    return print(x, USUAL);
  }

  /** With so many digits after the point. */
  static String print(Tensor x, int decimals) {
    String head = x.dtype() + " " + x.shape();
    if (!x.storage().isOpen()) {
      return head + " (closed)";
    }
    if (x.size() == 0) {
      return head + " (empty)";
    }
    var printer = new Printer(x, decimals);
    printer.measure(x.layout(), true);
    printer.measure(x.layout(), false);
    printer.block(x.layout(), 0);
    return head + (x.rank() == 0 ? " " : "\n") + printer.out;
  }

  private int[] shown(int n) {
    if (!abridged || n <= 2 * EDGE) {
      int[] all = new int[n];
      for (int i = 0; i < n; i++) {
        all[i] = i;
      }
      return all;
    }
    return new int[] {0, 1, 2, -1, n - 3, n - 2, n - 1};
  }

  /** First decides on the notation, then on the width. */
  private void measure(Layout at, boolean notation) {
    if (at.shape().rank() == 0) {
      double v = tensor.over(at).item();
      if (!notation) {
        width = Math.max(width, format(v).length());
      } else if (Double.isFinite(v)) {
        fractions |= v != Math.rint(v);
        largest = Math.max(largest, Math.abs(v));
      }
      return;
    }
    for (int i : shown(at.shape().dim(0))) {
      if (i >= 0) {
        measure(at.select(0, i), notation);
      }
    }
  }

  private void block(Layout at, int depth) {
    int rank = at.shape().rank();
    if (rank == 0) {
      String text = format(tensor.over(at).item());
      out.append(" ".repeat(Math.max(0, width - text.length()))).append(text);
      return;
    }
    out.append('[');
    boolean first = true;
    for (int i : shown(at.shape().dim(0))) {
      if (!first) {
        out.append(rank == 1 ? ", " : ",\n".concat(" ".repeat(depth + 1)));
      }
      first = false;
      if (i < 0) {
        out.append("...");
      } else {
        block(at.select(0, i), depth + 1);
      }
    }
    out.append(']');
  }

  private String format(double v) {
    if (tensor.dtype() == DType.BOOL) {
      return v != 0 ? "true" : "false";
    }
    if (!Double.isFinite(v)) {
      return Double.isNaN(v) ? "NaN" : v > 0 ? "∞" : "-∞";
    }
    if (tensor.dtype() == DType.I32) {
      return Long.toString((long) v);
    }
    boolean usual = wanted == USUAL;
    int decimals = usual ? fractions ? 4 : 1 : wanted;
    double least = usual ? 1e-4 : 0.5 * Math.pow(10, -decimals);
    if (largest >= (usual ? HUGE : HUGE_WITH_DECIMALS) || (largest > 0 && largest < least)) {
      return String.format(Locale.ROOT, "%." + (usual ? 4 : decimals) + "e", v);
    }
    boolean readsAsZero = v != 0 && Math.abs(v) < 0.5 * Math.pow(10, -decimals);
    return String.format(Locale.ROOT, readsAsZero ? "%.0e" : "%." + decimals + "f", v);
  }
}
