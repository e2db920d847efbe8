package carousel.tensor.golden;

import carousel.tensor.DType;

/** Where PyTorch's answer is an accident of its formulas, with the reason, and ours is another. */
final class Exemptions {
  private Exemptions() {}

  /** Whether the value of a function at a point is not compared. */
  static boolean value(String name, double x) {
    return switch (name) {
      // Its comparisons with NaN are false, so it says 0; ours propagates NaN as all others do.
      case "sign" -> Double.isNaN(x);
      // There e^−x is infinite, and x/(1 + e^−x) is 0 in f64; the product is not.
      case "silu" -> x < -709;
      // It multiplies −∞ by a Φ of 0; the limit is 0.
      case "gelu" -> x == Double.NEGATIVE_INFINITY;
      // It cuts ln(1 + eˣ) to x above 20, where f64 still tells them apart.
      case "softplus" -> x > 20;
      default -> false;
    };
  }

  /**
   * How imprecise the file is, absolutely: where PyTorch subtracts nearly equal numbers, and for f32
   * derivatives where our rules, evaluated in f32, do; the file has f64 results rounded.
   */
  static double imprecise(String key, DType dtype) {
    return switch (key) {
      case "gelu", "elu" -> 4e-16;
      case "tanh.dx", "sigmoid.dx", "expm1.dx", "gelu.dx", "silu.dx", "elu.dx", "erf.dx" ->
          dtype == DType.F32 ? 4e-7 : 8e-16;
      default -> 0;
    };
  }

  /** Whether the derivative of a function of one operand is not compared at a point. */
  static boolean derivative(String name, double x) {
    return switch (name) {
      // 1 and 0, the limits; PyTorch multiplies ∞ by 0.
      case "gelu", "silu" -> Double.isInfinite(x);
      // There is no derivative at NaN; what PyTorch gives is left over from comparisons.
      case "abs", "relu" -> Double.isNaN(x);
      case "softplus" -> value(name, x);
      default -> false;
    };
  }

  /** Whether a derivative of a function of two operands is not compared at a point. */
  static boolean derivative(String key, double a, double b) {
    return switch (key) {
      // No operand wins beside a NaN: PyTorch gives both the whole gradient, we none.
      case "max.da", "max.db", "min.da", "min.db" -> Double.isNaN(a) || Double.isNaN(b);
      default -> false;
    };
  }
}
