package carousel.autograd;

import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.function.DoubleFunction;
import org.jspecify.annotations.Nullable;

/**
 * The derivative of several numbers by one, from differences, with what it may be off by.
 *
 * <p>Differences {@code D(h) = [φ(h) − φ(−h)] / 2h} at three steps, each half of the one before, are
 * extrapolated to {@code R = [64·D(h/4) − 20·D(h/2) + D(h)] / 45}, of sixth order (Richardson); what the
 * last extrapolation changed, and the rounding of φ over the step, is the error that is stated. The step
 * gets smaller, or larger, until that is small: there is none that fits log at 10⁻⁴, sin(10⁴·x) and weights of
 * 10⁻⁸ alike.
 */
final class Slope {
  /** The first step, as a power of 2, in sizes of what is moved. */
  private static final int FIRST = -6;

  private static final int SMALLEST = -40;
  private static final int LARGEST = 24;
  private static final int SHRINK = 3;
  private static final int GROW = 5;

  /** How exact a slope has to be before no other step is tried. */
  private static final double ENOUGH = 1e-8;

  /** Spacings at which noise is looked for: for rounding to F64, and to F32. */
  private static final int[] NOISE_STEPS = {-28, -20};

  private static final int NOISE_FURTHER = 6;

  private static final int NOISE_POINTS = 9;

  /** Steps at which kinks are looked for. */
  private static final int WIDE = -12;

  private static final int NARROW = -20;

  private final DoubleFunction<@Nullable Values> phi;
  private final Values base;
  private final double epsilon;
  private final double[] noise;
  private final Map<Integer, @Nullable Values> known = new HashMap<>();
  private boolean isSteep;

  /** Of each number: the slope, and what it may be off by; infinite where there is none. */
  final double[] slope;

  final double[] error;

  /** Of each number, whether what is left is rounding, rather than the step. */
  final boolean[] rounding;

  /**
   * Numbers, and the sizes of what they were added up from, which rounding goes by.
   *
   * @param numbers NaN where there is none
   * @param sizes at least as large
   */
  record Values(double[] numbers, double[] sizes) {
    static Values of(double[] numbers) {
      double[] sizes = numbers.clone();
      for (int i = 0; i < sizes.length; i++) {
        sizes[i] = Math.abs(sizes[i]);
      }
      return new Values(numbers, sizes);
    }
  }

  private Slope(DoubleFunction<@Nullable Values> phi, Values base, double epsilon, double noise) {
    this.phi = phi;
    this.base = base;
    this.epsilon = epsilon;
    int n = base.numbers().length;
    this.noise = new double[n];
    Arrays.fill(this.noise, noise);
    slope = new double[n];
    error = new double[n];
    rounding = new boolean[n];
    Arrays.fill(error, Double.POSITIVE_INFINITY);
  }

  /**
   * The slope at 0.
   *
   * @param phi the numbers at a step; null where there are none, as outside of its domain
   * @param base the numbers at 0
   * @param epsilon of the type that it computes in
   * @param noise how far two values at one point may be apart
   */
  static Slope of(DoubleFunction<@Nullable Values> phi, Values base, double epsilon, double noise) {
    var slope = new Slope(phi, base, epsilon, noise);
    slope.search(epsilon < 1e-10 ? FIRST : FIRST + 2);
    return slope;
  }

  private void search(int first) {
    estimate(first, false);
    int down = first - SHRINK;
    int up = first + GROW;
    for (int next = next(); next != 0; next = next()) {
      if (next < 0 && down - 2 >= SMALLEST) {
        estimate(down, false);
        down -= SHRINK;
      } else if (up <= LARGEST) {
        estimate(up, true);
        up += GROW;
      } else {
        return;
      }
    }
  }

  /**
   * Looks for noise in the values, as rounding inside of the function makes it, and finds the slopes again: at points
   * that lie close, higher differences of what is smooth vanish, and those of noise do not (Moré and Wild 2011).
   *
   * @return whether there is more than the size of the values tells
   */
  boolean findNoise() {
    boolean found = false;
    for (int exponent : NOISE_STEPS) {
      double[] near = noiseAt(exponent);
      double[] far = noiseAt(exponent + NOISE_FURTHER);
      for (int i = 0; i < noise.length; i++) {
        // That of a kink would be larger, as the spacing is.
        boolean same = far[i] <= 8 * near[i];
        double of = Math.max(near[i], far[i]);
        if (same && of > Math.max(noise[i], epsilon * base.sizes()[i])) {
          noise[i] = of;
          found = true;
        }
      }
    }
    if (found) {
      Arrays.fill(error, Double.POSITIVE_INFINITY);
      Arrays.fill(slope, 0);
      search(epsilon < 1e-10 ? FIRST : FIRST + 2);
    }
    return found;
  }

