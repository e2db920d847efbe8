package carousel.tensor;

import carousel.tensor.spi.Memory;
import org.jspecify.annotations.Nullable;

/**
 * A block of device memory that tensors look at.
 *
 * <p>A storage is owned by one {@link Scope} and may be held by tapes; its memory goes back to the
 * pool when the owner is closed and the last hold is released. Writing in place raises {@link
 * #version}, by which a tape notices that a saved value changed.
 */
public final class Storage {
  private final Memory memory;
  private final long bytes;
  private final String origin;
  private long address;
  private int version;
  private int holds;
  @Nullable Scope owner;
  int slot;

  Storage(Memory memory, long address, long bytes, String origin) {
    this.memory = memory;
    this.address = address;
    this.bytes = bytes;
    this.origin = origin;
  }

  /**
   * The address of the block, on its device.
   *
   * @return the address of the first byte
   * @throws TensorException if the memory was given back
   */
  public long address() {
    if (address == 0) {
      throw new TensorException(
          "use after close: this tensor ("
              + origin
              + ") belonged to "
              + (owner == null ? "a scope" : owner.describe())
              + ", which is closed; hand it on with scope.keep(tensor) before the closing brace");
    }
    return address;
  }

  /**
   * Returns whether the memory is still there.
   *
   * @return false once it was given back
   */
  public boolean isOpen() {
    return address != 0;
  }

  /**
   * Returns the size.
   *
   * @return the size in bytes
   */
  public long bytes() {
    return bytes;
  }

  /**
   * Returns what made this block.
   *
   * @return the op and shape, for error messages
   */
  public String origin() {
    return origin;
  }

  /**
   * How often the block was written in place.
   *
   * @return a count that grows with every in-place write
   */
  public int version() {
    return version;
  }

  /** Notes an in-place write. */
  void touch() {
    version++;
  }

  /** Keeps the memory alive beyond its scope until {@link #release}. */
  public void retain() {
    holds++;
  }

  /** Ends one {@link #retain}; gives the memory back if nobody else needs it. */
  public void release() {
    if (--holds == 0 && (owner == null || owner.isClosed())) {
      free();
    }
  }

  /** The owner is closing. */
  void disown() {
    if (holds == 0) {
      free();
    }
  }

  private void free() {
    if (address != 0) {
      memory.free(address, bytes);
      address = 0;
    }
  }
}
