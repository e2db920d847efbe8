package carousel.tensor.contract;

import carousel.tensor.spi.Memory;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The host's memory with a border on both sides of every block, which nothing may write to. Blocks are
 * full of NaN, in F32 and in F64, until somebody writes.
 */
public final class GuardedMemory implements Memory {
  private static final int BORDER = 256;
  private static final byte MARK = 0x5A;
  private static final byte NAN = (byte) 0xFF;

  private static final MemorySegment ALL = MemorySegment.NULL.reinterpret(Long.MAX_VALUE);

  private static final MemorySegment BORDER_MARKS =
      MemorySegment.ofArray(new byte[BORDER]).fill(MARK);

  private final Memory pool;
  private final Map<Long, Long> live = new ConcurrentHashMap<>();
  private final List<String> damaged = Collections.synchronizedList(new ArrayList<>());

  /**
   * No blocks yet.
   *
   * @param pool where they come from
   */
  public GuardedMemory(Memory pool) {
    this.pool = pool;
  }

  /**
   * Looks at all borders.
   *
   * @return a line for each block that was written beyond, those included that are free again
   */
  public List<String> damage() {
    live.forEach(this::look);
    return List.copyOf(damaged);
  }

  private void look(long address, long bytes) {
    long before = BORDER_MARKS.mismatch(ALL.asSlice(address - BORDER, BORDER));
    long behind = BORDER_MARKS.mismatch(ALL.asSlice(address + bytes, BORDER));
    if (before >= 0) {
      damaged.add(
          String.format(Locale.ROOT, "%d bytes before a block of %d", BORDER - before, bytes));
    } else if (behind >= 0) {
      damaged.add(
          String.format(Locale.ROOT, "%d bytes behind the end of a block of %d", behind, bytes));
    }
  }

  private static void fill(long address, long bytes, byte value) {
    ALL.asSlice(address, bytes).fill(value);
  }

  @Override
  public long allocate(long bytes) {
    long address = pool.allocate(bytes + 2 * BORDER);
    if (address == 0) {
      return 0;
    }
    fill(address, BORDER, MARK);
    fill(address + BORDER, bytes, NAN);
    fill(address + BORDER + bytes, BORDER, MARK);
    live.put(address + BORDER, bytes);
    return address + BORDER;
  }

  @Override
  public void free(long address, long bytes) {
    look(address, bytes);
    live.remove(address);
    pool.free(address - BORDER, bytes + 2 * BORDER);
  }

  @Override
  public long inUse() {
    return pool.inUse();
  }

  @Override
  public long peak() {
    return pool.peak();
  }

  @Override
  public void resetPeak() {
    pool.resetPeak();
  }

  @Override
  public long reserved() {
    return pool.reserved();
  }

  @Override
  public long limit() {
    return pool.limit();
  }

  @Override
  public void limit(long bytes) {
    pool.limit(bytes);
  }
}