  private double[] noiseAt(int exponent) {
    double[][] rows = new double[NOISE_POINTS][];
    double[] all = new double[noise.length];
    for (int k = 0; k < NOISE_POINTS; k++) {
      Values values = phi.apply((k - NOISE_POINTS / 2) * Math.scalb(1.0, exponent));
      if (values == null) {
        return all;
      }
      rows[k] = values.numbers();
    }
    for (int i = 0; i < all.length; i++) {
      all[i] = noiseOf(rows, i);
    }
    return all;
  }

  /** The noise of a number at points that lie close; 0 if its higher differences vanish. */
  private static double noiseOf(double[][] rows, int i) {
    double[] differences = new double[rows.length];
    for (int k = 0; k < differences.length; k++) {
      differences[k] = rows[k][i];
    }
    double gamma = 1; // of the k-th differences of noise of variance 1, the variance: (2k)! / (k!)²
    double least = Double.POSITIVE_INFINITY;
    double most = 0;
    for (int order = 1; order < differences.length; order++) {
      int left = differences.length - order;
      double squares = 0;
      for (int k = 0; k < left; k++) {
        differences[k] = differences[k + 1] - differences[k];
        squares += differences[k] * differences[k];
      }
      gamma *= 2.0 * (2 * order - 1) / order;
      double deviation = Math.sqrt(squares / left / gamma);
      if (order >= 3 && left > 1) {
        least = Math.min(least, deviation);
        most = Math.max(most, deviation);
      }
    }
    return most <= 8 * least ? 2 * most : 0;
  }

  /** Takes larger steps, for a change that does not show above the rounding of the values. */
  void refine() {
    for (int up = FIRST + GROW; up <= LARGEST; up += GROW) {
      estimate(up, true);
    }
  }

  /** Whether a number is not yet exact enough: beside the others' slopes, or, if it does not change, in size. */
  private boolean isOpen(int i, double largest) {
    double enough = Math.max(ENOUGH, 32 * epsilon);
    boolean isExact = error[i] <= enough * Math.max(Math.abs(slope[i]), 1e-4 * largest);
    boolean isFlat = Math.abs(slope[i]) <= error[i] && error[i] <= 4096 * epsilon * base.sizes()[i];
    return Double.isFinite(base.numbers()[i]) && !isExact && !isFlat;
  }

  /** What to do next: 0 if all is exact enough, 1 if the step is too small, −1 if it is too large. */
  private int next() {
    double largest = 0;
    for (double s : slope) {
      largest = Math.max(largest, Math.abs(s));
    }
    int next = 0;
    for (int i = 0; i < slope.length; i++) {
      if (isOpen(i, largest)) {
        if (!rounding[i]) {
          return -1;
        }
        next = 1;
      }
    }
    return next;
  }

  /**
   * Tries a step.
   *
   * @param larger than before, for the sake of rounding: a function that levels off gives slopes of nearly
   *     0 then, exact in size, and wrong; so it has to settle, and what was found before has to allow for it
   */
  private void estimate(int exponent, boolean larger) {
    Values[] up = new Values[3];
    Values[] down = new Values[3];
    for (int k = 0; k < 3; k++) {
      Values plus = at(exponent - k, 1);
      Values minus = plus == null ? null : at(exponent - k, -1);
      if (plus == null || minus == null) {
        return;
      }
      up[k] = plus;
      down[k] = minus;
    }
    double h = Math.scalb(1.0, exponent);
    for (int i = 0; i < slope.length; i++) {
      double d0 = (up[0].numbers()[i] - down[0].numbers()[i]) / (2 * h);
      double d1 = (up[1].numbers()[i] - down[1].numbers()[i]) / h;
      double d2 = (up[2].numbers()[i] - down[2].numbers()[i]) / (h / 2);
      double r1 = (4 * d1 - d0) / 3;
      double r2 = (4 * d2 - d1) / 3;
      double r = (16 * r2 - r1) / 15;
      double size = Math.max(base.sizes()[i], Math.max(up[2].sizes()[i], down[2].sizes()[i]));
      double lost = (4 * epsilon * size + 2 * noise[i]) / (h / 4);
      double off = Math.abs(r - r2) + lost;
      boolean settled = r != 0 && Math.abs(r - r2) <= 0.02 * Math.abs(r);
      boolean fits = !larger || (settled && Math.abs(r - slope[i]) <= 2 * (off + error[i]));
      if (off < error[i] && fits) {
        slope[i] = r;
        error[i] = off;
        rounding[i] = lost > Math.abs(r - r2);
      }
    }
  }

