package carousel.cuda.emulator;

import carousel.cuda.driver.CudaDriver;
import carousel.tensor.spi.Memory;

/**
 * Each block straight from the driver, none reused: for AddressSanitizer, which knows the borders of what
 * was allocated, not those that a pool draws inside.
 */
public final class GuardedMemory implements Memory {
  private final CudaDriver driver;
  private long inUse;
  private long peak;
  private long limit = Long.MAX_VALUE;

  public GuardedMemory(CudaDriver driver) {
    this.driver = driver;
  }

  @Override
  public synchronized long allocate(long bytes) {
    if (bytes > limit - inUse) {
      return 0;
    }
    long address = driver.allocate(bytes);
    if (address != 0) {
      inUse += bytes;
      peak = Math.max(peak, inUse);
    }
    return address;
  }

  @Override
  public synchronized void free(long address, long bytes) {
    driver.free(address);
    inUse -= bytes;
  }

  @Override
  public synchronized long inUse() {
    return inUse;
  }

  @Override
  public synchronized long peak() {
    return peak;
  }

  @Override
  public synchronized void resetPeak() {
    peak = inUse;
  }

  @Override
  public synchronized long reserved() {
    return inUse;
  }

  @Override
  public synchronized long limit() {
    return limit;
  }

  @Override
  public synchronized void limit(long bytes) {
    limit = bytes;
  }
}
