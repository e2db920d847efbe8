package carousel.tensor;

import static org.assertj.core.api.Assertions.assertThat;

import carousel.tensor.reference.ReferenceBackend;
import org.junit.jupiter.api.Test;

/** Devices by name, and those that are there. */
class DeviceTest {

  @Test
  void theCpuAndTheReferenceAreAlwaysThere() {
    assertThat(Device.all()).startsWith(Device.cpu(), Device.reference()).doesNotHaveDuplicates();
    assertThat(Device.of("cpu")).isSameAs(Device.cpu()).hasToString("cpu");
    assertThat(Device.of("reference")).isSameAs(Device.reference());
    assertThat(Device.all()).contains(Device.best());
    assertThat(Device.best()).isNotSameAs(Device.reference());
    for (Device device : Device.all()) {
      assertThat(Device.of(device.name())).isSameAs(device);
    }
  }

  @Test
  void aDeviceOfABackendAtHandIsNotListed() {
    var backend = new ReferenceBackend();
    Device own = Device.of("mine", backend);
    assertThat(own.backend()).isSameAs(backend);
    assertThat(own.name()).isEqualTo("mine");
    assertThat(Device.all()).doesNotContain(own);
  }
}
