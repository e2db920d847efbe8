package carousel.house;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.module.ModuleDescriptor;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** The modules as the build leaves them, for the checks in this package. */
final class House {

  /** The folders of the modules, in the order they are built. */
  static final List<String> MODULES = modules();

  /** Every class of every module, without tests. */
  static final JavaClasses CLASSES =
      new ClassFileImporter().importPaths(MODULES.stream().map(House::classes).toList());

  private House() {}

  /** Those of the build, so that a new one is looked at by being built. */
  private static List<String> modules() {
    var listed =
        Pattern.compile("<modules>(.*?)</modules>", Pattern.DOTALL).matcher(read("pom.xml"));
    if (!listed.find()) {
      throw new IllegalStateException("pom.xml lists no modules");
    }
    return Pattern.compile("<module>(.*?)</module>")
        .matcher(listed.group(1))
        .results()
        .map(module -> module.group(1))
        .toList();
  }

  /** A file of the repository. */
  static String read(String file) {
    try {
      return Files.readString(root().resolve(file));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The folder with all modules; surefire runs the tests of a module in its own folder. */
  static Path root() {
    return Path.of("..").toAbsolutePath().normalize();
  }

  /** Where a module's main classes are. */
  static Path classes(String module) {
    return root().resolve(module).resolve("target/classes");
  }

  /** A module's descriptor, as compiled. */
  static ModuleDescriptor descriptor(String module) {
    try (var in = Files.newInputStream(classes(module).resolve("module-info.class"))) {
      return ModuleDescriptor.read(in);
    } catch (IOException e) {
      throw new UncheckedIOException(module + " has no module-info.class", e);
    }
  }

  /** The main Java sources of a module. */
  static List<Path> sources(String module) {
    return sources(module, "src/main/java");
  }

  /** The Java sources in a folder of a module, and below. */
  static List<Path> sources(String module, String folder) {
    try (Stream<Path> files = Files.walk(root().resolve(module).resolve(folder))) {
      return files.filter(file -> file.toString().endsWith(".java")).sorted().toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
