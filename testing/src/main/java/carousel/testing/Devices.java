package carousel.testing;

import carousel.tensor.Device;
import carousel.tensor.TensorException;
import carousel.tensor.spi.Backend;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.opentest4j.TestAbortedException;

/** The devices that tests run on, and why others are not there. */
final class Devices {
  /** Names the devices of suites that name none. */
  private static final String PROPERTY = "carousel.test.devices";

  /** Devices that some machines have. */
  private static final String ELSEWHERE = "cuda(:\\d+)?|cuda-emulated";

  private Devices() {}

  /**
   * Those named, or those that {@code -Dcarousel.test.devices=cpu,cuda:0} names, or all of this machine; one
   * that is not there is {@linkplain #absence absent}.
   *
   * @throws TensorException if there is no device of a name anywhere
   */
  static List<Device> named(String... names) {
    String property = System.getProperty(PROPERTY);
    List<String> wanted = List.of(names);
    if (wanted.isEmpty()) {
      wanted =
          property == null
              ? Device.all().stream().map(Device::name).toList()
              : List.of(property.split(","));
    }
    List<Device> devices = new ArrayList<>();
    for (String name : wanted) {
      devices.add(of(name));
    }
    return devices;
  }

  private static Device of(String name) {
    try {
      var device = Device.of(name);
      var unused = device.backend();
      return device;
    } catch (TensorException e) {
      if (!name.matches(ELSEWHERE)) {
        throw e; // a slip of the pen, which would be skipped for good
      }
      return absent(name, String.valueOf(e.getMessage()));
    }
  }

  /** A device that is a name and a reason: whoever computes there is skipped. */
  static Device absent(String name, String why) {
    Object backend =
        Proxy.newProxyInstance(
            Backend.class.getClassLoader(), new Class<?>[] {Backend.class}, new Absent(why));
    return Device.of(name, (Backend) backend);
  }

  /** Why a device is not there; null if it is. */
  static @Nullable String absence(Device device) {
    Backend backend = device.backend();
    return Proxy.isProxyClass(backend.getClass())
            && Proxy.getInvocationHandler(backend) instanceof Absent absent
        ? absent.why()
        : null;
  }

  private record Absent(String why) implements InvocationHandler {
    @Override
    public Object invoke(Object proxy, Method method, Object @Nullable [] arguments) {
      throw new TestAbortedException(why);
    }
  }
}
