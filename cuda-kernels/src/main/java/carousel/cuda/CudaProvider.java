package carousel.cuda;

import carousel.cuda.driver.CubinCache;
import carousel.cuda.driver.CudaDriver;
import carousel.cuda.driver.Precision;
import carousel.cuda.emulator.EmulatedDriver;
import carousel.cuda.emulator.GuardedMemory;
import carousel.cuda.probe.CudaProbe;
import carousel.cuda.probe.GpuSetup;
import carousel.cuda.probe.ListedGpus;
import carousel.tensor.TensorException;
import carousel.tensor.spi.Backend;
import carousel.tensor.spi.BackendProvider;
import carousel.tensor.spi.Memory;
import carousel.tensor.spi.Setting;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Offers {@code cuda:0}, {@code cuda:1}, ... and {@code cuda-emulated}. The emulated device is listed
 * only with {@code -Dcarousel.cuda.emulator=on}, and GPUs where the bindings are that open them; both are
 * opened by their names in any case, or say what is missing.
 */
public final class CudaProvider implements BackendProvider {
  private static final String EMULATED = "cuda-emulated";
  static final String ASAN = "carousel.cuda.emulator.asan";
  private static final Pattern GPU = Pattern.compile("cuda:([0-9]{1,4})");

  /** Loads nothing. */
  public CudaProvider() {}

  @Override
  public List<String> names() {
    List<String> names = new ArrayList<>();
    Path root = Path.of(System.getProperty("user.home", "/")).toAbsolutePath().getRoot();
    List<String> gpus = ListedGpus.names(root, System.getenv("CUDA_VISIBLE_DEVICES"));
    if (!gpus.isEmpty() && GpuSetup.hasBindings()) {
      names.addAll(gpus);
    }
    if (Setting.CUDA_EMULATOR.or("off").equals("on")) {
      names.add(EMULATED);
    }
    return names;
  }

  @Override
  public Optional<Backend> open(String name) {
    if (name.equals(EMULATED)) {
      return Optional.of(emulatedBackend());
    }
    Matcher gpu = GPU.matcher(name);
    return gpu.matches()
        ? Optional.of(gpuBackend(Integer.parseInt(gpu.group(1))))
        : Optional.empty();
  }

  private static Backend gpuBackend(int index) {
    CudaDriver driver = new CudaProbe().setup().open(index);
    return new CudaBackend(driver, CudaBackend.pool(driver));
  }

  private static Backend emulatedBackend() {
    boolean sanitize = Setting.CUDA_EMULATOR_ASAN.isTrue();
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
    String order = Setting.CUDA_EMULATOR_ORDER.or("forward");
    return new EmulatedDriver(
        CubinCache.configured().resolve("emulated"),
        sanitize,
        order.equals("reverse"),
        Precision.configured());
  }
}
