package carousel.zoo.system;

import java.util.List;

/** The names that an {@link Option} may be; made by its constructor without arguments. */
public interface Choices {
  /**
   * The names.
   *
   * @return in the order of the help; empty where any text will do
   */
  List<String> names();

  /** Any text. */
  final class Any implements Choices {
    /** There is one. */
    public Any() {}

    @Override
    public List<String> names() {
      return List.of();
    }
  }
}
