package carousel.tensor.cpu;

import carousel.tensor.spi.Backend;
import carousel.tensor.spi.BackendProvider;
import carousel.tensor.spi.Setting;
import java.util.List;
import java.util.Optional;

/** Offers {@code cpu}. */
public final class CpuProvider implements BackendProvider {
  /** Loads nothing. */
  public CpuProvider() {}

  @Override
  public List<String> names() {
    return List.of("cpu");
  }

  @Override
  public Optional<Backend> open(String name) {
    if (!name.equals("cpu")) {
      return Optional.empty();
    }
    Setting.requireSense();
    return Optional.of(new CpuBackend());
  }
}
