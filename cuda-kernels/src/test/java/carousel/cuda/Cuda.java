package carousel.cuda;

import carousel.cuda.emulator.EmulatedDriver;
import carousel.tensor.Device;
import carousel.tensor.TensorException;
import java.util.function.Supplier;
import org.junit.jupiter.api.Assumptions;

/**
 * What tests of kernels run on: the emulated device, or, for those with the tag {@link #DEVICE}, the GPU
 * that {@code -Dcarousel.test.devices=cuda:0} names. They are skipped, with the reason, where there is no
 * compiler to emulate with.
 */
final class Cuda {
  /** On tests that need nothing of the emulator. */
  static final String DEVICE = "device";

  /** On those of them that are about rounded products: {@code -Dcarousel.cuda.bf16=true}. */
  static final String ROUNDING_DEVICE = "rounding-device";

  private Cuda() {}

  static Device device() {
    return isGpu()
        ? Device.of(System.getProperty("carousel.test.devices"))
        : orSkip(Device::cudaEmulated);
  }

  static boolean isGpu() {
    return System.getProperty("carousel.test.devices", "").startsWith("cuda:");
  }

  static EmulatedDriver emulated() {
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
