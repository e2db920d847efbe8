package carousel.cuda;

import carousel.cuda.driver.CudaDriver;
import carousel.cuda.emulator.EmulatedDriver;
import carousel.tensor.TensorException;
import carousel.tensor.spi.Backend;
import carousel.tensor.spi.BackendProvider;
import carousel.tensor.spi.Memory;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * Offers {@code cuda:0}, {@code cuda:1}, ... and {@code cuda-emulated}. The emulated device is listed
 * only with {@code -Dcarousel.cuda.emulator=on}, but opened by its name in any case.
 */
public final class CudaProvider implements BackendProvider {
  private static final String EMULATED = "cuda-emulated";
  private static final String ASAN = "carousel.cuda.emulator.asan";

  /** Loads nothing. */
  public CudaProvider() {}

  @Override
  public List<String> names() {
    return System.getProperty("carousel.cuda.emulator", "off").equals("on")
        ? List.of(EMULATED)
        : List.of();
  }

  @Override
  public Optional<Backend> open(String name) {
    if (name.equals(EMULATED)) {
      return Optional.of(emulatedBackend());
    }
    if (name.startsWith("cuda:")) {
      throw new TensorException(name + ": not on cuda yet");
    }
    return Optional.empty();
  }

  private static Backend emulatedBackend() {
    boolean sanitize = Boolean.getBoolean(ASAN);
    if (sanitize && !String.valueOf(System.getenv("LD_PRELOAD")).contains("libasan")) {
      throw new TensorException(
          "cuda-emulated: -D"
              + ASAN
              + "=true needs AddressSanitizer's library in the process from the start: start Java with"
              + " LD_PRELOAD=$(g++ -print-file-name=libasan.so) and"
              + " ASAN_OPTIONS=detect_leaks=0:handle_segv=0");
    }
    CudaDriver driver = emulated(sanitize);
    Memory memory = sanitize ? new GuardedMemory(driver) : CudaBackend.pool(driver);
    return new CudaBackend(driver, memory);
  }

  /** The emulated device, as the system properties want it. */
  static EmulatedDriver emulated(boolean sanitize) {
    String order = System.getProperty("carousel.cuda.emulator.order", "forward");
    return new EmulatedDriver(cache().resolve("emulated"), sanitize, order.equals("reverse"));
  }

  /** Where compiled kernels are kept: {@code -Dcarousel.cuda.cache}, or the user's cache folder. */
  private static Path cache() {
    String named = System.getProperty("carousel.cuda.cache");
    if (named != null) {
      return Path.of(named);
    }
    String home = System.getenv("XDG_CACHE_HOME");
    return home != null && !home.isEmpty()
        ? Path.of(home, "carousel", "cuda")
        : Path.of(System.getProperty("user.home", "."), ".cache", "carousel", "cuda");
  }
}
