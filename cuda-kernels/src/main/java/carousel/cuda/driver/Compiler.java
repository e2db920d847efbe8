package carousel.cuda.driver;

/** Makes code for a device from CUDA C++. */
public interface Compiler {
  /**
   * Compiles a file.
   *
   * @param source the file and what it includes
   * @param capability the device's compute capability, 10 · major + minor
   * @return what the driver loads: a cubin, or PTX for a device younger than the compiler
   * @throws carousel.tensor.TensorException if it does not compile; the message has the compiler's words
   */
  byte[] compile(KernelSource source, int capability);

  /**
   * All that decides what is made of a source, for caches: compiler, version, options.
   *
   * @param capability the device's compute capability, 10 · major + minor
   * @return a text that changes when the result may
   */
  String fingerprint(int capability);
}
