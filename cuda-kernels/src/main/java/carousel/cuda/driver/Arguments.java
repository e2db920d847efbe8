package carousel.cuda.driver;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * The arguments of a kernel as {@code cuLaunchKernel} takes them: an array of addresses, and the values
 * that these point to. May be used for one launch after the other.
 */
public final class Arguments {
  private static final int MOST = 32;
  private static final int BYTES = 4096;

  private final MemorySegment addresses;
  private final MemorySegment values;
  private int count;
  private long end;

  private Arguments(int most, long bytes) {
    addresses = Arena.ofAuto().allocate(8L * most, 8);
    values = Arena.ofAuto().allocate(Math.max(8, bytes), 8);
  }

  /** Room for the arguments of any kernel; none yet. */
  public Arguments() {
    this(MOST, BYTES);
  }

  /** Starts over with none. */
  public void clear() {
    count = 0;
    end = 0;
  }

  /**
   * Makes room for the next argument.
   *
   * @param bytes its size
   * @return where it is to be written, in {@link #values}
   */
  public long next(int bytes) {
    long at = end;
    end += Math.ceilDiv(bytes, 8) * 8L;
    addresses.setAtIndex(ValueLayout.JAVA_LONG, count++, values.address() + at);
    return at;
  }

  /** {@return the number of arguments} */
  public int count() {
    return count;
  }

  /**
   * Where the values are.
   *
   * @return memory that is written at what {@link #next} gave
   */
  public MemorySegment values() {
    return values;
  }

  /**
   * The array that a launch takes.
   *
   * @return native memory with the address of each value
   */
  public MemorySegment addresses() {
    return addresses;
  }

  /**
   * These arguments, for later.
   *
   * @return a copy that does not change with this
   */
  public Arguments copy() {
    var copy = new Arguments(count, end);
    for (int i = 0; i < count; i++) {
      long at = addresses.getAtIndex(ValueLayout.JAVA_LONG, i) - values.address();
      copy.addresses.setAtIndex(ValueLayout.JAVA_LONG, i, copy.values.address() + at);
    }
    copy.count = count;
    copy.end = end;
    MemorySegment.copy(
        values, ValueLayout.JAVA_BYTE, 0, copy.values, ValueLayout.JAVA_BYTE, 0, end);
    return copy;
  }
}
