package carousel.tensor;

import carousel.tensor.spi.Backend;
import carousel.tensor.spi.BackendProvider;
import carousel.tensor.spi.Setting;
import java.lang.System.Logger.Level;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.ServiceConfigurationError;
import java.util.ServiceLoader;
import org.jspecify.annotations.Nullable;

/** Where tensors live and are computed: a name and the {@link Backend} behind it. */
public final class Device {
  /** Where the providers of the built-in devices are, each in a package of its own. */
  private static final String HERE = Device.class.getPackageName() + ".";

  /** What {@link #standard} found. */
  private static volatile @Nullable Device standard;

  private final String name;
  private final @Nullable BackendProvider provider;
  private volatile @Nullable Backend backend;

  private Device(String name, Backend backend) {
    this.name = name;
    this.provider = null;
    this.backend = backend;
  }

  /** A device that is opened when something is first computed there. */
  Device(String name, BackendProvider provider) {
    this.name = name;
    this.provider = provider;
  }

  /**
   * One of the two that lie beside this class, or why it cannot be had: an error that left a class's initializer
   * would come back as another.
   */
  private record BuiltIn(@Nullable Device device, @Nullable TensorException failure) {
    static final List<String> NAMES = List.of("cpu", "reference");

    static BuiltIn of(String name) {
      try {
        // Not by the thread's loader, which may see something else; nor from elsewhere, whatever
        // calls itself so.
        var own = ServiceLoader.load(BackendProvider.class, Device.class.getClassLoader());
        for (var service : services(own)) {
          if (service.type().getPackageName().startsWith(HERE)) {
            var found = service.get().open(name);
            if (found.isPresent()) {
              return new BuiltIn(new Device(name, found.get()), null);
            }
          }
        }
        throw new TensorException(
            "device: no service offers '"
                + name
                + "', which is beside this class; where jars are put into one, their META-INF/services/"
                + BackendProvider.class.getName()
                + " must become one file, with the lines of all");
      } catch (TensorException e) {
        return new BuiltIn(null, e);
      }
    }

    Device get() {
      if (device == null) {
        throw new TensorException(String.valueOf(Objects.requireNonNull(failure).getMessage()));
      }
      return device;
    }
  }

  /** Those that can be loaded: what someone else's file names in vain takes no device away. */
  private static List<ServiceLoader.Provider<BackendProvider>> services(
      ServiceLoader<BackendProvider> loader) {
    List<ServiceLoader.Provider<BackendProvider>> found = new ArrayList<>();
    var services = loader.stream().iterator();
    while (true) {
      try {
        if (!services.hasNext()) {
          return found;
        }
        found.add(services.next());
      } catch (ServiceConfigurationError e) {
        System.getLogger("carousel.tensor").log(Level.WARNING, "passing over " + e.getMessage());
      }
    }
  }

  private static final class Cpu {
    private static final BuiltIn DEVICE = BuiltIn.of("cpu");
  }

  private static final class Reference {
    private static final BuiltIn DEVICE = BuiltIn.of("reference");
  }

  /** What the other providers on the class or module path offer. */
  private static final class Provided {
    private static final List<BackendProvider> PROVIDERS =
        services(ServiceLoader.load(BackendProvider.class)).stream()
            .map(ServiceLoader.Provider::get)
            .toList();
    private static final Map<String, Device> DEVICES = new LinkedHashMap<>();
    private static final List<Device> LISTED = list();

    private static List<Device> list() {
      List<Device> devices = new ArrayList<>();
      for (BackendProvider provider : PROVIDERS) {
        for (String name : provider.names()) {
          if (!BuiltIn.NAMES.contains(name)) {
            var device = new Device(name, provider);
            DEVICES.put(name, device);
            devices.add(device);
          }
        }
      }
      return List.copyOf(devices);
    }

    /** A device that is listed, or that a provider opens when asked for; null if none knows the name. */
    private static synchronized @Nullable Device find(String name) {
      Device device = DEVICES.get(name);
      if (device == null) {
        device =
            PROVIDERS.stream()
                .flatMap(provider -> provider.open(name).stream())
                .findFirst()
                .map(backend -> new Device(name, backend))
                .orElse(null);
        if (device != null) {
          DEVICES.put(name, device);
        }
      }
      return device;
    }
  }

