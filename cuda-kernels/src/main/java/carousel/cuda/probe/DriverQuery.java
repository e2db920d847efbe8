package carousel.cuda.probe;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The few calls of the CUDA driver API that tell what is there, bound with {@code java.lang.foreign}:
 * no native code of ours, and nothing to load where there is no driver.
 *
 * <p>Signatures: CUDA Driver API reference, sections "Initialization", "Version Management" and
 * "Device Management". Every function returns a {@code CUresult}, 0 for success.
 */
final class DriverQuery {

  private static final int NAME_BYTES = 256;
  // CUdevice_attribute
  private static final int MULTIPROCESSOR_COUNT = 16;
  private static final int COMPUTE_CAPABILITY_MAJOR = 75;
  private static final int COMPUTE_CAPABILITY_MINOR = 76;

  private final SymbolLookup symbols;

  /**
   * @param symbols the open driver library
   */
  DriverQuery(SymbolLookup symbols) {
    this.symbols = symbols;
  }

  /** A driver call that did not return 0. */
  static final class CallFailed extends Exception {
    private static final long serialVersionUID = 1;

    private final String call;
    private final int code;
    private final String error;

    CallFailed(String call, int code, String error) {
      super(call + ": " + error + " (" + code + ")");
      this.call = call;
      this.code = code;
      this.error = error;
    }

    CudaReport.DriverFails report(String library) {
      return new CudaReport.DriverFails(library, call, code, error);
    }
  }

  /** The CUDA version this driver supports, 1000 · major + 10 · minor. */
  int version() throws CallFailed {
    try (var arena = Arena.ofConfined()) {
      var out = arena.allocate(JAVA_INT);
      call("cuDriverGetVersion", out);
      return out.get(JAVA_INT, 0);
    }
  }

  /** Initialises the driver and describes every device. */
  List<GpuInfo> devices() throws CallFailed {
    try (var arena = Arena.ofConfined()) {
      call("cuInit", 0);
      var out = arena.allocate(JAVA_INT);
      call("cuDeviceGetCount", out);
      int count = out.get(JAVA_INT, 0);
      var devices = new ArrayList<GpuInfo>();
      for (int index = 0; index < count; index++) {
        devices.add(device(index, arena));
      }
      return devices;
    }
  }

  private GpuInfo device(int index, Arena arena) throws CallFailed {
    var out = arena.allocate(JAVA_INT);
    call("cuDeviceGet", out, index);
    int device = out.get(JAVA_INT, 0);
    var name = arena.allocate(NAME_BYTES);
    call("cuDeviceGetName", name, NAME_BYTES, device);
    var bytes = arena.allocate(JAVA_LONG); // size_t
    call("cuDeviceTotalMem_v2", bytes, device);
    return new GpuInfo(
        index,
        name.getString(0),
        attribute(COMPUTE_CAPABILITY_MAJOR, device, arena),
        attribute(COMPUTE_CAPABILITY_MINOR, device, arena),
        attribute(MULTIPROCESSOR_COUNT, device, arena),
        bytes.get(JAVA_LONG, 0));
  }

  private int attribute(int attribute, int device, Arena arena) throws CallFailed {
    var out = arena.allocate(JAVA_INT);
    call("cuDeviceGetAttribute", out, attribute, device);
    return out.get(JAVA_INT, 0);
  }

  private void call(String function, Object... arguments) throws CallFailed {
    int code = invoke(function, arguments);
    if (code != 0) {
      throw new CallFailed(function, code, errorName(code));
    }
  }

  /** The name of a {@code CUresult}, from the driver itself. */
  private String errorName(int code) {
    try (var arena = Arena.ofConfined()) {
      var out = arena.allocate(ADDRESS);
      return invoke("cuGetErrorName", code, out) == 0
          ? out.get(ADDRESS, 0).reinterpret(NAME_BYTES).getString(0)
          : "unnamed error";
    } catch (CallFailed nameless) {
      return "unnamed error";
    }
  }

  /** Calls a function that takes ints and pointers and returns a {@code CUresult}. */
  private int invoke(String function, Object... arguments) throws CallFailed {
    var layouts =
        Arrays.stream(arguments)
            .map(argument -> argument instanceof MemorySegment ? ADDRESS : JAVA_INT)
            .toArray(MemoryLayout[]::new);
    var symbol = symbols.find(function).orElse(null);
    if (symbol == null) {
      throw new CallFailed(function, -1, "no such function in this library");
    }
    var handle =
        Linker.nativeLinker().downcallHandle(symbol, FunctionDescriptor.of(JAVA_INT, layouts));
    try {
      return (int) handle.invokeWithArguments(arguments);
    } catch (Throwable impossible) {
      throw new IllegalStateException(function + " could not be called", impossible);
    }
  }
}
