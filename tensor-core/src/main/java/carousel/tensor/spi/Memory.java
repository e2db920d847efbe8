package carousel.tensor.spi;

/** The memory of one device: blocks by address, counted against a cap. Safe for many threads. */
public interface Memory {
  /**
   * Gives out a block aligned to at least 64 bytes, its content undefined.
   *
   * @param bytes the size wanted, ≥ 1
   * @return its address, or 0 if that would exceed the {@linkplain #limit() cap} or the system has
   *     no more
   */
  long allocate(long bytes);

  /**
   * Takes a block back for reuse.
   *
   * @param address what {@link #allocate} returned
   * @param bytes the size it was allocated with
   */
  void free(long address, long bytes);

  /**
   * {@return the bytes in use now: the sum of the sizes of the blocks given out and not yet freed,
   * as rounded by the pool}
   */
  long inUse();

  /**
   * {@return the largest {@link #inUse} there has been, or has been since the last {@link
   * #resetPeak}: the peak in bytes}
   */
  long peak();

  /**
   * Starts the {@linkplain #peak() peak} anew, from what is in use now: to measure the peak of a part of a
   * program. What the memory keeps for later does not depend on it.
   */
  void resetPeak();

  /**
   * {@return the bytes taken from the system and not given back: what is {@linkplain #inUse() in
   * use}, and what is kept to be given out again}
   */
  long reserved();

  /** {@return the cap: the most bytes that may be in use} */
  long limit();

  /**
   * Sets the cap; blocks already given out stay.
   *
   * @param bytes the most bytes that may be in use from now on
   */
  void limit(long bytes);
}
