package carousel.nn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carousel.tensor.Tensor;
import carousel.tensor.TensorException;
import carousel.tensor.TensorScope;
import java.nio.file.Path;
import java.util.Map;
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
    try (var run = TensorScope.open()) {
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
    try (var run = TensorScope.open()) {
      var layer = model("opens models to carousel.nn;", "entry.Hidden");
      assertThat(layer.parameters().names()).containsExactly("weight");
    }
  }

  @Test
  void aPublicRecordOfAnExportedPackageNeedNotBeOpened() throws Exception {
    try (var run = TensorScope.open()) {
      var layer = model("exports models;", "entry.Shown");
      assertThat(layer.parameters().names()).containsExactly("weight");
      assertThatThrownBy(model("exports models;", "entry.Hidden")::parameters)
          .hasMessageContaining("add 'opens models to carousel.nn;'");
    }
  }

  private Layer model(String directive, String entry) throws Exception {
    return UserModule.compile(folder, directive, SOURCES).make(entry, Parameter.of(Tensor.ones(2)));
  }
}
