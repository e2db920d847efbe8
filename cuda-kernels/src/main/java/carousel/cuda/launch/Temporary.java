package carousel.cuda.launch;

import carousel.tensor.OutOfMemoryException;
import carousel.tensor.spi.Memory;

/**
 * Memory of the device that one op needs between its kernels. It is freed when these have been asked
 * for, not when they are done: whatever reuses it comes later on the device, too.
 */
public final class Temporary implements AutoCloseable {
  private final Memory memory;
  private final long address;
  private final long bytes;

  private Temporary(Memory memory, long address, long bytes) {
    this.memory = memory;
    this.address = address;
    this.bytes = bytes;
  }

  /**
   * Takes memory.
   *
   * @param op who wants it, for the message if there is none
   * @param bytes how much; 0 takes none
   */
  public static Temporary of(Memory memory, String op, long bytes) {
    long address = bytes == 0 ? 0 : memory.allocate(bytes);
    if (address == 0 && bytes > 0) {
      throw new OutOfMemoryException(
          op
              + ": out of memory: it takes "
              + bytes
              + " bytes of temporary memory; free some, or raise -Dcarousel.cuda.memory");
    }
    return new Temporary(memory, address, bytes);
  }

  public long address() {
    return address;
  }

  @Override
  public void close() {
    if (bytes > 0) {
      memory.free(address, bytes);
    }
  }
}
