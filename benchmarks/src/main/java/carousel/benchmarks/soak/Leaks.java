package carousel.benchmarks.soak;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import java.util.logging.Logger;

/** Counts what Carousel warns of: scopes that were never closed. */
final class Leaks extends Handler implements AutoCloseable {
  private static final Logger LOG = Logger.getLogger("carousel.tensor");

  private final AtomicInteger warnings = new AtomicInteger();

  /** Counts from now on. */
  Leaks() {
    LOG.addHandler(this);
  }

  /** Returns how many warnings there were. */
  int count() {
    return warnings.get();
  }

  @Override
  public void publish(LogRecord line) {
    if (line.getLevel().intValue() >= Level.WARNING.intValue()) {
      warnings.incrementAndGet();
    }
  }

  @Override
  public void flush() {}

  @Override
  public void close() {
    LOG.removeHandler(this);
  }
}
