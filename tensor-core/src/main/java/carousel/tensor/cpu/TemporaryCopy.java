package carousel.tensor.cpu;

import carousel.tensor.OutOfMemoryException;
import carousel.tensor.spi.Memory;
import java.util.Locale;

/** A dense block of memory for the time of one operation. */
final class TemporaryCopy implements AutoCloseable {
  private final Memory memory;
  private final Strided strided;
  private final long bytes;

  /**
   * Room for a dense copy of an operand.
   *
   * @throws OutOfMemoryException if there is no room
   */
  TemporaryCopy(Memory memory, String op, Strided like) {
    this.memory = memory;
    this.bytes = Math.max(1, like.count() * like.size());
    long address = memory.allocate(bytes);
    if (address == 0) {
      throw new OutOfMemoryException(
          String.format(
              Locale.ROOT,
              "%s: no room for a temporary copy of %d bytes beside %d in use of %d; free tensors, or"
                  + " raise the limit",
              op,
              bytes,
              memory.inUse(),
              memory.limit()));
    }
    this.strided = Strided.dense(address, like.dims(), like.size());
  }

  /** The block, in the shape of the operand. */
  Strided strided() {
    return strided;
  }

  @Override
  public void close() {
    memory.free(strided.address(), bytes);
  }
}
