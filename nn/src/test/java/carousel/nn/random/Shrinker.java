package carousel.nn.random;

import java.util.Iterator;
import java.util.function.Predicate;

/** Makes a failing program smaller for as long as something smaller fails, too. */
final class Shrinker {
  private static final int MOST_TRIES = 3000;
  private static final long MOST_NANOS = 20_000_000_000L;

  private Shrinker() {}

  /**
   * The smallest program found.
   *
   * @param species knows what is smaller
   * @param program fails
   * @param fails whether another one does
   */
  static <P> P shrink(Species<P> species, P program, Predicate<P> fails) {
    P least = program;
    int tries = 0;
    long end = System.nanoTime() + MOST_NANOS;
    boolean smaller = true;
    while (smaller && tries < MOST_TRIES) {
      smaller = false;
      Iterator<P> candidates = species.smaller().apply(least).iterator();
      while (!smaller && candidates.hasNext() && tries++ < MOST_TRIES && System.nanoTime() < end) {
        P candidate = candidates.next();
        if (fails.test(candidate)) {
          least = candidate;
          smaller = true;
        }
      }
    }
    return least;
  }
}
