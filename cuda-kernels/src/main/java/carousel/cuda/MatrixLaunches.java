package carousel.cuda;

import carousel.tensor.Tensor;
import carousel.tensor.TensorException;
import java.util.stream.Stream;

/** Products of matrices and of batches of them. */
final class MatrixLaunches {
  @SuppressWarnings("UnusedVariable") // until the family is there
  private final Launcher launcher;

  MatrixLaunches(Launcher launcher) {
    this.launcher = launcher;
  }

  /** All kernels of the family. */
  static Stream<Kernel> kernels() {
    return Stream.of();
  }

  void multiply(Tensor a, Tensor b, Tensor y) {
    throw new TensorException("matmul: not on cuda yet");
  }
}
