package carousel.tensor.contract;

import carousel.tensor.Device;
import java.util.Arrays;
import java.util.List;

/** The devices that suites run on. */
public final class Devices {
  private Devices() {}

  /**
   * All devices of this machine, or those that {@code -Dcarousel.test.devices} names: a suite that runs
   * once more for a further device need not try the others again.
   *
   * @return the devices to test
   */
  public static List<Device> underTest() {
    String named = System.getProperty("carousel.test.devices");
    return named == null ? Device.all() : Arrays.stream(named.split(",")).map(Device::of).toList();
  }
}
