package carousel.benchmarks.compare;

import java.util.List;

/** A task made ready by a contender: weights and inputs are there, what is left is to do it. */
public interface Work extends AutoCloseable {

  /** Does it once; what it makes is freed before this returns. */
  void run();

  /**
   * Computes the outputs alone, without what gradients need.
   *
   * @throws UnsupportedOperationException if there are none apart from the gradients
   */
  default void forward() {
    throw new UnsupportedOperationException("this task has no outputs apart from its gradients");
  }

  /**
   * Does it once and tells the result tensor by tensor.
   *
   * @return outputs, and the gradients of the input and of every weight; empty where a library cannot
   *     start from the agreed weights
   */
  default List<Digest> digests() {
    return List.of();
  }

  /**
   * Measures the result, after {@link #run}: contenders that did equal work give equal numbers.
   *
   * @return the Euclidean norm of the gradients of the input and of all weights but the biases (of
   *     which libraries keep different numbers), or of the product; NaN where it cannot be compared
   */
  double norm();

  @Override
  void close();
}