  private @Nullable Values at(int exponent, int sign) {
    return known.computeIfAbsent(
        sign * (1000 + exponent), k -> phi.apply(sign * Math.scalb(1.0, exponent)));
  }

  /**
   * Tells whether a number has a kink or a jump at 0: the slopes to its two sides do not come together, or
   * its difference does not go away, when the step gets a hundred times smaller.
   *
   * @param weights what is looked at: the sum of the numbers with these weights
   */
  boolean hasKink(double[] weights) {
    Values wideUp = at(WIDE, 1);
    Values wideDown = at(WIDE, -1);
    Values up = at(NARROW, 1);
    Values down = at(NARROW, -1);
    if (wideUp == null || wideDown == null || up == null || down == null) {
      isSteep = true;
      return true; // the edge of its domain
    }
    double wide = bend(weights, wideUp, wideDown) / Math.scalb(1.0, WIDE);
    double narrow = bend(weights, up, down) / Math.scalb(1.0, NARROW);
    isSteep = narrow > 4 * wide;
    double size = 0;
    double off = 0;
    double rise = 0;
    double wideRise = 0;
    for (int i = 0; i < weights.length; i++) {
      if (weights[i] != 0) {
        size += Math.abs(weights[i]) * Math.max(base.sizes()[i], up.sizes()[i]);
        off += Math.abs(weights[i]) * noise[i];
        rise += weights[i] * (up.numbers()[i] - down.numbers()[i]);
        wideRise += weights[i] * (wideUp.numbers()[i] - wideDown.numbers()[i]);
      }
    }
    double lost = 16 * (epsilon * size + off) / Math.scalb(1.0, NARROW);
    boolean bends = narrow > wide / 16 && narrow > lost;
    boolean jumps =
        Math.abs(rise) > Math.abs(wideRise) / 16
            && Math.abs(rise) / Math.scalb(1.0, NARROW) > 4 * lost;
    isSteep |= jumps;
    return bends || jumps || !Double.isFinite(narrow + wide);
  }

  /** Whether, at the kink that was found, the slope grows without end. */
  boolean isSteep() {
    return isSteep;
  }

  /** Whether something is between the slopes to the two sides of a kink. */
  boolean isBetweenSides(double[] weights, double claim) {
    Values up = at(NARROW, 1);
    Values down = at(NARROW, -1);
    if (up == null || down == null) {
      return true;
    }
    double h = Math.scalb(1.0, NARROW);
    double right = 0;
    double left = 0;
    double lost = 0;
    for (int i = 0; i < weights.length; i++) {
      if (weights[i] != 0) {
        right += weights[i] * (up.numbers()[i] - base.numbers()[i]) / h;
        left += weights[i] * (base.numbers()[i] - down.numbers()[i]) / h;
        double size = Math.max(base.sizes()[i], up.sizes()[i]);
        lost += Math.abs(weights[i]) * 16 * (epsilon * size + noise[i]) / h;
      }
    }
    double slack = 1e-3 * Math.max(Math.abs(right), Math.abs(left)) + lost;
    return claim >= Math.min(right, left) - slack && claim <= Math.max(right, left) + slack;
  }

  private double bend(double[] weights, Values up, Values down) {
    double sum = 0;
    for (int i = 0; i < weights.length; i++) {
      if (weights[i] != 0) {
        sum += weights[i] * (up.numbers()[i] + down.numbers()[i] - 2 * base.numbers()[i]);
      }
    }
    return Math.abs(sum);
  }
}