  /**
   * The host's processors, by the Vector API where it is there.
   *
   * @return the CPU
   * @throws TensorException if Java was started with {@code -Dcarousel.*} that make no sense, or require
   *     the Vector API where there is none
   */
  public static Device cpu() {
    return Cpu.DEVICE.get();
  }

  /**
   * The oracle: every op by its scalar definition in double precision, slowly. The other backends
   * are tested against it.
   *
   * @return the reference device
   */
  public static Device reference() {
    return Reference.DEVICE.get();
  }

  /**
   * All devices found on this machine, the CPU first.
   *
   * @return the CPU, the reference, and what providers on the class or module path offer
   */
  public static List<Device> all() {
    List<Device> devices = new ArrayList<>(List.of(cpu(), reference()));
    devices.addAll(Provided.LISTED);
    return devices;
  }

  /**
   * The device of a name such as {@code cpu}; {@code cuda} is {@code cuda:0}. It is opened, and never
   * replaced by another.
   *
   * @param name the name
   * @return the device
   * @throws TensorException if there is none; the message lists those there are
   */
  public static Device of(String name) {
    return switch (name) {
      case "cpu" -> cpu();
      case "reference" -> reference();
      case "cuda" -> cuda(0);
      default -> {
        Setting.requireSense(); // before the initializer of a class comes upon what makes none
        Device device = Provided.find(name);
        if (device == null) {
          throw new TensorException(
              "device: there is no '"
                  + name
                  + "' here; found "
                  + all().stream().map(Device::name).toList()
                  + "; a GPU (cuda:0) needs carousel-cuda-kernels on the path and a driver, its kernels"
                  + " on the host (cuda-emulated) need that and g++");
        }
        var unused = device.backend();
        yield device;
      }
    };
  }

  /**
   * A GPU, by CUDA.
   *
   * @param index the driver's number of it, from 0
   * @return the device {@code cuda:index}
   * @throws TensorException if it is not there; the message says what is missing
   */
  public static Device cuda(int index) {
    return of("cuda:" + index);
  }

  /**
   * The CUDA kernels on the host, thread by thread: for tests, on machines without a GPU. Slow.
   *
   * @return the device {@code cuda-emulated}
   * @throws TensorException if there is no {@code g++} to compile the kernels with
   */
  public static Device cudaEmulated() {
    return of("cuda-emulated");
  }

  /**
   * A device of a backend that no provider offers: one under construction, or one that a test watches.
   * {@link #all} does not list it.
   *
   * @param name the name
   * @param backend what computes there
   * @return a new device
   */
  public static Device of(String name, Backend backend) {
    return new Device(name, backend);
  }

  /**
   * The device of scopes that name none: what {@code -Dcarousel.device} names, e.g. {@code cuda:0}, else
   * the CPU.
   *
   * @return the device
   * @throws TensorException if the property names none that is there
   */
  public static Device standard() {
    // Not in the initializer of a class: an error there would come back as another one.
    Device device = standard;
    if (device == null) {
      device = of(Setting.DEVICE.or("cpu"));
      standard = device;
    }
    return device;
  }

  /**
   * The fastest device there is: the first that a provider offers and can open, else the CPU. What
   * cannot be opened is logged, in one line that says why.
   *
   * @return the best device of this machine
   */
  public static Device best() {
    Setting.requireSense();
    return best(Provided.LISTED);
  }

  /** The first of the devices that opens, else the CPU. */
  static Device best(List<Device> devices) {
    System.Logger log = System.getLogger("carousel.tensor");
    for (Device device : devices) {
      try {
        var unused = device.backend();
        return device;
      } catch (TensorException e) {
        log.log(Level.WARNING, "passing over " + e.getMessage());
      }
    }
    log.log(Level.INFO, "no accelerator can be used; computing on the CPU");
    return cpu();
  }

  /** {@return the name, e.g. {@code cpu}} */
  public String name() {
    return name;
  }

  /**
   * {@return what computes on this device: the family of loops}
   *
   * @throws TensorException if the device cannot be opened; the message says what is missing
   */
  public Backend backend() {
    Backend opened = backend;
    return opened != null ? opened : open();
  }

  private synchronized Backend open() {
    Backend opened = backend;
    if (opened == null && provider != null) {
      opened = provider.open(name).orElse(null);
      backend = opened;
    }
    return Objects.requireNonNull(opened, "a provider opens what it lists");
  }

  @Override
  public String toString() {
    return name;
  }
}
