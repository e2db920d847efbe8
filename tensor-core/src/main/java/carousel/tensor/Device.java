package carousel.tensor;

import carousel.tensor.cpu.CpuBackend;
import carousel.tensor.reference.ReferenceBackend;
import carousel.tensor.spi.Backend;
import carousel.tensor.spi.BackendProvider;
import java.lang.System.Logger.Level;
import java.util.ArrayList;
import java.util.List;
import java.util.ServiceLoader;

/** Where tensors live and are computed: a name and the {@link Backend} behind it. */
public final class Device {
  private final String name;
  private final Backend backend;

  private Device(String name, Backend backend) {
    this.name = name;
    this.backend = backend;
  }

  private static final class Cpu {
    private static final Device DEVICE = new Device("cpu", new CpuBackend());
  }

  private static final class Reference {
    private static final Device DEVICE = new Device("reference", new ReferenceBackend());
  }

  private static final class Provided {
    private static final List<Device> DEVICES = load();

    private static List<Device> load() {
      List<Device> devices = new ArrayList<>();
      for (BackendProvider provider : ServiceLoader.load(BackendProvider.class)) {
        provider.available().forEach((name, backend) -> devices.add(new Device(name, backend)));
      }
      return List.copyOf(devices);
    }
  }

  /**
   * The host's processors, by the Vector API where it is there.
   *
   * @return the CPU
   */
  public static Device cpu() {
    return Cpu.DEVICE;
  }

  /**
   * The oracle: every op by its scalar definition in double precision, slowly. The other backends
   * are tested against it.
   *
   * @return the reference device
   */
  public static Device reference() {
    return Reference.DEVICE;
  }

  /**
   * All devices found on this machine, the CPU first.
   *
   * @return the CPU, the reference, and what providers on the class or module path offer
   */
  public static List<Device> all() {
    List<Device> devices = new ArrayList<>(List.of(cpu(), reference()));
    devices.addAll(Provided.DEVICES);
    return devices;
  }

  /**
   * The device of a name such as {@code cpu}.
   *
   * @param name the name
   * @return the device
   * @throws TensorException if there is none; the message lists those there are
   */
  public static Device of(String name) {
    return switch (name) {
      case "cpu" -> cpu();
      case "reference" -> reference();
      default ->
          Provided.DEVICES.stream()
              .filter(d -> d.name.equals(name))
              .findFirst()
              .orElseThrow(() ->
                  new TensorException(
                      "device: there is no '"
                          + name
                          + "' here; found "
                          + all().stream().map(Device::name).toList()
                          + "; a GPU needs carousel-cuda-kernels on the path and a driver"));
    };
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
   * The fastest device there is: the first that a provider offers, else the CPU.
   *
   * @return the best device of this machine
   */
  public static Device best() {
    if (Provided.DEVICES.isEmpty()) {
      System.getLogger("carousel.tensor").log(Level.DEBUG, "no accelerator found; using the CPU");
      return cpu();
    }
    return Provided.DEVICES.getFirst();
  }

  /**
   * Returns the name.
   *
   * @return e.g. {@code cpu}
   */
  public String name() {
    return name;
  }

  /**
   * Returns what computes on this device.
   *
   * @return the family of loops
   */
  public Backend backend() {
    return backend;
  }

  @Override
  public String toString() {
    return name;
  }
}
