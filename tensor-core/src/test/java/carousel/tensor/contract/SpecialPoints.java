package carousel.tensor.contract;

import carousel.tensor.DType;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;

/**
 * Holds derivatives, to the third order, to one-sided limits at points where a function or its rule has a
 * case of its own: a kink, a tie, an origin, the border of a mask.
 *
 * <p>A function of tensors is looked at along a line, {@code φ(t) = f(x + t d)} at t = 0. What its k-th
 * derivative may be there follows from values of φ on either side, never from a rule: where its limits
 * from both sides exist, the derivative lies between them, and is theirs where they are one; where one
 * exists, because φ is not defined on the other side, it is that. Where no limit exists anything may come
 * out. Where a lower derivative jumps there is no higher one: what comes out lies between those of the sides
 * or is 0, the derivative of a constant at the jump. From a side on which φ itself jumps it has none. Values are F64; derivatives are also asked for in F32, whose numbers end earlier.
 */
public final class SpecialPoints {
  private static final int ORDERS = 3;

  /** First step of the differences, and how often it is halved: each time one more power of it goes. */
  private static final double STEP = 0.04;

  private static final int HALVINGS = 4;

  /** Two estimates that differ by more than this share are not of a limit. */
  private static final double CONVERGED = 1e-3;

  private final Gradient gradient;
  private final List<String> wrong = new ArrayList<>();
  private int held;

  /** Takes the gradient of a scalar; zeros if it does not depend on x. */
  @FunctionalInterface
  public interface Gradient {
    Tensor of(Supplier<Tensor> scalar, Tensor x);
  }

  public SpecialPoints(Gradient gradient) {
    this.gradient = gradient;
  }

  /** What is wrong so far, a line each. */
  public List<String> wrong() {
    return wrong;
  }

  /** How many derivatives were held to limits. */
  public int held() {
    return held;
  }

  /**
   * Looks along one line.
   *
   * @param name for messages
   * @param f from tensors to a tensor; all of it is summed, three times
   * @param at the point, an array for each input: one number is a scalar, more are {@code [n]}
   * @param along the direction, likewise
   */
  public void along(String name, UnaryOperator<Tensor[]> f, double[][] at, double[][] along) {
    double here = value(f, at, along, 0);
    if (Double.isNaN(here)) {
      return; // not a point of the function
    }
    double[][] above = values(f, at, along, STEP);
    double[][] below = values(f, at, along, -STEP);
    boolean jumps = false;
    for (int order = 1; order <= ORDERS; order++) {
      double[] limits = {
        leaps(above, here) ? Double.NaN : limit(above, order, STEP),
        leaps(below, here) ? Double.NaN : limit(below, order, -STEP)
      };
      double[] known = Arrays.stream(limits).filter(Double::isFinite).sorted().toArray();
      if (known.length == 0) {
        continue;
      }
      double low = jumps ? Math.min(0, known[0]) : known[0];
      double high = jumps ? Math.max(0, known[known.length - 1]) : known[known.length - 1];
      jumps |= high - low > CONVERGED * (1 + Math.max(Math.abs(low), Math.abs(high)));
      for (DType type : new DType[] {DType.F64, DType.F32}) {
        double actual = derivative(f, at, along, order, type);
        double slack =
            (type == DType.F64 ? 5e-3 : 2e-2) * (1 + Math.max(Math.abs(low), Math.abs(high)));
        held++;
        if (!(actual >= low - slack && actual <= high + slack)) {
          wrong.add(
              String.format(
                  Locale.ROOT,
                  "%s at %s along %s: derivative %d in %s is %s, from the sides %s",
                  name,
                  Arrays.deepToString(at),
                  Arrays.deepToString(along),
                  order,
                  type,
                  actual,
                  Arrays.toString(limits)));
        }
      }
    }
  }

  private double derivative(
      UnaryOperator<Tensor[]> f, double[][] at, double[][] along, int order, DType type) {
    try (var scope = TensorScope.open()) {
      Tensor t = Tensor.zeros(type);
      return derivative(f, at, along, order, t).item();
    }
  }

  private Tensor derivative(
      UnaryOperator<Tensor[]> f, double[][] at, double[][] along, int order, Tensor t) {
    return order == 0
        ? value(f, at, along, t)
        : gradient.of(() -> derivative(f, at, along, order - 1, t), t);
  }

  private static Tensor value(
      UnaryOperator<Tensor[]> f, double[][] at, double[][] along, Tensor t) {
    Tensor[] inputs = new Tensor[at.length];
    for (int i = 0; i < at.length; i++) {
      Tensor x = tensor(at[i]).cast(t.dtype());
      boolean still = Arrays.stream(along[i]).allMatch(d -> d == 0);
      inputs[i] = still ? x : x.add(t.mul(tensor(along[i]).cast(t.dtype())));
    }
    Tensor y = f.apply(inputs)[0];
    // Three times: a rule that forgets the cotangent is right where that is 1.
    return (y.rank() == 0 ? y : y.sum()).cast(t.dtype()).mul(3);
  }

  private static Tensor tensor(double... values) {
    return values.length == 1 ? Tensor.full(DType.F64, values[0]) : Tensor.of(values);
  }

  /**
   * Values of steps that are halved, each once, twice and so on. From the first step on: at 0 itself the
   * function may have another value.
   */
  private static double[][] values(
      UnaryOperator<Tensor[]> f, double[][] at, double[][] along, double step) {
    double[][] values = new double[HALVINGS + 1][ORDERS + 1];
    for (int i = 0; i <= HALVINGS; i++) {
      for (int k = 0; k <= ORDERS; k++) {
        values[i][k] = value(f, at, along, (k + 1) * step / (1 << i));
      }
    }
    return values;
  }

  private static boolean leaps(double[][] values, double here) {
    return Math.abs(limit(values, 0, 1) - here) > CONVERGED * (1 + Math.abs(here));
  }

  /** The limit from one side; NaN if none is seen. */
  private static double limit(double[][] values, int order, double step) {
    double wide = extrapolated(values, order, step, 0);
    double narrow = extrapolated(values, order, step, 1);
    return Math.abs(wide - narrow) <= CONVERGED * (1 + Math.abs(narrow)) ? narrow : Double.NaN;
  }

  /** Differences of ever smaller steps, extrapolated to none (Richardson). */
  private static double extrapolated(double[][] values, int order, double step, int first) {
    double[] estimates = new double[HALVINGS];
    for (int i = 0; i < HALVINGS; i++) {
      double sum = 0;
      for (int k = 0; k <= order; k++) {
        sum += ((order - k) % 2 == 0 ? 1 : -1) * binomial(order, k) * values[first + i][k];
      }
      estimates[i] = sum / Math.pow(step / (1 << (first + i)), order);
    }
    for (int power = 1; power < HALVINGS; power++) {
      for (int i = 0; i < HALVINGS - power; i++) {
        double factor = 1 << power;
        estimates[i] = (factor * estimates[i + 1] - estimates[i]) / (factor - 1);
      }
    }
    return estimates[0];
  }

  private static double value(
      UnaryOperator<Tensor[]> f, double[][] at, double[][] along, double t) {
    try (var scope = TensorScope.open()) {
      return value(f, at, along, Tensor.full(DType.F64, t)).item();
    }
  }

  private static int binomial(int n, int k) {
    return k == 0 || k == n ? 1 : binomial(n - 1, k - 1) + binomial(n - 1, k);
  }
}
