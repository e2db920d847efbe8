package carousel.house;

import static java.util.stream.Collectors.groupingBy;
import static java.util.stream.Collectors.mapping;
import static java.util.stream.Collectors.toList;
import static org.assertj.core.api.Assertions.assertThat;

import carousel.house.Example.Found;
import com.sun.source.util.JavacTask;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import javax.tools.Diagnostic;
import javax.tools.DiagnosticCollector;
import javax.tools.JavaFileObject;
import javax.tools.SimpleJavaFileObject;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** Every example in a comment of the main sources and in the documents compiles. */
class ExamplesTest {
  /** What an example may use without an import. */
  private static final List<String> IMPORTED =
      List.of(
          "carousel.autograd",
          "carousel.jmh",
          "carousel.exchange.onnx",
          "carousel.exchange.pytorch",
          "carousel.nn",
          "carousel.nn.data",
          "carousel.nn.init",
          "carousel.nn.io",
          "carousel.nn.layer",
          "carousel.nn.loss",
          "carousel.nn.optim",
          "carousel.nn.recurrent",
          "carousel.tensor",
          "carousel.tensor.op",
          "carousel.testing",
          "java.nio.file",
          "java.util",
          "java.util.function",
          "org.junit.jupiter.api",
          "org.junit.jupiter.api.extension");

  /** Not its package, which has a Parameter, too. */
  private static final String IMPORTED_BY_ITSELF =
      "import org.junit.jupiter.params.ParameterizedTest; ";

  /** What only the file of an example can name, or what it means by a name of {@link Given}. */
  private static final Map<String, String> ALSO_GIVEN =
      Map.of("Launcher.java", "Launcher launcher; Kernel kernel; Positions at; long x; long y;");

  private static final Pattern PACKAGE = Pattern.compile("^package ([\\w.]+);", Pattern.MULTILINE);

  /** Declarations at the top of a file; everything else is statements. */
  private static final Pattern TOP_LEVEL =
      Pattern.compile("(\\A\\s*|^)(package|import|public) ", Pattern.MULTILINE);

  /** The project that docs/benchmarking.md shows a part of. */
  private static final Path PROJECT =
      House.root().resolve("benchmarks/example/src/main/java/org/example");

