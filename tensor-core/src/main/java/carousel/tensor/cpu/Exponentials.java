package carousel.tensor.cpu;

/** The inner loop of softmax and logSumExp. */
@FunctionalInterface
public interface Exponentials {
  /**
   * {@code out_i = e^(x_i − max)}; returns their sum.
   *
   * @param out where they go, in the type of x; 0 if only the sum is wanted
   */
  double run(long x, int n, double max, long out);
}
