package carousel.cuda;

import carousel.tensor.Tensor;
import carousel.tensor.TensorException;
import java.util.stream.Stream;

/** Gathers, scatters, selections and additions by index. */
final class IndexLaunches {
  @SuppressWarnings("UnusedVariable") // until the family is there
  private final Launcher launcher;

  IndexLaunches(Launcher launcher) {
    this.launcher = launcher;
  }

  /** All kernels of the family. */
  static Stream<Kernel> kernels() {
    return Stream.of();
  }

  void gather(Tensor x, int axis, Tensor index, Tensor y) {
    throw new TensorException("gather: not on cuda yet");
  }

  void scatterAdd(Tensor y, int axis, Tensor index, Tensor source) {
    throw new TensorException("scatterAdd: not on cuda yet");
  }

  void select(Tensor x, Tensor index, Tensor y) {
    throw new TensorException("indexSelect: not on cuda yet");
  }

  void add(Tensor y, Tensor index, Tensor source) {
    throw new TensorException("indexAdd: not on cuda yet");
  }
}
