package carousel.house;

import static java.util.stream.Collectors.joining;
import static java.util.stream.Collectors.toCollection;
import static java.util.stream.Collectors.toMap;

import java.lang.module.ModuleDescriptor;
import java.lang.module.ModuleDescriptor.Provides;
import java.lang.module.ModuleDescriptor.Requires;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.regex.Pattern;

/**
 * The figure of the house: the modules that the build lists, with what each descriptor says of its own, and an
 * arrow for each that it requires. A service that is provided stands on the arrow to the module that asks for it.
 */
final class Figure {
  private static final Pattern SENTENCE =
      Pattern.compile("/\\*\\*\\s*(.*?)\\.(\\s|\\*/)", Pattern.DOTALL);

  /** The folder of each module, by the module's name. */
  private final Map<String, String> folders =
      House.MODULES.stream()
          .collect(toMap(folder -> House.descriptor(folder).name(), Function.identity()));

  /** Draws it, as Mermaid. */
  String draw() {
    String rooms = House.MODULES.stream().map(Figure::room).collect(joining());
    String arrows = House.MODULES.stream().map(this::arrows).collect(joining());
    return "graph BT\n" + rooms + arrows;
  }

  private static String room(String folder) {
    return "  " + id(folder) + "[\"<b>" + folder + "</b><br/>" + purpose(folder) + "\"]\n";
  }

  /** No hyphens: Mermaid would read them as the beginning of an arrow. */
  private static String id(String folder) {
    return folder.replace('-', '_');
  }

  /** The first sentence of the descriptor's comment. */
  private static String purpose(String folder) {
    var sentence = SENTENCE.matcher(House.read(folder + "/src/main/java/module-info.java"));
    if (!sentence.find()) {
      throw new IllegalStateException(folder + ": module-info.java does not say what it is");
    }
    return sentence.group(1).replaceAll("\\s*\\n\\s*\\*\\s*", " ").replace("\"", "#quot;");
  }

  private String arrows(String folder) {
    ModuleDescriptor module = House.descriptor(folder);
    return carousel(module).stream()
        .map(name -> {
          String services = services(module, name);
          String label = services.isEmpty() ? "" : "|offers " + services + "|";
          return "  "
              + id(folder)
              + " -->"
              + label
              + " "
              + id(Objects.requireNonNull(folders.get(name), name))
              + "\n";
        })
        .collect(joining());
  }

  /** The modules of the house that another requires, in the order of their names. */
  static Set<String> carousel(ModuleDescriptor module) {
    return module.requires().stream()
        .map(Requires::name)
        .filter(name -> name.startsWith("carousel."))
        .collect(toCollection(TreeSet::new));
  }

  /** What a module provides of the services whose types are another's. */
  private static String services(ModuleDescriptor module, String owner) {
    return module.provides().stream()
        .map(Provides::service)
        .filter(service -> service.startsWith(owner + "."))
        .map(service -> service.substring(service.lastIndexOf('.') + 1))
        .sorted()
        .collect(joining(", "));
  }
}
