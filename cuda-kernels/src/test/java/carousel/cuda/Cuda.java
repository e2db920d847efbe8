package carousel.cuda;

import carousel.cuda.driver.CudaDriver;
import carousel.cuda.emulator.EmulatedDriver;
import carousel.tensor.Device;
import carousel.tensor.TensorException;
import carousel.tensor.spi.Backend;
import carousel.tensor.spi.Memory;
import java.util.function.Supplier;
import org.junit.jupiter.api.Assumptions;

/**
 * What tests of kernels run on: the emulated device, or, for those with the tag {@link #DEVICE}, the GPU
 * that {@code -Dcarousel.test.devices=cuda:0} names. They are skipped, with the reason, where there is no
 * compiler to emulate with.
 */
public final class Cuda {
  /** On tests that need nothing of the emulator. */
  public static final String DEVICE = "device";

  /** On those of them that are about rounded products: {@code -Dcarousel.cuda.bf16=true}. */
  public static final String ROUNDING_DEVICE = "rounding-device";

  private Cuda() {}

  public static Device device() {
    return isGpu()
        ? Device.of(System.getProperty("carousel.test.devices"))
        : orSkip(Device::cudaEmulated);
  }

  public static boolean isGpu() {
    return System.getProperty("carousel.test.devices", "").startsWith("cuda:");
  }

  public static EmulatedDriver emulated() {
    return orSkip(() -> CudaProvider.emulated(false));
  }

  /** A device on a driver, as the provider opens it. */
  public static Backend backend(CudaDriver driver) {
    return backend(driver, pool(driver));
  }

  /** A device on a driver, with memory of its own kind. */
  public static Backend backend(CudaDriver driver, Memory memory) {
    return new CudaBackend(driver, memory);
  }

  /** The memory that the provider gives a device. */
  public static Memory pool(CudaDriver driver) {
    return CudaBackend.pool(driver);
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