  private static Found all() throws IOException {
    var found = new Found();
    for (String module : House.MODULES) {
      for (Path source : House.sources(module)) {
        found.addAll(Example.inComments(House.root(), source));
      }
    }
    for (Path document : documents()) {
      String name = House.root().relativize(document).toString();
      found.addAll(Example.inDocument(name, Files.readString(document)));
    }
    return found;
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

  @Test
  void areWrittenSoThatTheyAreFound() throws IOException {
    assertThat(all().refused()).isEmpty();
  }

  @TestFactory
  Stream<DynamicTest> compile() throws IOException {
    List<Example> examples = all().examples();
    assertThat(examples).as("examples found").hasSizeGreaterThan(20);
    Map<String, List<String>> errors = errors(examples);
    return examples.stream()
        .map(example ->
            DynamicTest.dynamicTest(
                example.toString(),
                () -> assertThat(errors.getOrDefault(example.toString(), List.of())).isEmpty()));
  }

  @Test
  void theBenchmarkShownIsTheOneThatRuns() throws IOException {
    assertThat(Files.readString(House.root().resolve("docs/benchmarking.md")))
        .contains(Files.readString(PROJECT.resolve("CellBenchmark.java")).strip());
  }

  /** What an example as it is in a file gets told. */
  private static List<String> errorsOf(String java) throws IOException {
    var found = Example.inComments("tensor-core/src/main/java/carousel/tensor/Some.java", java);
    assertThat(found.refused()).isEmpty();
    return errors(found.examples()).values().stream().flatMap(List::stream).toList();
  }

  @Test
  void oneThatDoesNotCompileIsReportedWithItsLine() throws IOException {
    String comment = "package carousel.tensor;\n/**\n * <pre>{@code\n * %s\n * }</pre>\n */";
    assertThat(errorsOf(String.format(Locale.ROOT, comment, "Tensor z = x.add(y);"))).isEmpty();
    assertThat(
            errorsOf(
                String.format(Locale.ROOT, comment, "public record Pair(Tensor a, Tensor b) {}")))
        .isEmpty();
    for (String wrong : List.of("Tensor z = x.plus(y);", "Tensor z = nobody;", "z = ...;", "}")) {
      assertThat(errorsOf(String.format(Locale.ROOT, comment, wrong)))
          .as(wrong)
          .isNotEmpty()
          .allMatch(error -> error.startsWith("line 4: ") || wrong.equals("}"));
    }
  }

  @Test
  void otherWaysToShowCodeAreRefused() {
    for (String comment :
        List.of(
            "/// text",
            "/** {@snippet : var x = 1; } */",
            "/** ```java\n * var x = 1;\n * ``` */",
            "/**\n * <pre>\n * var x = 1;\n * </pre>\n */",
            "/** <pre class=\"a\">x</pre> */",
            "/** <pre>Say {@code var x = 1;}.</pre> */")) {
      assertThat(Example.inComments("A.java", comment).refused()).as(comment).isNotEmpty();
    }
    for (String document :
        List.of("```java9\nvar x = 1;\n```", "```\nvar x = 1;\n```", "```java part\nx\n```")) {
      assertThat(Example.inDocument("a.md", document).refused()).as(document).isNotEmpty();
    }
    String text = "/** <pre>{@literal a = b;}</pre> <pre>8 bytes  length</pre> */";
    assertThat(Example.inComments("A.java", text)).isEqualTo(new Found());
    assertThat(Example.inDocument("a.md", "```sh\nls;\n```\n```java fragment\nx\n```"))
        .isEqualTo(new Found());
  }

  /** Compiles all at once, to no classes; by example, what is wrong with it. */
  private static Map<String, List<String>> errors(List<Example> examples) throws IOException {
    var compiler = ToolProvider.getSystemJavaCompiler();
    var diagnostics = new DiagnosticCollector<JavaFileObject>();
    var units =
        IntStream.range(0, examples.size()).mapToObj(i -> new Unit(examples.get(i), i)).toList();
    try (var files = compiler.getStandardFileManager(null, null, null)) {
      var options =
          List.of("-proc:none", "-Xlint:none", "-Xmaxerrs", "1000", "--should-stop=ifError=FLOW");
      List<JavaFileObject> sources = new ArrayList<>(units);
      files.getJavaFileObjects(PROJECT.resolve("FastGrnn.java")).forEach(sources::add);
      var task = (JavacTask) compiler.getTask(null, files, diagnostics, options, null, sources);
      var unused = task.analyze();
    }
    return diagnostics.getDiagnostics().stream()
        .filter(diagnostic -> diagnostic.getKind() == Diagnostic.Kind.ERROR)
        .collect(groupingBy(ExamplesTest::origin, mapping(ExamplesTest::message, toList())));
  }

  private static String origin(Diagnostic<? extends JavaFileObject> diagnostic) {
    return diagnostic.getSource() instanceof Unit unit ? unit.example.toString() : "nowhere";
  }

  private static String message(Diagnostic<? extends JavaFileObject> diagnostic) {
    return "line " + diagnostic.getLineNumber() + ": " + diagnostic.getMessage(null);
  }

  /** An example as a compilation unit, whose lines are those of its file. */
  private static final class Unit extends SimpleJavaFileObject {
    private final Example example;
    private final String text;

    Unit(Example example, int number) {
      super(URI.create("example:///" + number + "/" + example.file()), Kind.SOURCE);
      this.example = example;
      this.text = around(example, number);
    }

    private static String around(Example example, int number) {
      var imports = new StringBuilder(IMPORTED_BY_ITSELF);
      IMPORTED.forEach(name -> imports.append("import ").append(name).append(".*; "));
      String name = "example" + number;
      if (TOP_LEVEL.matcher(example.text()).find()) {
        // In a package of its own: it may declare a type that there is.
        String before =
            PACKAGE.matcher(example.text()).find() ? "" : "package " + name + "; " + imports;
        return "\n".repeat(example.line() - 1) + before + example.text();
      }
      return "\n".repeat(example.line() - 1)
          + "package "
          + packageOf(example, name)
          + "; "
          + imports
          + "abstract class "
          + name
          + " extends carousel.house.Given { "
          + ALSO_GIVEN.getOrDefault(Path.of(example.file()).getFileName().toString(), "")
          + " void show() throws Exception { "
          + example.text()
          + "\n} }";
    }

    /** That of the file, where it is Java: it may name what only its package can. */
    private static String packageOf(Example example, String otherwise) {
      Matcher folder = Pattern.compile("src/main/java/(.*)/\\w+\\.java").matcher(example.file());
      return folder.find() ? folder.group(1).replace('/', '.') : otherwise;
    }

    @Override
    public CharSequence getCharContent(boolean ignoreEncodingErrors) {
      return text;
    }

    @Override
    public boolean isNameCompatible(String simpleName, Kind kind) {
      return true; // a public type, whatever this is called
    }
  }
}
