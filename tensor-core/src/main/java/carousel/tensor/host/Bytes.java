package carousel.tensor.host;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** All of memory as one segment, so that loops work on raw addresses without creating objects. */
public final class Bytes {
  /** Every address from 0; offsets into it are addresses. */
  public static final MemorySegment ALL = MemorySegment.NULL.reinterpret(Long.MAX_VALUE);

  private Bytes() {}

  public static float f32(long address) {
    return ALL.get(ValueLayout.JAVA_FLOAT_UNALIGNED, address);
  }

  public static void f32(long address, float value) {
    ALL.set(ValueLayout.JAVA_FLOAT_UNALIGNED, address, value);
  }

  public static double f64(long address) {
    return ALL.get(ValueLayout.JAVA_DOUBLE_UNALIGNED, address);
  }

  public static void f64(long address, double value) {
    ALL.set(ValueLayout.JAVA_DOUBLE_UNALIGNED, address, value);
  }

  public static int i32(long address) {
    return ALL.get(ValueLayout.JAVA_INT_UNALIGNED, address);
  }

  public static void i32(long address, int value) {
    ALL.set(ValueLayout.JAVA_INT_UNALIGNED, address, value);
  }

  public static long i64(long address) {
    return ALL.get(ValueLayout.JAVA_LONG_UNALIGNED, address);
  }

  public static void i64(long address, long value) {
    ALL.set(ValueLayout.JAVA_LONG_UNALIGNED, address, value);
  }

  public static byte i8(long address) {
    return ALL.get(ValueLayout.JAVA_BYTE, address);
  }

  public static void i8(long address, byte value) {
    ALL.set(ValueLayout.JAVA_BYTE, address, value);
  }

  /** Copies bytes; the ranges must not overlap partially. */
  public static void copy(long from, long to, long bytes) {
    copy(ALL, from, ALL, to, bytes);
  }

  /**
   * Copies bytes between segments on and off the heap.
   *
   * <p>Not by {@code MemorySegment.copy} without layouts, nor by what calls it: below 64 bytes that is a
   * loop in Java, and as C2 of JDK 25.0.3 compiles it, it now and then leaves out eight bytes of a heap
   * array.
   *
   * @param from the source
   * @param at where it begins, in bytes
   * @param to the target
   * @param there where that begins, in bytes
   * @param bytes how many
   */
  public static void copy(MemorySegment from, long at, MemorySegment to, long there, long bytes) {
    MemorySegment.copy(from, ValueLayout.JAVA_BYTE, at, to, ValueLayout.JAVA_BYTE, there, bytes);
  }

  /** Fills bytes with zero. */
  public static void clear(long address, long bytes) {
    ALL.asSlice(address, bytes).fill((byte) 0);
  }

  /** Writes {@code n} copies of the element of {@code size} bytes at {@code from}. */
  public static void splat(long from, int size, long to, int n) {
    long pattern =
        switch (size) {
          case 8 -> i64(from);
          case 4 -> (i32(from) & 0xFFFFFFFFL) * 0x1_0000_0001L;
          default -> (i8(from) & 0xFFL) * 0x0101_0101_0101_0101L;
        };
    long end = to + (long) n * size;
    for (; to + 8 <= end; to += 8) {
      i64(to, pattern);
    }
    if (to + 4 <= end) {
      i32(to, (int) pattern);
      to += 4;
    }
    for (; to < end; to++) {
      i8(to, (byte) pattern);
    }
  }
}
