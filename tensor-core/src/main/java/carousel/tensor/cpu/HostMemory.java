package carousel.tensor.cpu;

import carousel.tensor.spi.SlabPool;

/** The memory of the host. */
public final class HostMemory {
  private HostMemory() {}

  /** Where it comes from: {@link Pages}, where the system has them. */
  public static SlabPool.Source source() {
    return Pages.areThere() ? new Pages() : new Malloc();
  }

  /** A pool over it with no cap. */
  public static SlabPool pool() {
    return new SlabPool(source(), Long.MAX_VALUE);
  }
}
