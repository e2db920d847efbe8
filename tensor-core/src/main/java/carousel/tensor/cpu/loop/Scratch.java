package carousel.tensor.cpu.loop;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** A buffer off the heap that grows to what was asked of it and is freed with its owner. */
public final class Scratch {
  private static final ThreadLocal<Scratch> OF_THREAD = ThreadLocal.withInitial(Scratch::new);
  private static final ThreadLocal<Scratch> FOR_FILL = ThreadLocal.withInitial(Scratch::new);
  private static final ThreadLocal<Scratch> FOR_TOTALS = ThreadLocal.withInitial(Scratch::new);

  private MemorySegment memory = MemorySegment.NULL;

  /** This thread's buffer, for use within one loop: whoever is called next may use it too. */
  public static Scratch ofThread() {
    return OF_THREAD.get();
  }

  /** This thread's buffer for the value of a fill, which other threads read while loops run. */
  public static Scratch forFill() {
    return FOR_FILL.get();
  }

  /** This thread's buffer for totals of a product, whose tiles use the other. */
  public static Scratch forTotals() {
    return FOR_TOTALS.get();
  }

  /** The 64-byte aligned address of {@code bytes} bytes; earlier contents are lost on growth. */
  public long address(long bytes) {
    if (memory.byteSize() < bytes) {
      memory = Arena.ofAuto().allocate(Math.max(bytes, 2 * memory.byteSize()), 64);
    }
    return memory.address();
  }
}
