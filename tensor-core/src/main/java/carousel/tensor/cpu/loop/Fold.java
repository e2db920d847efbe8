package carousel.tensor.cpu.loop;

/** The inner loop of a reduction: contiguous elements to one number. */
@FunctionalInterface
public interface Fold {
  /** Folds the {@code n} elements at an address; the identity of the fold if there are none. */
  double run(long x, int n);
}
