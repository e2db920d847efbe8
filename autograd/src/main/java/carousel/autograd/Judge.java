package carousel.autograd;

import carousel.autograd.GradReport.Kind;
import carousel.tensor.DType;
import carousel.tensor.Tensor;
import carousel.tensor.TensorException;
import carousel.tensor.TensorScope;
import java.util.Arrays;
import java.util.List;
import java.util.function.DoubleFunction;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Holds what a gradient says of a direction to the slope of the function in that direction. */
final class Judge {
  /** Results up to this size are looked at number by number; larger ones by weighted sums of parts. */
  static final int MOST_NUMBERS = 4096;

  private static final int PARTS = 64;

  /** The part of a gradient that has to show above the uncertainty of a slope. */
  private static final double RESOLUTION = 1e-3;

  private static final double NARROW_RESOLUTION = 0.1;

  /** Beside the largest part of a gradient, what is smaller than this may be the rounding of sums. */
  private static final double FLOOR = 3e-8;

  /** Beside the largest part of a gradient, what is too small for its relative error to be of interest. */
  private static final double SMALL = 1e-6;

  /** What rounding leaves of sums that cancel, in units of the last place. */
  private static final int CANCELLED = 256;

  /** What is larger is about to overflow. */
  private static final double LARGEST = 1e100;

  /** Of an uncertainty, what a distance may have. */
  private static final int SURE = 4;

  /** Some number that no step is a multiple of. */
  private static final double SHORTER = 0.00731;

  private final GradCheck settings;
  private final Trial trial;
  private final Supplier<Tensor> function;
  private final Tensor cotangent;
  private final double epsilon;
  private final Slope.Values base;
  private final double[] weights;
  private final double ground;
  private final double below;
  private boolean changesShape;
  private boolean isFinite = true;

  /**
   * What a comparison says.
   *
   * @param kind what is wrong, or why it cannot be told; null if they agree
   * @param distance relative to the larger of the two; 0 where both are small
   */
  record Judged(
      @Nullable Kind kind, double analytic, double numeric, double uncertainty, double distance) {
    /** Per unit of an element that was moved by a step. */
    Judged per(double step) {
      return new Judged(
          kind, analytic / step, numeric / step, Math.abs(uncertainty / step), distance);
    }

    Judged as(@Nullable Kind other) {
      return new Judged(other, analytic, numeric, uncertainty, distance);
    }

    boolean isWrong() {
      return kind != null && kind.verdict() == GradReport.Verdict.WRONG;
    }
  }

  /**
   * What a gradient says of a direction.
   *
   * @param value {@code Σ g·d}
   * @param size {@code √Σ(g·d)²}: what it is added up from
   * @param scale the largest element of the whole gradient, in sizes of what it is the gradient by
   * @param single whether one element is moved: at a kink, its gradient is between the slopes to the two sides
   */
  record Claim(double value, double size, double scale, boolean single) {}

  /**
   * A function, with its value at the point of the trial.
   *
   * @param function gives a vector of what the leaves hold
   * @param y its value
   * @param cotangent how its numbers are weighted
   * @param below the largest of what it was computed from, in lower orders
   */
  Judge(
      GradCheck settings,
      Trial trial,
      Supplier<Tensor> function,
      Tensor y,
      Tensor cotangent,
      double below) {
    this.settings = settings;
    this.trial = trial;
    this.function = function;
    this.cotangent = cotangent;
    this.epsilon = trial.epsilon();
    this.base = probes(y);
    this.weights = isSmall() ? cotangent.toDoubleArray() : new double[base.numbers().length];
    if (!isSmall()) {
      Arrays.fill(weights, 1);
    }
    double sum = 0;
    for (int i = 0; i < weights.length; i++) {
      if (Double.isFinite(base.numbers()[i])) {
        sum += Math.abs(weights[i]) * base.sizes()[i];
      } else {
        weights[i] = 0;
        isFinite = false;
      }
    }
    ground = Math.max(sum, below);
    this.below = below;
  }

