package carousel.tensor.host;

import carousel.tensor.spi.SlabPool;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.Locale;

/**
 * Whole pages, straight from the system, on Linux and macOS. What is given back is gone from the
 * process at once; {@code malloc} keeps much of it, scattered over an arena for each thread.
 */
final class Pages implements SlabPool.Source {
  private static final String SYSTEM = System.getProperty("os.name", "").toLowerCase(Locale.ROOT);
  private static final boolean IS_LINUX = SYSTEM.startsWith("linux");
  private static final boolean IS_MAC = SYSTEM.startsWith("mac");

  private static final int READ_AND_WRITE = 3;
  private static final int PRIVATE = 2;
  private static final int ANONYMOUS = IS_MAC ? 0x1000 : 0x20;
  private static final long FAILED = -1;

  /** Looked up where there are pages, not where the class is merely asked. */
  private static final class Calls {
    static final MethodHandle MMAP =
        call(
            "mmap",
            FunctionDescriptor.of(
                ValueLayout.JAVA_LONG,
                ValueLayout.JAVA_LONG,
                ValueLayout.JAVA_LONG,
                ValueLayout.JAVA_INT,
                ValueLayout.JAVA_INT,
                ValueLayout.JAVA_INT,
                ValueLayout.JAVA_LONG));
    static final MethodHandle MUNMAP =
        call(
            "munmap",
            FunctionDescriptor.of(
                ValueLayout.JAVA_INT, ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG));

    private static MethodHandle call(String name, FunctionDescriptor type) {
      var linker = Linker.nativeLinker();
      return linker.downcallHandle(linker.defaultLookup().findOrThrow(name), type);
    }
  }

  /** Whether this system is one of those. */
  static boolean areThere() {
    return IS_LINUX || IS_MAC;
  }

  @Override
  public long take(long bytes) {
    try {
      long address =
          (long) Calls.MMAP.invokeExact(0L, bytes, READ_AND_WRITE, PRIVATE | ANONYMOUS, -1, 0L);
      return address == FAILED ? 0 : address;
    } catch (Throwable e) {
      throw new AssertionError("mmap is callable", e);
    }
  }

  @Override
  public void giveBack(long address, long bytes) {
    int failed;
    try {
      failed = (int) Calls.MUNMAP.invokeExact(address, bytes);
    } catch (Throwable e) {
      throw new AssertionError("munmap is callable", e);
    }
    if (failed != 0) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT, "no %d bytes at %x were taken from the system", bytes, address));
    }
  }
}
