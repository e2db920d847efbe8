package carousel.nn.random;

import carousel.tensor.Philox;
import java.util.List;

/** Where the choices of a generator come from: the same seed makes the same program. */
record Dice(Philox rng) {
  static Dice of(long seed) {
    return new Dice(Philox.of(seed));
  }

  int below(int bound) {
    return rng.nextInt(bound);
  }

  /** From {@code low} to {@code high}, both included. */
  int between(int low, int high) {
    return low + rng.nextInt(high - low + 1);
  }

  double between(double low, double high) {
    return low + (high - low) * rng.nextDouble();
  }

  boolean chance(double probability) {
    return rng.nextDouble() < probability;
  }

  <T> T of(List<T> some) {
    return some.get(rng.nextInt(some.size()));
  }

  @SafeVarargs
  final <T> T of(T... some) {
    return some[rng.nextInt(some.length)];
  }

  /** One of some, the later ones more often. */
  <T> T late(List<T> some) {
    return some.get(Math.max(rng.nextInt(some.size()), rng.nextInt(some.size())));
  }
}
