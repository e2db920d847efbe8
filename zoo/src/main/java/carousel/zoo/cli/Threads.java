package carousel.zoo.cli;

import carousel.tensor.spi.Setting;
import carousel.zoo.run.Failure;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** How many threads the CPU backend takes: read once, when it is first used. */
final class Threads {
  private Threads() {}

  /** Takes so many; null leaves it as it is. */
  static void use(@Nullable Integer threads) {
    if (threads == null) {
      return;
    }
    if (!Setting.THREADS.takes(threads.toString())) {
      throw Failure.usage(
          String.format(
              Locale.ROOT, "--threads must be %s, got %s", Setting.THREADS.wanted(), threads));
    }
    System.setProperty(Setting.THREADS.property(), threads.toString());
  }

  /** How many there are. */
  static int count() {
    return Setting.THREADS.or(Runtime.getRuntime().availableProcessors());
  }
}
