package carousel.zoo.system;

import carousel.zoo.run.Choice;
import java.lang.reflect.RecordComponent;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** One option of a record: its name, what it means, and which values it takes. */
public final class Entry {
  private final RecordComponent component;
  private final Option option;
  private final Parsing parsing;
  private final List<String> choices;

  Entry(RecordComponent component) {
    this.component = component;
    var declared = component.getAnnotation(Option.class);
    if (declared == null) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "%s: %s has no @Option that says what it means",
              component.getDeclaringRecord().getSimpleName(),
              component.getName()));
    }
    option = declared;
    parsing = Parsing.of(component.getType());
    choices = parsing == Parsing.CONSTANT ? Parsing.names(component.getType()) : declaredChoices();
  }

  private List<String> declaredChoices() {
    try {
      var constructor = option.choices().getDeclaredConstructor();
      constructor.setAccessible(true);
      return constructor.newInstance().names();
    } catch (ReflectiveOperationException e) {
      throw new IllegalArgumentException(option.choices() + " has no constructor to call", e);
    }
  }

  /**
   * Its name.
   *
   * @return e.g. {@code decay-after}
   */
  public String name() {
    return component.getName().replaceAll("([A-Z])", "-$1").toLowerCase(Locale.ROOT);
  }

  /**
   * What stands for its value in the help.
   *
   * @return e.g. {@code N}
   */
  public String label() {
    return option.label().isEmpty() ? parsing.label : option.label();
  }

  /**
   * What it means.
   *
   * @return a sentence without its point
   */
  public String help() {
    return option.value();
  }

  /**
   * Whether a run that goes on may do so with another value.
   *
   * @return as it was declared
   */
  public boolean isTunable() {
    return option.tunable();
  }

  /**
   * The names it may be.
   *
   * @return in order; empty where it is no choice among names
   */
  public List<String> choices() {
    return choices;
  }

  /**
   * The values it takes.
   *
   * @return e.g. {@code 1 or more}; empty where every value of its type will do
   */
  public String range() {
    String least = bound(option.min(), "", option.above(), "above ");
    String most = bound(option.max(), "", option.below(), "below ");
    if (least.isEmpty() && most.isEmpty()) {
      return "";
    }
    if (most.isEmpty()) {
      return option.min() > Double.NEGATIVE_INFINITY ? least + " or more" : least;
    }
    if (least.isEmpty()) {
      return option.max() < Double.POSITIVE_INFINITY ? most + " or less" : most;
    }
    return "from " + least + " to " + most;
  }

  private static String bound(double closed, String at, double open, String beyond) {
    if (Double.isFinite(closed)) {
      return at + number(closed);
    }
    return Double.isFinite(open) ? beyond + number(open) : "";
  }

  private static String number(double x) {
    return x == Math.rint(x) && Math.abs(x) < 1e15 ? Long.toString((long) x) : Double.toString(x);
  }

  String value(Preset preset) {
    return preset.of(option);
  }

  Class<?> type() {
    return component.getType();
  }

  String read(Record options) {
    try {
      var accessor = component.getAccessor();
      accessor.setAccessible(true);
      return Parsing.write(accessor.invoke(options));
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException(component + " cannot be read", e);
    }
  }

  /** The value of a text, or what is wrong with it. */
  Parsed parse(String text) {
    if (!choices.isEmpty() && !choices.contains(text)) {
      return Parsed.wrong(Choice.complaint("--" + name(), text, choices));
    }
    var value = parsing.parse(component.getType(), text);
    if (value == null) {
      return Parsed.wrong(
          String.format(Locale.ROOT, "--%s must be %s, got '%s'", name(), parsing.wanted, text));
    }
    if (value instanceof Number number && !fits(number.doubleValue())) {
      String range = range().isEmpty() ? parsing.wanted : range();
      return Parsed.wrong(
          String.format(
              Locale.ROOT, "--%s must be %s, got %s", name(), range, number(number.doubleValue())));
    }
    return new Parsed(Optional.of(value), "");
  }

  private boolean fits(double x) {
    return Double.isFinite(x)
        && x >= option.min()
        && x <= option.max()
        && x > option.above()
        && x < option.below();
  }

  /** A value, or a complaint. */
  record Parsed(Optional<Object> value, String complaint) {
    static Parsed wrong(String complaint) {
      return new Parsed(Optional.empty(), complaint);
    }
  }
}
