package carousel.zoo.system;

/**
 * What a system is.
 *
 * @param name on the command line: small letters, digits, hyphens
 * @param line what it does, in a phrase
 * @param source who published it, where and when
 */
public record About(String name, String line, String source) {
  /** Checks that it can be typed, and is said. */
  public About {
    if (!name.matches("[a-z][a-z0-9]*(-[a-z0-9]+)*")) {
      throw new IllegalArgumentException("'" + name + "' is no name of a system");
    }
    if (line.isBlank() || source.isBlank()) {
      throw new IllegalArgumentException(name + " does not say what it does, or whose it is");
    }
  }
}
