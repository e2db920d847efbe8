package carousel.tensor.spi;

/**
 * Looks for one thing that a backend needs of the machine, and tells what it found.
 *
 * <p>Modules provide probes as services; {@code carousel doctor} runs every one that {@link
 * java.util.ServiceLoader} finds and prints the findings. So a module that nothing compiles against
 * can still explain why its backend is, or is not, available.
 */
public interface Probe {

  /**
   * Looks, without needing what it looks for: an absent driver or device is an ordinary finding. Never
   * throws, and loads nothing where there is nothing to load.
   */
  ProbeResult look();
}
