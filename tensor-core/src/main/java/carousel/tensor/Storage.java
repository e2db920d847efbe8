package carousel.tensor;

import carousel.tensor.spi.Memory;
import java.util.OptionalDouble;

/**
 * A block of device memory that tensors look at.
 *
 * <p>A storage is owned by one {@link TensorScope} and may be held by tapes; its memory goes back to the
 * pool when the owner is closed and the last hold is released. Writing in place raises {@link
 * #version}, by which a tape notices that a saved value changed.
 *
 * <p>Tapes of several threads may hold one storage, the weights of a model that all of them read, so
 * holds are counted under its lock.
 */
public final class Storage {
  private final Memory memory;
  private final long bytes;
  private final String op;
  private final Shape shape;
  private long address;
  private int version;
  private double filled = Double.NaN;
  private int holds;
  private Ledger owner;
  private int slot;

  /** A block of an owner, made by an op for a tensor of a shape. */
  Storage(Memory memory, long address, long bytes, String op, Shape shape, Ledger owner) {
    this.memory = memory;
    this.address = address;
    this.bytes = bytes;
    this.op = op;
    this.shape = shape;
    this.owner = owner;
    owner.add(this);
  }

  /** Who frees it. */
  Ledger owner() {
    return owner;
  }

  /** Where it stands in the owner's list. */
  int slot() {
    return slot;
  }

  /** Notes the owner, and where it keeps this. */
  void ownedBy(Ledger ledger, int at) {
    owner = ledger;
    slot = at;
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
              + origin()
              + ") belonged to "
              + owner.describe()
              + ", which is closed; hand it on with scope.keep(tensor) before the closing brace");
    }
    Recording.uses(this);
    return address;
  }

  /** {@return whether the memory is still there: false once it was given back} */
  public boolean isOpen() {
    return address != 0;
  }

  /** {@return the size in bytes} */
  public long bytes() {
    return bytes;
  }

  /** {@return what made this block: the op and shape, for error messages} */
  public String origin() {
    return op + " " + shape;
  }

  /**
   * How often the block was written in place.
   *
   * @return a count that grows with every in-place write
   */
  public int version() {
    return version;
  }

  /**
   * The one number that every element is because the block was filled with it when it was made, as
   * {@code zeros}, {@code full}, a scalar beside a tensor or a tensor of one Java number is. What was
   * written in place since is not known to be one number, and neither is NaN.
   *
   * @return the number, rounded to the type of the elements; empty if it is not known
   */
  public OptionalDouble filled() {
    return Double.isNaN(filled) ? OptionalDouble.empty() : OptionalDouble.of(filled);
  }

  /** Notes that every element of this new block is one number, as its type holds it. */
  void filledWith(double number) {
    filled = number;
  }

  /** Notes an in-place write. */
  void touch() {
    version++;
    filled = Double.NaN;
    var recording = Recording.current();
    if (recording != null) {
      recording.writes(this);
    }
  }

  /**
   * Keeps the memory alive beyond its scope until {@link #release}.
   *
   * @throws TensorException if it was given back already
   */
  public synchronized void retain() {
    long unused = address();
    holds++;
  }

  /**
   * Ends one {@link #retain}; gives the memory back if nobody else needs it.
   *
   * @throws TensorException if it was not retained
   */
  public synchronized void release() {
    if (holds == 0) {
      throw new TensorException("release: the memory of " + origin() + " is not held");
    }
    if (--holds == 0 && owner.isClosed()) {
      free();
    }
  }

  /** The owner is closing. */
  synchronized void disown() {
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
