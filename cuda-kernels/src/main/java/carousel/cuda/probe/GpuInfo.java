package carousel.cuda.probe;

import java.util.Locale;

/**
 * One CUDA device as its driver describes it.
 *
 * @param index the driver's number of it, from 0
 * @param name as {@code cuDeviceGetName} gives it: {@code NVIDIA H200}
 * @param major compute capability before the point: 9 for Hopper
 * @param minor compute capability after the point
 * @param multiprocessors how many streaming multiprocessors it has
 * @param memoryBytes its global memory
 */
public record GpuInfo(
    int index, String name, int major, int minor, int multiprocessors, long memoryBytes) {

  /**
   * Its compute capability as one number.
   *
   * @return 10 · major + minor
   */
  public int capability() {
    return 10 * major + minor;
  }

  /** One line: {@code device 0: NVIDIA H200, compute capability 9.0, 132 SMs, 139.8 GiB}. */
  @Override
  public String toString() {
    return String.format(
        Locale.ROOT,
        "device %d: %s, compute capability %d.%d, %d SMs, %.1f GiB",
        index,
        name,
        major,
        minor,
        multiprocessors,
        memoryBytes / (double) (1L << 30));
  }
}
