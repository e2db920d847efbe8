package carousel.zoo.cli;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/**
 * Ctrl-C as a question that a long work asks now and then, so that it can save before the JVM ends.
 * The JVM ends when the work is closed, or after a minute.
 */
final class Interruption implements BooleanSupplier, AutoCloseable {
  /** What the JVM exits with after SIGINT, by the custom of shells. */
  static final int EXIT = 130;

  private static final long PATIENCE_SECONDS = 60;

  private final CountDownLatch finished = new CountDownLatch(1);
  private final Thread hook = new Thread(this::interrupt, "carousel-interruption");
  private volatile boolean asked;

  /** Listens from now on. */
  Interruption() {
    Runtime.getRuntime().addShutdownHook(hook);
  }

  private void interrupt() {
    asked = true;
    try {
      boolean _ = finished.await(PATIENCE_SECONDS, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  @Override
  public boolean getAsBoolean() {
    return asked;
  }

  @Override
  public void close() {
    finished.countDown();
    if (asked) {
      return;
    }
    try {
      Runtime.getRuntime().removeShutdownHook(hook);
    } catch (IllegalStateException e) {
      asked = true; // it came between the two lines above; nothing is left to save
    }
  }
}
