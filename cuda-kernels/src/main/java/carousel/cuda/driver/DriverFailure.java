package carousel.cuda.driver;

import carousel.tensor.OutOfMemoryException;
import carousel.tensor.TensorException;
import java.util.Locale;
import java.util.Set;

/**
 * What a failing call of the driver means, in words for the person whose program it stopped.
 *
 * <p>Work is done later than it is asked for, so that an error shows in a call that did not cause it. The
 * message therefore names the kernel that was started last, and how to find the one that failed.
 */
enum DriverFailure {
  MEMORY(
      "out of memory",
      "Make the batch smaller, or see with nvidia-smi who else uses the device.",
      2),
  /** Illegal address or instruction, misaligned address, timeout, assertion, unspecified. */
  KERNEL(
      "a kernel failed",
      "Nothing on this device can be trusted any more: start the program again, with"
          + " -Dcarousel.cuda.blocking=true to learn which kernel it was, or under compute-sanitizer.",
      700,
      702,
      710,
      714,
      715,
      716,
      717,
      718,
      719),
  /** Invalid value, out of resources, too large for a cooperative launch, not supported. */
  LAUNCH(
      "a launch was refused",
      "It asks for more than the device has; please report it, with the device's name.",
      1,
      701,
      720,
      801),
  /** Unavailable, invalid, uncorrectable memory or link errors, contained, unknown. */
  LOST(
      "the device is lost",
      "nvidia-smi and the kernel log (dmesg, lines with Xid) say why; start the program again once the"
          + " device answers.",
      46,
      101,
      214,
      220,
      226,
      999),
  /** Invalid image, no binary, invalid or unsupported PTX, no compiler for it. */
  CODE(
      "the driver does not accept the compiled kernels",
      "NVRTC is younger than the driver: update the driver, or name the folder of an older NVRTC with -D"
          + LibrarySearch.PROPERTY
          + "=",
      200,
      209,
      218,
      221,
      222,
      223),
  CLOSING("the driver is shutting down", "Close scopes before the program ends.", 4),
  OTHER("the driver reports an error", "./carousel doctor shows driver, libraries and devices.");

  private final String what;
  private final String advice;
  private final Set<Integer> results;

  DriverFailure(String what, String advice, Integer... results) {
    this.what = what;
    this.advice = advice;
    this.results = Set.of(results);
  }

  /** The meaning of a {@code CUresult}; the numbers are those of cuda.h. */
  static DriverFailure of(int result) {
    for (DriverFailure failure : values()) {
      if (failure.results.contains(result)) {
        return failure;
      }
    }
    return OTHER;
  }

  /**
   * The exception for a call.
   *
   * @param device the device's name
   * @param call the function of the driver
   * @param result what it returned
   * @param name the driver's name of that
   * @param lastKernel the kernel that was started last; empty before the first
   */
  TensorException in(String device, String call, int result, String name, String lastKernel) {
    boolean kernelMatters = (this == KERNEL || this == LAUNCH) && !lastKernel.isEmpty();
    String message =
        String.format(
            Locale.ROOT,
            "%s: %s (%s, %d, in %s)%s. %s",
            device,
            what,
            name,
            result,
            call,
            kernelMatters ? "; the last kernel started was " + lastKernel : "",
            advice);
    return this == MEMORY ? new OutOfMemoryException(message) : new TensorException(message);
  }
}