  private boolean isSmall() {
    return cotangent.size() <= MOST_NUMBERS;
  }

  /** What is looked at of a result: its numbers, or the weighted sums of its parts. */
  private Slope.Values probes(Tensor y) {
    if (isSmall()) {
      return Slope.Values.of(y.toDoubleArray());
    }
    Tensor weighted = y.mul(cotangent);
    long each = (y.size() + PARTS - 1) / PARTS;
    double[] sums = new double[PARTS];
    double[] sizes = new double[PARTS];
    for (int i = 0; i < PARTS && i * each < y.size(); i++) {
      long length = Math.min(each, y.size() - i * each);
      Tensor part = weighted.narrow(0, Math.toIntExact(i * each), Math.toIntExact(length));
      sums[i] = part.sum().item();
      sizes[i] = part.square().sum().sqrt().item();
    }
    return new Slope.Values(sums, sizes);
  }

  /** The size of what rounding errors come from. */
  double ground() {
    return ground;
  }

  /** The weights of the numbers that are looked at: those of the cotangent, 0 for what is not finite. */
  double[] weights() {
    return weights;
  }

  /** Whether all numbers of the function were the same for steps in some direction. */
  boolean isFlat(List<@Nullable Tensor> direction) {
    Slope.Values up = at(0.37, direction);
    Slope.Values down = at(-0.37, direction);
    trial.moveToPoint();
    return up != null
        && down != null
        && Arrays.equals(up.numbers(), base.numbers())
        && Arrays.equals(down.numbers(), base.numbers());
  }

  private Slope.@Nullable Values at(double t, List<@Nullable Tensor> direction) {
    trial.move(t, direction);
    try (var scope = TensorScope.openUnwatched()) {
      Tensor y = function.get();
      if (y.size() != cotangent.size()) {
        changesShape = true;
        return null;
      }
      Slope.Values values = probes(y);
      return Arrays.stream(values.numbers()).allMatch(Double::isNaN) ? null : values;
    } catch (TensorException | IndexOutOfBoundsException e) {
      return null; // not defined there
    }
  }

  /** The slope in a direction; the leaves are back at the point afterwards. */
  Slope slope(List<@Nullable Tensor> direction) {
    DoubleFunction<Slope.@Nullable Values> phi = t -> at(t, direction);
    try {
      return Slope.of(phi, base, epsilon, settings.noise());
    } finally {
      trial.moveToPoint();
    }
  }

  /** Judges a claim by a slope of its own. */
  Judged judge(List<@Nullable Tensor> direction, Claim claim) {
    return judge(slope(direction), direction, claim, weights);
  }

  /**
   * Judges a claim.
   *
   * @param of the weights of the numbers that it is about
   */
  Judged judge(Slope slope, List<@Nullable Tensor> direction, Claim claim, double[] of) {
    Judged first = resolved(slope, claim, of);
    if (first.kind() == null) {
      return first;
    }
    if (first.kind() == Kind.GRADIENT) {
      boolean noisy = slope.findNoise();
      trial.moveToPoint();
      if (noisy) {
        first = resolved(slope, claim, of);
        if (first.kind() == null) {
          return first;
        }
      }
    }
    try {
      if (first.isWrong() || first.kind() == Kind.STEP) {
        if (changesShape) {
          return first.as(Kind.SHAPE);
        }
        boolean kink = slope.hasKink(of) && (Double.isFinite(claim.value()) || slope.isSteep());
        if (kink
            && claim.single()
            && !slope.isSteep()
            && !slope.isBetweenSides(of, claim.value())) {
          return first.as(Kind.GRADIENT);
        }
        if (kink) {
          return first.as(Kind.KINK);
        }
      }
    } finally {
      trial.moveToPoint();
    }
    if (first.isWrong()) {
      // By chance, steps can fit a wave. What is wrong is so with others, too.
      List<@Nullable Tensor> shorter = trial.none();
      for (int i = 0; i < shorter.size(); i++) {
        Tensor d = direction.get(i);
        shorter.set(i, d == null ? null : d.mul(SHORTER));
      }
      Judged again =
          resolved(
              slope(shorter),
              new Claim(
                  claim.value() * SHORTER, claim.size() * SHORTER, claim.scale(), claim.single()),
              of);
      double off = Math.abs(again.numeric() / SHORTER - first.numeric());
      if (!(off <= SURE * (first.uncertainty() + again.uncertainty() / SHORTER)
          || off <= 1e-3 * Math.abs(first.numeric()))) {
        // The values themselves may be that far off, where they are small beside what they are made
        // of.
        boolean isSmall = Math.abs(claim.value()) <= FLOOR * claim.scale();
        return first.as(isSmall ? null : Kind.STEP);
      }
      return again.kind() == null ? again : first;
    }
    return first;
  }

