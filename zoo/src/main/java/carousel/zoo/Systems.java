package carousel.zoo;

import carousel.zoo.control.CliffWalking;
import carousel.zoo.language.WordModel;
import carousel.zoo.memory.Hopfield;
import carousel.zoo.run.Choice;
import carousel.zoo.system.ZooSystem;
import java.util.List;

/** The systems of the zoo: one is listed, run, tested, and has its rows in the results by being named here. */
public final class Systems {
  private static final List<ZooSystem<?>> ALL =
      List.of(
          new WordModel(), //
          new Hopfield(),
          new CliffWalking());

  private Systems() {}

  /**
   * All of them.
   *
   * @return in the order of the list
   */
  public static List<ZooSystem<?>> all() {
    return ALL;
  }

  /**
   * Their names.
   *
   * @return in the order of the list
   */
  public static List<String> names() {
    return ALL.stream().map(system -> system.about().name()).toList();
  }

  /**
   * The system of a name.
   *
   * @param name the name
   * @return the system
   * @throws carousel.zoo.run.Failure naming the nearest, if there is none
   */
  public static ZooSystem<?> of(String name) {
    Choice.require("NAME", name, names());
    return ALL.stream().filter(s -> s.about().name().equals(name)).findFirst().orElseThrow();
  }
}
