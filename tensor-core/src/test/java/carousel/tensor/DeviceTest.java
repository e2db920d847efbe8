package carousel.tensor;

import static org.assertj.core.api.Assertions.assertThat;

import carousel.tensor.jvm.FreshJvm;
import carousel.tensor.reference.ReferenceBackend;
import carousel.tensor.spi.Backend;
import carousel.tensor.spi.BackendProvider;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
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
  void aStandardDeviceThatIsNotThereIsTheSameErrorEachTime() {
    assertThat(FreshJvm.run(Twice.class, "-Dcarousel.device=abacus").output())
        .containsSubsequence("1 TensorException", "'abacus'", "2 TensorException", "'abacus'");
  }

  /** Asks twice for the standard device. */
  static final class Twice {
    public static void main(String[] arguments) {
      for (int time = 1; time <= 2; time++) {
        try (var scope = TensorScope.open()) {
          System.out.println("made " + Tensor.full(DType.F32, 1));
        } catch (Throwable e) {
          System.out.println(time + " " + e.getClass().getSimpleName() + ": " + e.getMessage());
        }
      }
    }
  }

  @Test
  void aDeviceOfABackendAtHandIsNotListed() {
    var backend = new ReferenceBackend();
    var own = Device.of("mine", backend);
    assertThat(own.backend()).isSameAs(backend);
    assertThat(own.name()).isEqualTo("mine");
    assertThat(Device.all()).doesNotContain(own);
  }

  @Test
  void theBestDeviceIsOneThatOpens() {
    var backend = new ReferenceBackend();
    var broken =
        new Device(
            "broken",
            provider(name -> {
              throw new TensorException(name + ": no driver");
            }));
    var works = new Device("works", provider(name -> Optional.of(backend)));

    assertThat(Device.best(List.of(broken, works))).isSameAs(works);
    assertThat(Device.best(List.of(broken))).isSameAs(Device.cpu());
    assertThat(Device.best(List.of())).isSameAs(Device.cpu());
  }

  private static BackendProvider provider(Function<String, Optional<Backend>> open) {
    return new BackendProvider() {
      @Override
      public List<String> names() {
        return List.of();
      }

      @Override
      public Optional<Backend> open(String name) {
        return open.apply(name);
      }
    };
  }
}