  /** Compares, with larger steps where the claim is lost in rounding. */
  private Judged resolved(Slope slope, Claim claim, double[] of) {
    Judged judged = compare(slope, claim, of);
    boolean isLost =
        judged.kind() == null
            && claim.value() != 0
            && SURE * judged.uncertainty() > Math.abs(claim.value());
    if (isLost) {
      slope.refine();
      trial.moveToPoint();
      return compare(slope, claim, of);
    }
    return judged;
  }

  private Judged compare(Slope slope, Claim claim, double[] of) {
    double numeric = 0;
    double uncertainty = 0;
    boolean rounding = true;
    for (int i = 0; i < of.length; i++) {
      if (of[i] != 0) {
        numeric += of[i] * slope.slope[i];
        uncertainty += Math.abs(of[i]) * slope.error[i];
        rounding &= slope.rounding[i];
      }
    }
    double a = claim.value();
    double larger = Math.max(Math.abs(a), Math.abs(numeric));
    double distance = larger == 0 ? 0 : Math.abs(a - numeric) / larger;
    if (!Double.isFinite(uncertainty) || Math.abs(numeric) > LARGEST) {
      return new Judged(Kind.STEP, a, numeric, uncertainty, distance);
    }
    if (!Double.isFinite(a)) {
      // Beside a value that is not finite, 0 · ∞ may be had.
      Kind kind = isFinite ? Kind.NOT_FINITE : Kind.VALUE;
      return new Judged(kind, a, numeric, uncertainty, distance);
    }
    // Of what cancels, rounding is left; of what does not change, the gradient may be that.
    double rest = CANCELLED * epsilon * Math.max(ground, claim.scale());
    double tolerance =
        settings.relative() * larger
            + settings.absolute()
            + SURE * uncertainty
            + CANCELLED * epsilon * Math.max(claim.size(), FLOOR * claim.scale());
    boolean isNothing =
        Math.abs(a) <= rest
            && Math.abs(numeric) <= SURE * uncertainty + CANCELLED * epsilon * below;
    if (isNothing) {
      return new Judged(null, a, numeric, uncertainty, 0);
    }
    if (!(Math.abs(a - numeric) <= tolerance)) {
      return new Judged(Kind.GRADIENT, a, numeric, uncertainty, distance);
    }
    double resolution =
        Math.max(epsilon < 1e-10 ? RESOLUTION : NARROW_RESOLUTION, settings.relative());
    double shows =
        resolution * Math.max(Math.max(larger, claim.size()), FLOOR * claim.scale())
            + settings.absolute();
    boolean tells = SURE * uncertainty <= shows;
    Kind kind = tells ? null : rounding ? Kind.ROUNDING : Kind.STEP;
    boolean isSmall = larger <= SMALL * Math.max(claim.scale(), claim.size());
    return new Judged(kind, a, numeric, uncertainty, isSmall ? 0 : distance);
  }

  /** A leaf in F64. */
  static Tensor wide(Tensor x) {
    return x.dtype() == DType.F64 ? x : x.cast(DType.F64);
  }
}
