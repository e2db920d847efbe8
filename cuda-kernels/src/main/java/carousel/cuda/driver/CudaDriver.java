package carousel.cuda.driver;

import java.lang.foreign.MemorySegment;

/**
 * One device and what the backend asks of it: memory, copies, kernels, matrix products.
 *
 * <p>All work goes to one stream and is done in the order in which it was asked for; a call returns
 * before it is done, except where it says that it waits. Addresses are the device's. Safe for many
 * threads. Errors are {@link carousel.tensor.TensorException}s that say what failed, and what to do.
 */
public interface CudaDriver {
  /** The property that makes every launch wait, so that an error appears where it arises. */
  String BLOCKING = "carousel.cuda.blocking";

  /** {@return what this is, for people, e.g. {@code NVIDIA H100, compute capability 9.0}} */
  String description();

  /**
   * One property of the device.
   *
   * @param attribute which
   * @return its value
   */
  int attribute(Attribute attribute);

  /**
   * How products of F32 matrices round, here and within kernels that multiply.
   *
   * @return what the device was opened with
   */
  Precision precision();

  /** Properties that decide how kernels are launched. */
  enum Attribute {
    /** How many streaming multiprocessors there are. */
    MULTIPROCESSORS,
    /** The most bytes of shared memory a block may ask for. */
    SHARED_BYTES_PER_BLOCK,
    /** Compute capability, 10 · major + minor. */
    COMPUTE_CAPABILITY
  }

  /**
   * Takes memory of the device, aligned to at least 256 bytes; its content is undefined.
   *
   * @param bytes the size
   * @return its address, or 0 if there is no more
   */
  long allocate(long bytes);

  /**
   * Gives memory back; waits for work that may use it.
   *
   * @param address what {@link #allocate} returned
   */
  void free(long address);

  /**
   * Copies from the host; returns when the host's memory may be changed again.
   *
   * @param host heap or native memory
   * @param device the target
   */
  void upload(MemorySegment host, long device);

  /**
   * Copies to the host; waits for all work asked for before.
   *
   * @param device the source
   * @param host heap or native memory, filled whole
   */
  void download(long device, MemorySegment host);

  /**
   * Copies on the device.
   *
   * @param from the source
   * @param to the target; the two do not overlap
   * @param bytes how many
   */
  void copy(long from, long to, long bytes);

  /**
   * Sets every byte.
   *
   * @param address the target
   * @param value the byte
   * @param bytes how many
   */
  void set(long address, byte value, long bytes);

  /**
   * Compiles a file of kernels, or finds it compiled.
   *
   * @param source the file
   * @return the module
   */
  long load(KernelSource source);

  /**
   * A kernel of a module.
   *
   * @param module what {@link #load} returned
   * @param symbol its name
   * @return the function
   */
  long function(long module, String symbol);

  /**
   * Starts a kernel.
   *
   * @param function what {@link #function} returned
   * @param grid its threads
   * @param arguments what it is given; may be changed when this returns
   */
  void launch(long function, Grid grid, Arguments arguments);

  /**
   * A product of matrices, or a batch of them.
   *
   * @param product what is multiplied
   */
  void gemm(BatchedGemm product);

  /** Waits for all work asked for before. */
  void synchronize();

  /** Calls that are made as one. */
  interface LaunchGraph extends AutoCloseable {
    /** Makes them, after all work asked for before. */
    void launch();

    /** Frees what the device needs for them. */
    @Override
    void close();
  }

  /**
   * Makes calls one piece. A device that has no form for that makes them one by one.
   *
   * @param calls calls {@link #launch}, {@link #gemm}, {@link #copy} and {@link #set} of this device,
   *     the same each time it is run, and nothing else; what they are given stays
   * @return what makes these calls; not made yet
   */
  default LaunchGraph graph(Runnable calls) {
    return new LaunchGraph() {
      @Override
      public void launch() {
        calls.run();
      }

      @Override
      public void close() {}
    };
  }
}
