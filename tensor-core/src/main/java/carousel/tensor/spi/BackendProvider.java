package carousel.tensor.spi;

import java.util.List;
import java.util.Optional;

/**
 * Found by {@link java.util.ServiceLoader}: offers the devices that a module brings. Nothing is
 * loaded or started before a device is opened.
 */
public interface BackendProvider {
  /**
   * The devices to list. Finding none is not an error; a provider may open more than it lists.
   *
   * @return device names, such as {@code cuda:0}, best first
   */
  List<String> names();

  /**
   * Makes the backend of a device; called once per name.
   *
   * @param name a device's name
   * @return the backend, or nothing if such names are not this provider's
   * @throws carousel.tensor.TensorException if the name is, but the device cannot be used; the message
   *     says what was found, and what to do
   */
  Optional<Backend> open(String name);
}
