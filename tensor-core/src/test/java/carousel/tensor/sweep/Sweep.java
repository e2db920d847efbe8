package carousel.tensor.sweep;

import carousel.tensor.DType;
import carousel.tensor.cpu.loop.Kernels;
import carousel.tensor.cpu.loop.Loop;
import carousel.tensor.op.Unary;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.List;
import java.util.function.DoublePredicate;
import java.util.stream.DoubleStream;

/**
 * Compares a row's loop on F32 with the row's definition in double precision, whose error is some 2⁻²⁹
 * of a unit in the last place of F32. It goes through stretches of neighbours x and, beside them, −x.
 */
final class Sweep {
  /** Numbers in a stretch. */
  static final int STRETCH = 4096;

  /** Stretches that make all numbers of one sign, NaNs among them. */
  static final int STRETCHES = (int) ((1L << 31) / STRETCH);

  private static final int WIDTH = STRETCH + 1;

  private final Unary row;
  private final Loop loop;
  private final MemorySegment x;
  private final MemorySegment y;
  private final boolean isOdd;
  private final boolean isEven;

  private long numbers;
  private double worst;
  private float worstAt;
  private long falls;
  private float fallsAt;
  private long uneven;
  private float unevenAt;
  private long odd;
  private float oddAt;
  private float least = Float.POSITIVE_INFINITY;
  private float greatest = Float.NEGATIVE_INFINITY;
  private float exactLeast = Float.POSITIVE_INFINITY;
  private float exactGreatest = Float.NEGATIVE_INFINITY;

  Sweep(Unary row, Kernels kernels, Arena memory) {
    this.row = row;
    this.loop = kernels.unary(row, DType.F32);
    this.isOdd = all(probe -> row.scalar(-probe) == -row.scalar(probe));
    this.isEven = all(probe -> row.scalar(-probe) == row.scalar(probe));
    this.x = memory.allocate(4L * WIDTH + Loop.SPLAT_BYTES, Loop.SPLAT_BYTES);
    this.y = memory.allocate(4L * WIDTH + Loop.SPLAT_BYTES, Loop.SPLAT_BYTES);
  }

  private static boolean all(DoublePredicate holds) {
    return DoubleStream.of(1e-3, 0.3, 0.7, 1.7, 4, 30.5).allMatch(holds);
  }

  /** The rows that there are to sweep: of one number of F32, to another. */
  static List<Unary> rows() {
    return Arrays.stream(Unary.values())
        .filter(row -> row.domain().accepts(DType.F32) && row.result(DType.F32) == DType.F32)
        .toList();
  }

  /**
   * The definition of a row on a stretch and on the first number of the next, in the order of their bits,
   * which is that of the numbers. It is the same for all families of loops.
   */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  record Exact(int number, double[] positive, double[] negative) {
    static Exact of(Unary row, int number) {
      int first = number * STRETCH;
      double[] positive = new double[width(first)];
      double[] negative = new double[positive.length];
      for (int i = 0; i < positive.length; i++) {
        float at = Float.intBitsToFloat(first + i);
        positive[i] = row.scalar(at);
        negative[i] = row.scalar(-at);
      }
      return new Exact(number, positive, negative);
    }
  }

  /** What follows the last NaN is −0. */
  private static int width(int first) {
    return first + STRETCH < 0 ? STRETCH : WIDTH;
  }

  /** Looks at a stretch, and at the first number of the next. */
  void stretch(int number) {
    stretch(Exact.of(row, number));
  }

  /** Looks at a stretch of which the definition was worked out. */
  void stretch(Exact exact) {
    int first = exact.number() * STRETCH;
    float before = 0;
    float beforeNegative = 0;
    double exactBefore = Double.NaN;
    double exactBeforeNegative = Double.NaN;
    float[] positive = results(first, 0);
    float[] negative = results(first, Integer.MIN_VALUE);
    for (int i = 0; i < positive.length; i++) {
      float at = Float.intBitsToFloat(first + i);
      double here = exact.positive()[i];
      double hereNegative = exact.negative()[i];
      check(at, positive[i], here);
      check(-at, negative[i], hereNegative);
      order(at, before, positive[i], exactBefore, here);
      order(-at, beforeNegative, negative[i], exactBeforeNegative, hereNegative);
      symmetry(at, positive[i], negative[i]);
      before = positive[i];
      beforeNegative = negative[i];
      exactBefore = here;
      exactBeforeNegative = hereNegative;
    }
    if (first == 0) {
      order(0, negative[1], positive[0], row.scalar(-Float.MIN_VALUE), row.scalar(0));
    }
    numbers += 2L * STRETCH;
  }

  private float[] results(int first, int sign) {
    int n = width(first);
    for (int i = 0; i < n; i++) {
      x.setAtIndex(ValueLayout.JAVA_INT, i, first + i | sign);
    }
    loop.run(x.address(), 1, x.address(), 1, x.address(), 1, y.address(), n);
    return y.asSlice(0, 4L * n).toArray(ValueLayout.JAVA_FLOAT);
  }

  private void check(float at, float got, double exact) {
    if (Double.isNaN(exact) || Double.isNaN(got)) {
      odd(at, Double.isNaN(exact) && Double.isNaN(got));
      return;
    }
    float rounded = (float) exact;
    least = Math.min(least, got);
    greatest = Math.max(greatest, got);
    exactLeast = Math.min(exactLeast, rounded);
    exactGreatest = Math.max(exactGreatest, rounded);
    if (got == 0) {
      odd(at, Float.floatToRawIntBits(got) < 0 == Double.doubleToRawLongBits(exact) < 0);
    }
    if (Double.isInfinite(exact)) {
      odd(at, got == exact);
      return;
    }
    int exponent = Math.clamp(Math.getExponent(exact), Float.MIN_EXPONENT, Float.MAX_EXPONENT);
    double error = Math.abs(inRange(got) - inRange(exact)) * Math.scalb(1.0, 23 - exponent);
    if (error > worst) {
      worst = error;
      worstAt = at;
    }
  }

  /** What is out of range stands for the number that would come after the greatest. */
  private static double inRange(double value) {
    return Math.clamp(value, -0x1p128, 0x1p128);
  }

  private void odd(float at, boolean right) {
    if (!right) {
      odd++;
      oddAt = at;
    }
  }

  private void order(float at, float before, float got, double exactBefore, double exact) {
    if ((exact > exactBefore && got < before) || (exact < exactBefore && got > before)) {
      falls++;
      fallsAt = at;
    }
  }

  private void symmetry(float at, float got, float gotNegative) {
    boolean wrong = (isOdd && gotNegative != -got) || (isEven && gotNegative != got);
    if (wrong && !Float.isNaN(got)) {
      uneven++;
      unevenAt = at;
    }
  }

  Figures figures() {
    return new Figures(
        numbers,
        worst,
        worstAt,
        falls,
        fallsAt,
        uneven,
        unevenAt,
        odd,
        oddAt,
        least,
        greatest,
        exactLeast,
        exactGreatest);
  }
}
