package carousel.autograd;

import carousel.tensor.DType;
import carousel.tensor.Philox;
import carousel.tensor.Scope;
import carousel.tensor.Tensor;
import carousel.tensor.TensorException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Compares gradients with finite differences, in F64.
 *
 * <pre>{@code
 * GradCheck.standard().withOrder(2).run("lstm", in -> cell.step(in[0], in[1]), x, h).require();
 * }</pre>
 *
 * <p>Differences are central and of fourth order, {@code f′ ≈ [8(f(x+h) − f(x−h)) − (f(x+2h) −
 * f(x−2h))] / 12h}: with h = 10⁻³ their error is about 10⁻¹² where f is smooth, so that tolerances
 * far below those of second-order differences make sense. An entry passes if {@code |a − n| ≤
 * absolute + relative·|n|}, as in {@code torch.autograd.gradcheck}. Order 2 also checks the gradient
 * of the gradient, by taking the vjp with a fixed random cotangent for the function.
 *
 * @param step h, the distance of the differences
 * @param relative the relative tolerance
 * @param absolute the absolute tolerance
 * @param jacobian how much of the Jacobian is compared
 * @param order 1 for gradients, 2 for gradients of gradients too, and so on
 * @param seed of the random cotangents
 */
public record GradCheck(
    double step, double relative, double absolute, Jacobian jacobian, int order, long seed) {

  /** How much of the Jacobian is compared. */
  public enum Jacobian {
    /** Every entry {@code ∂y_i/∂x_j}: as many backward passes as there are outputs. */
    FULL,
    /** {@code vᵀ·∂y/∂x_j} for one random v: one backward pass. */
    PROJECTION
  }

  /** A function of several tensors. */
  @FunctionalInterface
  public interface Function {
    /**
     * Computes the function.
     *
     * @param inputs the tensors it is checked by
     * @return a floating tensor of any shape
     */
    Tensor apply(Tensor... inputs);
  }

  /**
   * One comparison of an analytic and a numeric derivative.
   *
   * @param order of the derivative
   * @param input which input
   * @param inputIndex the element of the input, in row-major order
   * @param output the element of the output, in row-major order; −1 for a projection
   * @param analytic what the gradient says
   * @param numeric what the differences say
   * @param error {@code |a − n| / max(1, |n|)}
   * @param passed whether it is within the tolerances
   */
  public record Entry(
      int order,
      int input,
      long inputIndex,
      long output,
      double analytic,
      double numeric,
      double error,
      boolean passed) {

    /** Where it is, and both values. */
    @Override
    public String toString() {
      return "order %d, input %d, element %d%s: analytic %.12g, numeric %.12g, error %.2e"
          .formatted(
              order,
              input,
              inputIndex,
              output < 0 ? "" : ", output element " + output,
              analytic,
              numeric,
              error);
    }
  }

  /**
   * What a check found.
   *
   * @param name what was checked
   * @param compared how many entries were compared
   * @param failed how many of them failed
   * @param worst the entry with the largest error, failures first; null if nothing was compared
   */
  public record Report(String name, long compared, long failed, @Nullable Entry worst) {
    /**
     * Tells whether all entries passed.
     *
     * @return whether none failed
     */
    public boolean passed() {
      return failed == 0;
    }

    /**
     * The largest error.
     *
     * @return {@code max |a − n| / max(1, |n|)}; 0 if nothing was compared
     */
    public double error() {
      return worst == null ? 0 : worst.error();
    }

    /**
     * Does nothing if all entries passed.
     *
     * @return this
     * @throws TensorException naming the worst entry, if any failed
     */
    public Report require() {
      if (!passed()) {
        throw new TensorException("gradient check failed: " + this);
      }
      return this;
    }

    /** One line: the name, the counts and the worst entry. */
    @Override
    public String toString() {
      return "%s: %d of %d entries differ; worst: %s"
          .formatted(name, failed, compared, worst == null ? "none" : worst.toString());
    }
  }

  /** Checks the settings. */
  public GradCheck {
    if (!(step > 0) || relative < 0 || absolute < 0 || order < 1) {
      throw new TensorException(
          "gradCheck: wants step > 0, tolerances ≥ 0 and order ≥ 1, got step "
              + step
              + ", relative "
              + relative
              + ", absolute "
              + absolute
              + ", order "
              + order);
    }
  }

  /**
   * The settings of {@code torch.autograd.gradcheck}: relative 10⁻³, absolute 10⁻⁵, first order,
   * with the projection.
   *
   * @return the settings
   */
  public static GradCheck standard() {
    return new GradCheck(1e-3, 1e-3, 1e-5, Jacobian.PROJECTION, 1, 1);
  }

  /**
   * Settings for smooth functions: both tolerances 10⁻⁶, to second order, with the projection.
   *
   * @return the settings
   */
  public static GradCheck strict() {
    return new GradCheck(1e-3, 1e-6, 1e-6, Jacobian.PROJECTION, 2, 1);
  }

  /**
   * These settings with other tolerances.
   *
   * @param relative the relative tolerance
   * @param absolute the absolute tolerance
   * @return the settings
   */
  public GradCheck withTolerances(double relative, double absolute) {
    return new GradCheck(step, relative, absolute, jacobian, order, seed);
  }

  /**
   * These settings with another distance.
   *
   * @param step h
   * @return the settings
   */
  public GradCheck withStep(double step) {
    return new GradCheck(step, relative, absolute, jacobian, order, seed);
  }

  /**
   * These settings with another order.
   *
   * @param order 1 for gradients, 2 for gradients of gradients too
   * @return the settings
   */
  public GradCheck withOrder(int order) {
    return new GradCheck(step, relative, absolute, jacobian, order, seed);
  }

  /**
   * These settings with another amount of the Jacobian.
   *
   * @param jacobian how much is compared
   * @return the settings
   */
  public GradCheck withJacobian(Jacobian jacobian) {
    return new GradCheck(step, relative, absolute, jacobian, order, seed);
  }

  /**
   * Checks a function.
   *
   * @param name what it is called in the report
   * @param f the function; must give the same values each time
   * @param inputs where it is checked: F64; changed while the check runs, and restored
   * @return what was found
   * @throws TensorException if an input is not F64, or the function is not deterministic
   */
  public Report run(String name, Function f, Tensor... inputs) {
    for (int i = 0; i < inputs.length; i++) {
      if (inputs[i].dtype() != DType.F64) {
        throw new TensorException(
            "gradCheck: input "
                + i
                + " of "
                + name
                + " is "
                + inputs[i].dtype()
                + "; differences need F64: cast(DType.F64)");
      }
    }
    var found = new Found();
    Philox rng = Philox.of(seed);
    Function current = f;
    for (int k = 1; k <= order; k++) {
      try (var scope = Scope.open()) {
        Tensor y = current.apply(inputs);
        if (!y.sameValues(current.apply(inputs))) {
          throw new TensorException(
              "gradCheck: "
                  + name
                  + " is not deterministic: two runs on the same inputs differ; fix its random"
                  + " numbers");
        }
        compare(k, current, y, rng, found, inputs);
      }
      current = gradientOf(current, rng.split(k));
    }
    return new Report(name, found.compared, found.failed, found.worst);
  }

  private static final class Found {
    private long compared;
    private long failed;
    private @Nullable Entry worst;

    void add(Entry entry) {
      compared++;
      failed += entry.passed() ? 0 : 1;
      if (worst == null
          || (worst.passed() && !entry.passed())
          || (worst.passed() == entry.passed() && !(entry.error() <= worst.error()))) {
        worst = entry;
      }
    }
  }

  private void compare(int k, Function f, Tensor y, Philox rng, Found found, Tensor... inputs) {
    List<Tensor> cotangents = new ArrayList<>();
    if (jacobian == Jacobian.PROJECTION) {
      cotangents.add(rng.normal(DType.F64, 0, 1, y.shape().toArray()));
    } else {
      int n = Math.toIntExact(y.size());
      Tensor rows = Tensor.eye(DType.F64, n);
      for (int i = 0; i < n; i++) {
        cotangents.add(rows.select(0, i).reshape(y.shape()));
      }
    }
    List<List<double[]>> analytic = new ArrayList<>();
    double[][] weights = new double[cotangents.size()][];
    for (int c = 0; c < weights.length; c++) {
      weights[c] = cotangents.get(c).toDoubleArray();
      try (var scope = Scope.openUnwatched();
          Pullback pullback = Grad.vjp(() -> f.apply(inputs), inputs)) {
        analytic.add(pullback.pull(cotangents.get(c)).stream().map(Tensor::toDoubleArray).toList());
      }
    }
    for (int i = 0; i < inputs.length; i++) {
      double[] values = inputs[i].toDoubleArray();
      for (int j = 0; j < values.length; j++) {
        double[] slope = difference(f, i, values, j, inputs);
        for (int c = 0; c < weights.length; c++) {
          double numeric = 0;
          for (int o = 0; o < slope.length; o++) {
            numeric += weights[c][o] == 0 ? 0 : weights[c][o] * slope[o];
          }
          long output = jacobian == Jacobian.FULL ? c : -1;
          found.add(entry(k, i, j, output, analytic.get(c).get(i)[j], numeric));
        }
      }
    }
  }

  private Entry entry(int k, int input, long index, long output, double a, double n) {
    double distance = a == n ? 0 : Math.abs(a - n);
    boolean passed = distance <= absolute + relative * Math.abs(n);
    return new Entry(k, input, index, output, a, n, distance / Math.max(1, Math.abs(n)), passed);
  }

  /** The derivative of every output by one element of one input. */
  private double[] difference(
      Function f, int input, double[] values, int element, Tensor... inputs) {
    double[] slope = new double[0];
    double[] weights = {-1, 8, -8, 1};
    double[] offsets = {2, 1, -1, -2};
    double[] moved = values.clone();
    try (var scope = Scope.openUnwatched()) {
      for (int s = 0; s < weights.length; s++) {
        moved[element] = values[element] + offsets[s] * step;
        inputs[input].assign(Tensor.of(inputs[input].shape(), moved));
        double[] y = f.apply(inputs).toDoubleArray();
        slope = slope.length == 0 ? new double[y.length] : slope;
        for (int o = 0; o < y.length; o++) {
          slope[o] += weights[s] * y[o] / (12 * step);
        }
      }
    } finally {
      try (var scope = Scope.openUnwatched()) {
        inputs[input].assign(Tensor.of(inputs[input].shape(), values));
      }
    }
    return slope;
  }

  /** The gradients of f for a fixed random cotangent, all in one tensor. */
  private static Function gradientOf(Function f, Philox rng) {
    return inputs -> {
      try (Pullback pullback = Grad.vjp(() -> f.apply(inputs), inputs)) {
        Tensor y = pullback.value();
        Tensor v = Philox.of(rng.seed()).normal(DType.F64, 0, 1, y.shape().toArray());
        return Tensor.concat(0, pullback.pull(v).stream().map(Tensor::flatten).toList());
      }
    };
  }
}
