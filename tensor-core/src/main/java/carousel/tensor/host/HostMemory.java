package carousel.tensor.host;

import carousel.tensor.spi.Setting;
import carousel.tensor.spi.SlabPool;

/** The memory of the host. */
public final class HostMemory {
  private HostMemory() {}

  /** Where it comes from: {@link Pages}, where the system has them. */
  public static SlabPool.Source source() {
    return Pages.areThere() ? new Pages() : new Malloc();
  }

  /** A pool with the cap that {@code -Dcarousel.memory} sets, else a share of the machine's memory. */
  public static SlabPool configured() {
    return SlabPool.configured(source(), Setting.MEMORY, () -> MachineMemory.here().share());
  }

  /** A pool over it with no cap. */
  public static SlabPool pool() {
    return new SlabPool(source(), Long.MAX_VALUE);
  }
}
