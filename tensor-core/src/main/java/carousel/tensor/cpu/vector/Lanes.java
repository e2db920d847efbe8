package carousel.tensor.cpu.vector;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import carousel.tensor.host.Bytes;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandles;
import java.nio.ByteOrder;
import jdk.incubator.vector.VectorSpecies;

/** What every loop template shares: how to find its species, and where to compute its tail. */
final class Lanes {
  static final MemorySegment ALL = Bytes.ALL;
  static final ByteOrder ORDER = ByteOrder.nativeOrder();

  /** Room for eight vectors. */
  private static final ThreadLocal<MemorySegment> TAIL =
      ThreadLocal.withInitial(() -> Arena.ofAuto().allocate(8 * 64, 64));

  private Lanes() {}

  /** The species, which comes first in the class data of a spliced template. */
  static VectorSpecies<?> species(MethodHandles.Lookup template) {
    return datum(template, 0, VectorSpecies.class);
  }

  /** One of the class data of a spliced template. */
  static <T> T datum(MethodHandles.Lookup template, int index, Class<T> type) {
    try {
      return MethodHandles.classDataAt(template, "_", type, index);
    } catch (IllegalAccessException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  /**
   * Whether a masked load of this species leaves the masked bytes alone. Machines with 512-bit
   * vectors have predicates; elsewhere the JVM may emulate a masked load by a whole one, which must
   * not be let loose at the end of an allocation.
   */
  static boolean masked(VectorSpecies<?> species) {
    return species.vectorBitSize() == 512;
  }

  /** Address of this thread's eight 64-byte slots. */
  static long tail() {
    return TAIL.get().address();
  }

  /** Copies a few bytes, fewer than a vector. */
  static void copy(long from, long to, int bytes) {
    MemorySegment.copy(ALL, JAVA_BYTE, from, ALL, JAVA_BYTE, to, bytes);
  }

  /** Spreads the low 8 bits of {@code bits} into bytes of 0 and 1, the lowest first. */
  static long bytes(long bits) {
    long b = ((bits & 0xFF) * 0x0101010101010101L) & 0x8040201008040201L;
    return ((b + 0x7F7F7F7F7F7F7F7FL) >>> 7) & 0x0101010101010101L;
  }

  /** Gathers eight bytes of 0 and 1 into the low 8 bits, the lowest byte first. */
  static long bits(long bytes) {
    return ((bytes & 0x0101010101010101L) * 0x0102040810204080L) >>> 56;
  }
}
