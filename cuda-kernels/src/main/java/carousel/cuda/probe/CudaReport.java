package carousel.cuda.probe;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** What of CUDA a machine has: no driver, a driver that fails, or devices that answer. */
public sealed interface CudaReport {

  /** The oldest CUDA version, as {@code cuDriverGetVersion} counts, whose driver suffices: 12.0. */
  int LEAST_DRIVER = 12000;

  /** What was seen, one line each. */
  List<String> facts();

  /** What to do about what was not seen, one line each; empty where nothing is missing. */
  List<String> advice();

  /**
   * No driver library was found.
   *
   * @param looked the places looked at, in order
   * @param clues what the machine shows of a GPU all the same, such as a loaded kernel module
   * @param advice what to do, given the clues
   */
  record NoDriver(List<String> looked, List<String> clues, List<String> advice)
      implements CudaReport {

    /** Copies the lists. */
    public NoDriver {
      looked = List.copyOf(looked);
      clues = List.copyOf(clues);
      advice = List.copyOf(advice);
    }

    @Override
    public List<String> facts() {
      var facts = new ArrayList<String>();
      facts.add("no driver library; looked for " + String.join(", ", looked));
      facts.addAll(clues);
      return List.copyOf(facts);
    }
  }

  /**
   * The driver library is there, and a call to it failed.
   *
   * @param library where it was found
   * @param call the function of the driver API that failed
   * @param code the {@code CUresult} it returned
   * @param error the name of that code, {@code CUDA_ERROR_NO_DEVICE}
   */
  record DriverFails(String library, String call, int code, String error) implements CudaReport {

    @Override
    public List<String> facts() {
      return List.of("driver " + library, call + " failed: " + error + " (" + code + ")");
    }

    @Override
    public List<String> advice() {
      return List.of(
          switch (code) {
            case 34 ->
                "This is the toolkit's stub, made for linking: remove it from the library path,"
                    + " and install the driver itself.";
            case 100 ->
                "The driver sees no GPU: look at CUDA_VISIBLE_DEVICES, and in a container at how"
                    + " it was given its GPUs (--gpus all).";
            case 803, 804 ->
                "The driver library and the kernel module are of different versions: reboot"
                    + " after a driver update, and remove an old compatibility package from the library"
                    + " path.";
            default ->
                "See whether nvidia-smi works; the kernel log (dmesg) says why a driver does not"
                    + " start.";
          });
    }
  }

  /**
   * The driver answers.
   *
   * @param library where it was found
   * @param driverVersion the CUDA version the driver supports, 1000 · major + 10 · minor
   * @param devices the devices, at least one
   */
  record Ready(String library, int driverVersion, List<GpuInfo> devices) implements CudaReport {

    /** Copies the list. */
    public Ready {
      devices = List.copyOf(devices);
    }

    /**
     * The CUDA version before the point.
     *
     * @return e.g. 12
     */
    public int major() {
      return driverVersion / 1000;
    }

    @Override
    public List<String> facts() {
      var facts = new ArrayList<String>();
      facts.add("driver " + library + ", for CUDA " + version(driverVersion));
      devices.forEach(device -> facts.add(device.toString()));
      return List.copyOf(facts);
    }

    @Override
    public List<String> advice() {
      return driverVersion >= LEAST_DRIVER
          ? List.of()
          : List.of(
              String.format(
                  Locale.ROOT,
                  "The driver is for CUDA %s; install one for CUDA %s or later (Linux: 525.60.13).",
                  version(driverVersion),
                  version(LEAST_DRIVER)));
    }

    private static String version(int number) {
      return number / 1000 + "." + number % 1000 / 10;
    }
  }
}
