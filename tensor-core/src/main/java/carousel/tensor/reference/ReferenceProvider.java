package carousel.tensor.reference;

import carousel.tensor.spi.Backend;
import carousel.tensor.spi.BackendProvider;
import java.util.List;
import java.util.Optional;

/** Offers {@code reference}. */
public final class ReferenceProvider implements BackendProvider {
  /** Loads nothing. */
  public ReferenceProvider() {}

  @Override
  public List<String> names() {
    return List.of("reference");
  }

  @Override
  public Optional<Backend> open(String name) {
    return name.equals("reference") ? Optional.of(new ReferenceBackend()) : Optional.empty();
  }
}
