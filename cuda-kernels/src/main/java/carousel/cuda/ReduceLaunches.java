package carousel.cuda;

import carousel.tensor.Tensor;
import carousel.tensor.TensorException;
import carousel.tensor.op.Reduce;
import java.util.stream.Stream;

/** Reductions over axes. */
final class ReduceLaunches {
  @SuppressWarnings("UnusedVariable") // until the family is there
  private final Launcher launcher;

  ReduceLaunches(Launcher launcher) {
    this.launcher = launcher;
  }

  /** All kernels of the family. */
  static Stream<Kernel> kernels() {
    return Stream.of();
  }

  void reduce(Reduce op, Tensor x, int[] axes, Tensor y) {
    throw new TensorException("reduce: not on cuda yet");
  }
}
