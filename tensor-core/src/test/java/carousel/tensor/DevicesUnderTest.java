package carousel.tensor;

import carousel.tensor.contract.Devices;
import java.util.List;

/** {@link Devices#underTest} where JUnit reaches it by name: in a package that is exported. */
public final class DevicesUnderTest {
  private DevicesUnderTest() {}

  static List<Device> all() {
    return Devices.underTest();
  }
}
