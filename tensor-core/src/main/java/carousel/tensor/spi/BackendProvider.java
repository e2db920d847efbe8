package carousel.tensor.spi;

import java.util.Map;

/** Found by {@link java.util.ServiceLoader}: offers the devices that a module brings. */
public interface BackendProvider {
  /**
   * The devices that can be used now. Finding none is not an error.
   *
   * @return device names, such as {@code cuda:0}, and their backends, best first
   */
  Map<String, Backend> available();
}
