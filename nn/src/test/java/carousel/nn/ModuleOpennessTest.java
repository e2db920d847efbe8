package carousel.nn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carousel.tensor.Scope;
import carousel.tensor.Tensor;
import carousel.tensor.TensorException;
import java.io.File;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.lang.module.ModuleFinder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.spi.ToolProvider;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A user's models in a module of their own, compiled here, that opens their package or does not. */
class ModuleOpennessTest {

  /** What the module holds but for its descriptor; {@code entry} hands the models out. */
  private static final Map<String, String> SOURCES =
      Map.of(
          "models/Hidden.java",
          "package models; import carousel.nn.*;"
              + " record Hidden(Parameter weight, Settings settings) implements Layer {}",
          "models/Shown.java",
          "package models; import carousel.nn.*;"
              + " public record Shown(Parameter weight, Settings settings) implements Layer {}",
          "models/Settings.java",
          "package models; record Settings(int width, String name) {}",
          "models/Models.java",
          "package models; import carousel.nn.*; public final class Models {"
              + " public static Layer hidden(Parameter p) {"
              + " return new Hidden(p, new Settings(1, \"\")); }"
              + " public static Layer shown(Parameter p) {"
              + " return new Shown(p, new Settings(1, \"\")); } }",
          "entry/Hidden.java",
          "package entry; import carousel.nn.*; import java.util.function.Function;"
              + " public final class Hidden implements Function<Parameter, Layer> {"
              + " public Layer apply(Parameter p) { return models.Models.hidden(p); } }",
          "entry/Shown.java",
          "package entry; import carousel.nn.*; import java.util.function.Function;"
              + " public final class Shown implements Function<Parameter, Layer> {"
              + " public Layer apply(Parameter p) { return models.Models.shown(p); } }");

  @TempDir Path folder;

  @Test
  void aClosedPackageIsAnErrorThatSaysWhatToAdd() throws Exception {
    try (var run = Scope.open()) {
      var layer = model("", "entry.Hidden");
      assertThatThrownBy(layer::parameters)
          .isInstanceOf(TensorException.class)
          .hasMessageContaining("models.Hidden of module user is closed to reflection")
          .hasMessageContaining("add 'opens models to carousel.nn;' to its module-info.java");
      assertThatThrownBy(model("", "entry.Shown")::parameters)
          .hasMessageContaining("add 'opens models to carousel.nn;'");
    }
  }

  @Test
  void anOpenedPackageIsWalked() throws Exception {
    try (var run = Scope.open()) {
      var layer = model("opens models to carousel.nn;", "entry.Hidden");
      assertThat(layer.parameters().names()).containsExactly("weight");
    }
  }

  @Test
  void aPublicRecordOfAnExportedPackageNeedNotBeOpened() throws Exception {
    try (var run = Scope.open()) {
      var layer = model("exports models;", "entry.Shown");
      assertThat(layer.parameters().names()).containsExactly("weight");
      assertThatThrownBy(model("exports models;", "entry.Hidden")::parameters)
          .hasMessageContaining("add 'opens models to carousel.nn;'");
    }
  }

  /** Compiles the module with a directive and makes a layer by a class of its package entry. */
  @SuppressWarnings("unchecked")
  private Layer model(String directive, String entry) throws Exception {
    Path work = Files.createTempDirectory(folder, "user");
    var arguments =
        new ArrayList<>(List.of("-d", work.resolve("classes").toString(), "-proc:none"));
    arguments.addAll(List.of("--module-path", modulePath()));
    arguments.add(
        write(
            work,
            "module-info.java",
            "module user { requires carousel.nn; exports entry; %s }".formatted(directive)));
    for (var source : SOURCES.entrySet()) {
      arguments.add(write(work, source.getKey(), source.getValue()));
    }
    var javac = ToolProvider.findFirst("javac").orElseThrow();
    var said = new PrintWriter(new StringWriter());
    assertThat(javac.run(said, said, arguments.toArray(String[]::new))).isZero();

    var boot = ModuleLayer.boot();
    var resolved =
        boot.configuration()
            .resolve(ModuleFinder.of(work.resolve("classes")), ModuleFinder.of(), Set.of("user"));
    var user = boot.defineModulesWithOneLoader(resolved, Layer.class.getClassLoader());
    var maker = user.findLoader("user").loadClass(entry).getConstructor().newInstance();
    return ((Function<Parameter, Layer>) maker).apply(Parameter.of(Tensor.ones(2)));
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
