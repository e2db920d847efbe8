package carousel.zoo.data;

import java.util.function.Function;

/**
 * Data with the best result that anything can reach on it, which is what makes a figure worth more than a comparison: a
 * system that reaches it is done, and one that goes beyond it is wrong.
 *
 * @param <D> what the data is
 * @param data a text, a world, a series
 * @param best the best possible, in the unit of {@code measure}
 * @param measure what is measured, with its unit, e.g. {@code perplexity}
 * @param reason why there is no better one: the argument, in a phrase
 */
public record Known<D>(D data, double best, String measure, String reason) {
  /** Checks that the best is a number. */
  public Known {
    if (!Double.isFinite(best)) {
      throw new IllegalArgumentException(measure + ": the best possible is " + best);
    }
  }

  /**
   * The same best result of something made of the data.
   *
   * @param <E> what that is
   * @param change makes it; nothing that is learned from may be lost in it
   * @return that, known as well as this
   */
  public <E> Known<E> map(Function<? super D, ? extends E> change) {
    return new Known<>(change.apply(data), best, measure, reason);
  }
}
