package carousel.house;

import static java.util.stream.Collectors.toMap;
import static java.util.stream.Collectors.toSet;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.module.ModuleDescriptor;
import java.lang.module.ModuleDescriptor.Requires;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** What the modules need, keep and provide; the arrows between them are in the {@link Figure}. */
class ModulesTest {

  /** The libraries that users depend on bring nothing along: the JDK is all they need. */
  @Test
  void needNothingButTheJdk() {
    for (var folder : List.of("tensor-core", "autograd", "cuda-kernels", "nn", "exchange")) {
      var foreign =
          House.descriptor(folder).requires().stream()
              .filter(require -> !require.modifiers().contains(Requires.Modifier.STATIC))
              .map(Requires::name)
              .filter(name -> !name.startsWith("carousel.") && !name.startsWith("java."))
              .collect(toSet());
      assertThat(foreign)
          .as("required by %s", folder)
          .isSubsetOf("jdk.incubator.vector", "jdk.jfr", "jdk.management");
    }
  }

  @Test
  void keepTheCpuBackendToThemselves() {
    var exports =
        House.descriptor("tensor-core").exports().stream()
            .filter(export -> !export.isQualified())
            .map(ModuleDescriptor.Exports::source)
            .toList();
    assertThat(exports).doesNotContain("carousel.tensor.cpu");
  }

  /** On the class path {@code provides} means nothing: every service needs its file as well. */
  @TestFactory
  Stream<DynamicTest> provideTheSameServicesOnTheClassPath() {
    return House.MODULES.stream()
        .map(folder ->
            DynamicTest.dynamicTest(
                folder,
                () ->
                    assertThat(servicesOnClassPath(House.classes(folder)))
                        .isEqualTo(
                            House.descriptor(folder).provides().stream()
                                .collect(
                                    toMap(
                                        ModuleDescriptor.Provides::service,
                                        provides -> Set.copyOf(provides.providers()))))));
  }

  private static Map<String, Set<String>> servicesOnClassPath(Path classes) throws IOException {
    var folder = classes.resolve("META-INF/services");
    if (!Files.isDirectory(folder)) {
      return Map.of();
    }
    try (var files = Files.list(folder)) {
      return files.collect(toMap(file -> file.getFileName().toString(), ModulesTest::providers));
    }
  }

  private static Set<String> providers(Path file) {
    try {
      var lines = new HashSet<>(Files.readAllLines(file));
      lines.removeIf(line -> line.isBlank() || line.startsWith("#"));
      return lines;
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }
}
