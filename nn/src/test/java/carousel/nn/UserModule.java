package carousel.nn;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.lang.module.ModuleFinder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.spi.ToolProvider;
import java.util.stream.Collectors;

/** A module {@code user} that requires this one, compiled and loaded while a test runs. */
public final class UserModule {
  private final ClassLoader loader;

  private UserModule(ClassLoader loader) {
    this.loader = loader;
  }

  /**
   * Compiles a module.
   *
   * @param folder where to
   * @param directive of its descriptor, next to {@code exports entry}
   * @param sources the text of every file but the descriptor, by path
   */
  public static UserModule compile(Path folder, String directive, Map<String, String> sources)
      throws Exception {
    Path work = Files.createTempDirectory(folder, "user");
    var arguments =
        new ArrayList<>(List.of("-d", work.resolve("classes").toString(), "-proc:none"));
    arguments.addAll(List.of("--module-path", modulePath()));
    arguments.add(
        write(
            work,
            "module-info.java",
            String.format(
                Locale.ROOT,
                "module user { requires carousel.nn; exports entry; %s }",
                directive)));
    for (var source : sources.entrySet()) {
      arguments.add(write(work, source.getKey(), source.getValue()));
    }
    var javac = ToolProvider.findFirst("javac").orElseThrow();
    var said = new StringWriter();
    var out = new PrintWriter(said);
    assertThat(javac.run(out, out, arguments.toArray(String[]::new))).as("%s", said).isZero();

    var boot = ModuleLayer.boot();
    var resolved =
        boot.configuration()
            .resolve(ModuleFinder.of(work.resolve("classes")), ModuleFinder.of(), Set.of("user"));
    var layer = boot.defineModulesWithOneLoader(resolved, Layer.class.getClassLoader());
    return new UserModule(layer.findLoader("user"));
  }

  /**
   * Calls a function that the module has a class for.
   *
   * @param entry a class of its package {@code entry} that is a {@link Function}
   * @param argument what it is given
   */
  @SuppressWarnings({"unchecked", "TypeParameterUnusedInFormals"}) // The test knows its own source.
  public <T, R> R make(String entry, T argument) throws ReflectiveOperationException {
    var maker = loader.loadClass(entry).getConstructor().newInstance();
    return ((Function<T, R>) maker).apply(argument);
  }

  private static String write(Path folder, String name, String text) throws Exception {
    Path file = folder.resolve(name);
    Files.createDirectories(file.getParent());
    return Files.writeString(file, text).toString();
  }

  private static String modulePath() {
    return ModuleLayer.boot().configuration().modules().stream()
        .filter(module -> module.name().startsWith("carousel."))
        .map(module -> Path.of(module.reference().location().orElseThrow()).toString())
        .collect(Collectors.joining(File.pathSeparator));
  }
}
