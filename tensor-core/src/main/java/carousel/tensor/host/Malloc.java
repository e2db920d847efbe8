package carousel.tensor.host;

import carousel.tensor.spi.SlabPool;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/** Memory from the C library's allocator: an arena would zero it, and cost more. */
final class Malloc implements SlabPool.Source {
  private static final int ALIGNMENT = 64;
  private static final MethodHandle MALLOC =
      Linker.nativeLinker()
          .downcallHandle(
              Linker.nativeLinker().defaultLookup().findOrThrow("malloc"),
              FunctionDescriptor.of(ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG));
  private static final MethodHandle FREE =
      Linker.nativeLinker()
          .downcallHandle(
              Linker.nativeLinker().defaultLookup().findOrThrow("free"),
              FunctionDescriptor.ofVoid(ValueLayout.JAVA_LONG));

  @Override
  public long take(long size) {
    try {
      long raw = (long) MALLOC.invokeExact(size + ALIGNMENT);
      if (raw == 0) {
        return 0;
      }
      // malloc aligns to 16, so there is room for the raw pointer in front of the block.
      long aligned = (raw + ALIGNMENT) & -ALIGNMENT;
      Bytes.i64(aligned - 8, raw);
      return aligned;
    } catch (Throwable e) {
      throw new AssertionError("malloc is callable", e);
    }
  }

  @Override
  public void giveBack(long aligned, long bytes) {
    try {
      FREE.invokeExact(Bytes.i64(aligned - 8));
    } catch (Throwable e) {
      throw new AssertionError("free is callable", e);
    }
  }
}
