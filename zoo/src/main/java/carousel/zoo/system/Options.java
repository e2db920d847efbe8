package carousel.zoo.system;

import carousel.zoo.run.Failure;
import java.lang.reflect.InvocationTargetException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * The options that a record declares by its components, each with an {@link Option}: from it come the command line,
 * its help, the file of settings, and what is said of values that make no sense.
 *
 * @param <O> the record
 */
public final class Options<O extends Record> {
  private final Class<O> type;
  private final List<Entry> entries;

  private Options(Class<O> type) {
    this.type = type;
    entries = Arrays.stream(type.getRecordComponents()).map(Entry::new).toList();
  }

  /**
   * The options of a record.
   *
   * @param <O> the record
   * @param type its class
   * @return the options
   * @throws IllegalArgumentException if a component has no {@link Option}, or a type that is none of an option
   */
  public static <O extends Record> Options<O> of(Class<O> type) {
    return new Options<>(type);
  }

  /**
   * All of them.
   *
   * @return in the order of the components
   */
  public List<Entry> entries() {
    return entries;
  }

  /**
   * Their values in a preset, as far as the record says them.
   *
   * @param preset which
   * @return by name; a copy
   */
  public Map<String, String> preset(Preset preset) {
    var values = new LinkedHashMap<String, String>();
    for (var entry : entries) {
      if (!entry.value(preset).isEmpty()) {
        values.put(entry.name(), entry.value(preset));
      }
    }
    return values;
  }

  /**
   * The values of a record.
   *
   * @param options the record
   * @return by name, in order; {@link #read} reads them back
   */
  public Map<String, String> values(O options) {
    var values = new LinkedHashMap<String, String>();
    for (var entry : entries) {
      values.put(entry.name(), entry.read(options));
    }
    return values;
  }

  /**
   * A record of the values of a command line.
   *
   * @param values by name; what is no option is ignored
   * @return the record
   * @throws Failure of usage that says all that is wrong with them: what is missing, is none of its type, is out of its
   *     range, or fits with no other, by the record's own constructor
   */
  public O read(Map<String, String> values) {
    requireAll(values, "options");
    var complaints = new ArrayList<String>();
    var arguments = new ArrayList<Object>();
    for (var entry : entries) {
      var parsed = entry.parse(values.getOrDefault(entry.name(), ""));
      if (!parsed.complaint().isEmpty()) {
        complaints.add(parsed.complaint());
      }
      parsed.value().ifPresent(arguments::add);
    }
    if (!complaints.isEmpty()) {
      throw Failure.usage(String.join("\n", complaints));
    }
    return make(arguments.toArray());
  }

  /**
   * A record of the values of a file.
   *
   * @param values by name; what is no option is ignored
   * @param file where they are from, for errors
   * @return the record
   * @throws Failure that says all that is wrong with them
   */
  public O read(Map<String, String> values, String file) {
    requireAll(values, file);
    try {
      return read(values);
    } catch (Failure wrong) {
      throw new Failure(file + ": " + wrong.getMessage(), wrong);
    }
  }

  private void requireAll(Map<String, String> values, String origin) {
    var missing =
        entries.stream().map(Entry::name).filter(name -> !values.containsKey(name)).toList();
    if (missing.isEmpty()) {
      return;
    }
    throw new Failure(
        String.format(
            Locale.ROOT,
            "%s: '%s' %s missing",
            origin,
            String.join("', '", missing),
            missing.size() == 1 ? "is" : "are"));
  }

  private O make(Object... arguments) {
    try {
      var types = entries.stream().map(Entry::type).toArray(Class<?>[]::new);
      var constructor = type.getDeclaredConstructor(types);
      constructor.setAccessible(true);
      return constructor.newInstance(arguments);
    } catch (InvocationTargetException e) {
      if (e.getCause() instanceof RuntimeException cause) {
        throw cause;
      }
      throw new IllegalStateException(type + " cannot be made", e);
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException(type + " cannot be made", e);
    }
  }
}
