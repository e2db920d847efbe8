package carousel.zoo;

import carousel.zoo.lm.Failure;
import org.jspecify.annotations.Nullable;

/** How many threads the CPU backend takes: read once, when it is first used. */
final class Threads {
  private static final String PROPERTY = "carousel.threads";

  private Threads() {}

  /** Takes so many; null leaves it as it is. */
  static void use(@Nullable Integer threads) {
    if (threads == null) return;
    if (threads < 1) throw Failure.usage("--threads must be 1 or more, got " + threads);
    System.setProperty(PROPERTY, threads.toString());
  }

  /** How many there are. */
  static int count() {
    return Integer.getInteger(PROPERTY, Runtime.getRuntime().availableProcessors());
  }
}
