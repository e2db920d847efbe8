package carousel.house;

import static java.util.stream.Collectors.groupingBy;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClass;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** One word, one thing: in the engine a name of a class says which it is, and documents name what there is. */
class NamesTest {
  private static final List<String> ENGINE =
      List.of("carousel.tensor", "carousel.autograd", "carousel.cuda");

  /** One thing on two devices, and so one word: the fused kernel of a composite of layers. */
  private static final Set<String> ON_EACH_DEVICE = Set.of("CrossEntropyKernel", "DropoutKernel");

  /** What documents name that is of others. */
  private static final Set<String> OF_OTHERS =
      Set.of(
          // Operators of ONNX.
          "Add",
          "LayerNormalization",
          "ReduceL2",
          "Unsqueeze",
          // JMH's, other frameworks', and Linux's.
          "Scope",
          "GradientCheckUtil",
          "MultiLayerNetwork",
          "NoGradGuard",
          "VmHWM");

  private static final List<String> JDK =
      List.of("java.lang", "java.lang.foreign", "java.math", "java.util", "java.util.random");

  private static final Pattern CLASS =
      Pattern.compile("`([A-Z][a-z]\\w*)(?:\\.[A-Z][a-z]\\w*)?(?:\\.\\w+)?(?:\\([^`]*\\))?`");
  private static final Pattern BLOCK = Pattern.compile("```.*?```", Pattern.DOTALL);

  private static Stream<JavaClass> engine() {
    return House.CLASSES.stream()
        .filter(type ->
            ENGINE.stream().anyMatch(name -> (type.getPackageName() + ".").startsWith(name + ".")))
        .filter(type -> !type.isAnonymousClass() && !type.getSimpleName().equals("package-info"));
  }

  /**
   * A class that stands by itself is read by its simple name, and so no other has it, whichever package it is in, and
   * none within another class. What is within a class is read with that: {@code Scan.Call} is not {@code Formula.Call}.
   */
  @Test
  void eachClassOfTheEngineHasANameOfItsOwn() {
    Map<String, List<JavaClass>> named =
        engine().collect(groupingBy(JavaClass::getSimpleName, TreeMap::new, Collectors.toList()));
    var shared = new TreeMap<String, List<String>>();
    named.forEach((name, types) -> {
      if (types.size() > 1
          && types.stream().anyMatch(JavaClass::isTopLevelClass)
          && !ON_EACH_DEVICE.contains(name)) {
        shared.put(name, types.stream().map(JavaClass::getName).sorted().toList());
      }
    });
    assertThat(named).hasSizeGreaterThan(300);
    assertThat(shared).as("names of several classes").isEmpty();
  }

  @Test
  void whatHasOneNameOnEachDeviceIsAKernelThere() {
    for (String name : ON_EACH_DEVICE) {
      List<JavaClass> types = engine().filter(type -> type.getSimpleName().equals(name)).toList();
      assertThat(types).as(name).hasSize(2);
      assertThat(types)
          .allMatch(type -> type.isAssignableTo("carousel.tensor.spi.Fused"))
          .anyMatch(type -> type.getPackageName().startsWith("carousel.tensor.cpu"))
          .anyMatch(type -> type.getPackageName().startsWith("carousel.cuda"));
    }
  }

  /** The fused form of a composite, whichever device it is for and whoever wrote it. */
  @Test
  void whatIsAFusedKernelIsCalledKernel() {
    assertThat(engine().filter(type -> type.isAssignableTo("carousel.tensor.spi.Fused")))
        .filteredOn(type -> !type.isInterface())
        .hasSizeGreaterThan(6)
        .allMatch(type -> type.getSimpleName().endsWith("Kernel"));
  }

  @TestFactory
  Stream<DynamicTest> documentsNameClassesThatThereAre() throws IOException {
    Set<String> known = known();
    return documents().stream()
        .map(document ->
            DynamicTest.dynamicTest(
                document.getFileName().toString(),
                () -> {
                  String text = BLOCK.matcher(Files.readString(document)).replaceAll("");
                  assertThat(
                          CLASS
                              .matcher(text)
                              .results()
                              .map(NamesTest::named)
                              .filter(name -> !known.contains(name) && !isOfTheJdk(name)))
                      .as("named in %s, and no class", document.getFileName())
                      .isEmpty();
                }));
  }

  private static String named(MatchResult code) {
    return code.group(1);
  }

  private static List<Path> documents() throws IOException {
    List<Path> documents = new ArrayList<>();
    for (Path folder : List.of(House.root(), House.root().resolve("docs"))) {
      try (var files = Files.list(folder)) {
        files.filter(file -> file.toString().endsWith(".md")).sorted().forEach(documents::add);
      }
    }
    return documents;
  }

  /** The classes of the modules, of their tests and of the kernels' sources. */
  private static Set<String> known() throws IOException {
    Set<String> known = new HashSet<>(OF_OTHERS);
    House.CLASSES.forEach(type -> known.add(type.getSimpleName()));
    var declared = Pattern.compile("\\b(?:class|record|interface|enum|struct) (\\w+)");
    for (String module : House.MODULES) {
      try (var files = Files.walk(House.root().resolve(module).resolve("src"))) {
        for (Path file : files.filter(NamesTest::isASource).toList()) {
          declared
              .matcher(Files.readString(file))
              .results()
              .forEach(found -> known.add(found.group(1)));
        }
      }
    }
    return known;
  }

  private static boolean isASource(Path file) {
    String name = file.toString();
    return name.endsWith(".java") || name.endsWith(".cu") || name.endsWith(".cuh");
  }

  private static boolean isOfTheJdk(String name) {
    return JDK.stream()
        .anyMatch(room -> {
          try {
            return Class.forName(room + "." + name) != null;
          } catch (ClassNotFoundException none) {
            return false;
          }
        });
  }
}
