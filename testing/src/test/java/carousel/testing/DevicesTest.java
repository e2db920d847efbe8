package carousel.testing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carousel.tensor.TensorException;
import org.junit.jupiter.api.Test;

/** Devices by their names. */
class DevicesTest {
  @Test
  void aDeviceThatOtherMachinesHaveIsAbsent() {
    var devices = Devices.named("cpu", "cuda:97");
    assertThat(Devices.absence(devices.get(0))).isNull();
    assertThat(Devices.absence(devices.get(1))).contains("cuda:97");
  }

  @Test
  void aNameThatNoMachineHasIsAnError() {
    assertThatThrownBy(() -> Devices.named("gpu"))
        .isInstanceOf(TensorException.class)
        .hasMessageContaining("there is no 'gpu'");
  }
}
