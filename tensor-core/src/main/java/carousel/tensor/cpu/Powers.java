package carousel.tensor.cpu;

import carousel.tensor.DType;
import carousel.tensor.cpu.Table.FoldKind;
import carousel.tensor.cpu.loop.Exponentials;
import carousel.tensor.cpu.loop.Fold;

/**
 * Of a row x its greatest element and {@code Σ e^(x − max)}, whose logarithm is found to the last places
 * also where one element outweighs all others: beside its 1 they would be rounded away, in F32 all below
 * 10⁻⁷. They are summed a second time there, without it.
 */
final class Powers {
  /** From this sum on the others are a share of it that is seen well enough in the sum. */
  private static final double PLAIN = 1.25;

  private final Fold max;
  private final Exponentials exponentials;
  private final Element element;

  Powers(Table table, DType type) {
    this.max = table.fold(FoldKind.MAX, type);
    this.exponentials = table.exponentials(type);
    this.element = Element.of(type);
  }

  /** The greatest of n elements; NaN if one is. */
  double max(long x, int n) {
    return max.run(x, n);
  }

  /** {@code out_i = factor · e^(x_i − max)}, if out is not 0; returns the sum without the factor. */
  double run(long x, int n, double greatest, double factor, long out) {
    return exponentials.run(x, n, greatest, factor, out);
  }

  /** The logarithm of the sum that {@link #run} gave, which is NaN if the greatest is infinite. */
  double log(long x, int n, double greatest, double sum) {
    return sum < PLAIN ? Math.log1p(beside(x, n, greatest, place(x, n, greatest))) : Math.log(sum);
  }

  /**
   * {@code Σ e^(x_j − max)} of all j but one.
   *
   * @param sum that of all
   * @param one the exponential of the one
   */
  double others(long x, int n, double greatest, double sum, int at, double one) {
    return one * PLAIN > sum ? beside(x, n, greatest, at) : sum - one;
  }

  private double beside(long x, int n, double greatest, int at) {
    long after = x + (at + 1L) * element.size();
    return run(x, at, greatest, 1, 0) + run(after, n - at - 1, greatest, 1, 0);
  }

  private int place(long x, int n, double greatest) {
    int i = 0;
    while (i < n - 1 && element.get(x + (long) i * element.size()) != greatest) {
      i++;
    }
    return i;
  }
}
