package carousel.cuda.emulator;

import carousel.cuda.driver.Arguments;
import carousel.cuda.driver.Grid;
import carousel.cuda.driver.KernelSource;
import carousel.cuda.driver.Precision;
import carousel.tensor.TensorException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.junit.jupiter.api.Assumptions;

/** Kernels written in a test, run on an emulated device: {@code kernel(int *y, long long n)}. */
final class TestKernel {
  private static final String HEAD =
      "#include \"common.cuh\"\nextern \"C\" __global__ void kernel(int *y, i64 n) {\n";

  private final EmulatedDriver driver;

  private TestKernel(EmulatedDriver driver) {
    this.driver = driver;
  }

  /** A device with its compiled kernels in a folder; skips the test where there is no compiler. */
  static TestKernel on(Path cache, boolean reverse) {
    try {
      return new TestKernel(new EmulatedDriver(cache, false, reverse, Precision.F32));
    } catch (TensorException e) {
      String message = String.valueOf(e.getMessage());
      if (message.contains("cannot be started")) {
        Assumptions.abort(message);
      }
      throw e;
    }
  }

  /** The file of a kernel with this body, whose first line is number 3. */
  static KernelSource source(String body) {
    Map<String, String> files = new LinkedHashMap<>();
    files.put("test.cu", HEAD + body + "}\n");
    files.putAll(KernelSource.of("common.cuh").files());
    return new KernelSource("test.cu", files);
  }

  /** Runs a kernel of this body on n words that are 0 at first, and returns them. */
  int[] run(Grid grid, int n, String body) {
    long function = driver.function(driver.load(source(body)), "kernel");
    long y = driver.allocate(4L * n);
    try {
      driver.set(y, (byte) 0, 4L * n);
      var arguments = new Arguments();
      arguments.values().set(ValueLayout.JAVA_LONG, arguments.next(8), y);
      arguments.values().set(ValueLayout.JAVA_LONG, arguments.next(8), n);
      driver.launch(function, grid, arguments);
      int[] result = new int[n];
      driver.download(y, MemorySegment.ofArray(result));
      return result;
    } finally {
      driver.free(y);
    }
  }
}
