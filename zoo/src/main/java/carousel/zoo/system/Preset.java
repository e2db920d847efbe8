package carousel.zoo.system;

import carousel.zoo.run.Choice;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/** Which values a system's options have where none are given. */
public enum Preset {
  /** Under three minutes on two cores, and enough to be accepted. */
  QUICK,
  /** As published. */
  PAPER,
  /** A moment, and still enough to be accepted: what a test runs at every build. */
  SMALL;

  /**
   * Its name.
   *
   * @return as the option spells it
   */
  public String label() {
    return name().toLowerCase(Locale.ROOT);
  }

  /**
   * All names.
   *
   * @return in order
   */
  public static List<String> labels() {
    return Arrays.stream(values()).map(Preset::label).toList();
  }

  /**
   * The preset of a name.
   *
   * @param label the name
   * @return the preset
   * @throws carousel.zoo.run.Failure naming the nearest, if there is none
   */
  public static Preset of(String label) {
    Choice.require("--preset", label, labels());
    return valueOf(label.toUpperCase(Locale.ROOT));
  }

  String of(Option option) {
    String own =
        switch (this) {
          case QUICK -> "";
          case PAPER -> option.paper();
          case SMALL -> option.small();
        };
    return own.isEmpty() ? option.quick() : own;
  }
}
