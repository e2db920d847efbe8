package carousel.tensor.spi;

/** Notes the work that code asks of a device, and has it done again and again as one piece. */
public interface Recorder {
  /**
   * Runs code; what it asks of this device on this thread is noted instead of done. It must leave no
   * memory of the device behind, and read none.
   *
   * @param code what asks
   * @return what it asked for, not yet done
   * @throws carousel.tensor.TensorException if the code reads or writes values of the device from the
   *     host, or leaves memory behind
   */
  Recorded record(Runnable code);

  /** Work that was noted, with the memory it needs. */
  interface Recorded extends AutoCloseable {
    /** Has it done once, after what was asked for before; does not wait for it. */
    void run();

    /** Gives the memory back. */
    @Override
    void close();
  }
}
