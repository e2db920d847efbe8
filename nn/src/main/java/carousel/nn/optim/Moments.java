package carousel.nn.optim;

import carousel.nn.optim.Rule.Memory;
import carousel.nn.optim.Rule.Slot;
import carousel.tensor.Tensor;
import java.util.List;

/** The exponential averages of the gradient and its square that Adam and its kin remember. */
final class Moments {
  private static final String FIRST = "m";
  private static final String SECOND = "v";
  private static final String GREATEST = "vMax";

  private Moments() {}

  static List<Slot> slots(boolean greatest) {
    return greatest
        ? List.of(Slot.zeros(FIRST), Slot.zeros(SECOND), Slot.zeros(GREATEST))
        : List.of(Slot.zeros(FIRST), Slot.zeros(SECOND));
  }

  /** {@code m ← β₁ m + (1 − β₁) g}. */
  static Tensor first(Memory memory, double beta, Tensor g) {
    return memory.set(FIRST, Rule.average(memory.get(FIRST), beta, g));
  }

  /** {@code v ← β₂ v + (1 − β₂) g²}. */
  static Tensor second(Memory memory, double beta, Tensor g) {
    return memory.set(SECOND, Rule.average(memory.get(SECOND), beta, g.square()));
  }

  /** {@code 1 − βᵗ}: what an average that started at 0 has to be divided by. */
  static double correction(double beta, int step) {
    return 1 - Math.pow(beta, step);
  }

  /** Adam's {@code m̂ / (√v̂ + ε)}. */
  static Tensor direction(
      Tensor g, double beta1, double beta2, double epsilon, boolean greatest, Memory memory) {
    Tensor m = first(memory, beta1, g);
    Tensor v = second(memory, beta2, g);
    if (greatest) {
      v = memory.set(GREATEST, memory.get(GREATEST).maximum(v));
    }
    double root = Math.sqrt(correction(beta2, memory.step()));
    Tensor denominator = v.sqrt().mul(1 / root).add(epsilon);
    return m.div(denominator).mul(1 / correction(beta1, memory.step()));
  }
}
