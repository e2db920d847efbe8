package carousel.nn.optim;

import carousel.tensor.TensorException;

/** Checks of hyper-parameters. */
final class Bounds {
  private Bounds() {}

  /** A decay of an average, in [0, 1). */
  static void decay(String name, double value) {
    require(value >= 0 && value < 1, name, "in [0, 1)", value);
  }

  /** A factor or a small number, finite and at least 0. */
  static void notNegative(String name, double value) {
    require(value >= 0 && Double.isFinite(value), name, "finite and not negative", value);
  }

  /** Something that a schedule divides by or counts with. */
  static void positive(String name, double value) {
    require(value > 0 && Double.isFinite(value), name, "finite and above 0", value);
  }

  private static void require(boolean holds, String name, String wanted, double value) {
    if (!holds) {
      throw new TensorException(name + " must be " + wanted + ", got " + value);
    }
  }
}
