package carousel.cuda;

import carousel.cuda.emulator.EmulatedDriver;
import carousel.tensor.Device;
import carousel.tensor.TensorException;
import java.util.function.Supplier;
import org.junit.jupiter.api.Assumptions;

/** The emulated device, for tests: they are skipped, with the reason, where there is no compiler. */
final class Emulated {
  private Emulated() {}

  static Device device() {
    return orSkip(Device::cudaEmulated);
  }

  static EmulatedDriver driver() {
    return orSkip(() -> CudaProvider.emulated(false));
  }

  private static <T> T orSkip(Supplier<T> emulated) {
    try {
      return emulated.get();
    } catch (TensorException e) {
      String message = String.valueOf(e.getMessage());
      if (message.contains("cannot be started")) {
        Assumptions.abort(message);
      }
      throw e;
    }
  }
}
