package carousel.cuda;

import carousel.tensor.Tensor;
import carousel.tensor.TensorException;
import carousel.tensor.op.Distribution;
import java.util.stream.Stream;

/** Random numbers: element i is a function of seed, counter and i. */
final class RandomLaunches {
  @SuppressWarnings("UnusedVariable") // until the family is there
  private final Launcher launcher;

  RandomLaunches(Launcher launcher) {
    this.launcher = launcher;
  }

  /** All kernels of the family. */
  static Stream<Kernel> kernels() {
    return Stream.of();
  }

  void fill(Distribution distribution, long seed, long counter, Tensor y) {
    throw new TensorException("random: not on cuda yet");
  }

  void below(double probability, long seed, long counter, Tensor y) {
    throw new TensorException("bernoulli: not on cuda yet");
  }
}
