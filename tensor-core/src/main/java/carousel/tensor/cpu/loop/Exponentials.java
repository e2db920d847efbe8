package carousel.tensor.cpu.loop;

/** The inner loop of softmax, logSumExp and cross entropy. */
@FunctionalInterface
public interface Exponentials {
  /**
   * {@code out_i = factor · e^(x_i − max)}; returns {@code Σ e^(x_i − max)}, without the factor.
   *
   * @param out where they go, in the type of x; 0 if only the sum is wanted
   */
  double run(long x, int n, double max, double factor, long out);
}
