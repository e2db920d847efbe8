package carousel.benchmarks.compare;

import static carousel.benchmarks.compare.Carousel.tensor;

import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;

/** {@code C [m,n] = A [m,k]·B [k,n]}, all in rows. */
public final class Product implements Work {
  private final TensorScope run = TensorScope.openUnwatched();
  private final Tensor a;
  private final Tensor b;

  /**
   * A product of the agreed matrices.
   *
   * @param task sizes m,n,k
   */
  public Product(Task task) {
    a = tensor(task.dtype(), "a", 1, task.size(0), task.size(2));
    b = tensor(task.dtype(), "b", 1, task.size(2), task.size(1));
  }

  @Override
  public void run() {
    try (var step = TensorScope.openUnwatched()) {
      a.matmul(b);
    }
  }

  @Override
  public double norm() {
    try (var step = TensorScope.openUnwatched()) {
      return a.matmul(b).norm().item();
    }
  }

  @Override
  public void close() {
    run.close();
  }
}
