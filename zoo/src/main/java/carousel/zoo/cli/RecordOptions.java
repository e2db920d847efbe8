package carousel.zoo.cli;

import carousel.zoo.system.Entry;
import carousel.zoo.system.Options;
import carousel.zoo.system.Preset;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParseResult;

/** The options of a record on the command line, as texts: what they mean is for {@link Options} to say. */
final class RecordOptions {
  /** Before those of the command itself, which have -1. */
  private static final int FIRST = -1000;

  private RecordOptions() {}

  /**
   * Adds them to a command.
   *
   * @param presets the values of each preset that the help names; empty where none are named
   */
  static void add(
      CommandSpec command, Options<?> options, Map<Preset, Map<String, String>> presets) {
    int order = FIRST;
    for (var entry : options.entries()) {
      command.addOption(
          OptionSpec.builder("--" + entry.name())
              .paramLabel(entry.label())
              .type(String.class)
              .completionCandidates(entry.choices())
              .description(literal(description(entry, presets)))
              .order(order++)
              .build());
    }
  }

  /** Those that were given, by name. */
  static Map<String, String> given(ParseResult parsed, Options<?> options) {
    var given = new LinkedHashMap<String, String>();
    for (var entry : options.entries()) {
      String name = "--" + entry.name();
      if (parsed.hasMatchedOption(name)) {
        given.put(entry.name(), parsed.matchedOption(name).getValue());
      }
    }
    return given;
  }

  private static String description(Entry entry, Map<Preset, Map<String, String>> presets) {
    var text = new StringBuilder(entry.help());
    if (!entry.choices().isEmpty()) {
      text.append(": ").append(String.join(", ", entry.choices()));
    }
    if (!entry.range().isEmpty()) {
      text.append("; ").append(entry.range());
    }
    text.append('.');
    var values = new ArrayList<String>();
    presets.forEach((preset, of) -> {
      String value = of.getOrDefault(entry.name(), "");
      if (!value.isEmpty()) {
        values.add(String.format(Locale.ROOT, "%s: %s", preset.label(), value));
      }
    });
    if (!values.isEmpty()) {
      text.append(" [").append(String.join(", ", values)).append(']');
    }
    return text.toString();
  }

  /** The parser reads descriptions as formats. */
  static String literal(String text) {
    return text.replace("%", "%%").replace("${", "$\\{");
  }
}
