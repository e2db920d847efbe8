package carousel.house;

import static org.assertj.core.api.Assertions.assertThat;

import carousel.tensor.DType;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import java.io.IOException;
import java.lang.reflect.Method;
import java.net.URI;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import javax.tools.DiagnosticCollector;
import javax.tools.JavaFileObject;
import javax.tools.SimpleJavaFileObject;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/**
 * Every expression of docs/coming-from-pytorch.md runs, and gives what NumPy gives, whose values are in a file
 * that {@code src/test/python/numpyvalues.py} writes.
 */
class ComingFromPytorchTest {
  private static final Pattern CODE = Pattern.compile("`([^`]+)`");
  private static final Pattern BLOCK = Pattern.compile("```java\n(.*?)```", Pattern.DOTALL);

  @TempDir Path folder;

  /**
   * A row of a table.
   *
   * @param names in PyTorch
   * @param numpy the expression beside it; empty where there is none
   * @param here the expressions of its last column
   */
  private record Row(String names, String numpy, List<String> here) {}

  /** What NumPy gives. */
  private record Expected(String shape, double[] values) {}

  private static String page() throws IOException {
    return Files.readString(House.root().resolve("docs/coming-from-pytorch.md"));
  }

  private static List<Row> rows() throws IOException {
    List<Row> rows = new ArrayList<>();
    for (String line : page().lines().toList()) {
      String[] cells = line.split(" \\| ", -1);
      if (!line.startsWith("| `") && !line.startsWith("| ...")) {
        continue;
      }
      assertThat(cells).as(line).hasSize(3);
      List<String> numpy = spans(cells[1]);
      List<String> here = spans(cells[2]);
      assertThat(numpy).as(line).hasSizeLessThanOrEqualTo(1);
      assertThat(here).as(line).isNotEmpty();
      rows.add(new Row(cells[0], numpy.isEmpty() ? "" : numpy.getFirst(), here));
    }
    return rows;
  }

  private static List<String> spans(String cell) {
    return CODE.matcher(cell).results().map(found -> found.group(1)).toList();
  }

  private static Map<String, Expected> numpy() throws IOException {
    Map<String, Expected> values = new TreeMap<>();
    try (var in = ComingFromPytorchTest.class.getResourceAsStream("/numpy-values.tsv")) {
      var text = new String(Objects.requireNonNull(in).readAllBytes(), StandardCharsets.UTF_8);
      for (String line : text.lines().toList()) {
        String[] parts = line.split("\t", -1);
        double[] numbers =
            Stream.of(parts[2].split(" "))
                .filter(s -> !s.isEmpty())
                .mapToDouble(s -> number(s))
                .toArray();
        values.put(parts[0], new Expected("[" + parts[1] + "]", numbers));
      }
    }
    return values;
  }

  private static double number(String text) {
    return switch (text) {
      case "nan" -> Double.NaN;
      case "inf" -> Double.POSITIVE_INFINITY;
      case "-inf" -> Double.NEGATIVE_INFINITY;
      default -> Double.parseDouble(text);
    };
  }

  @Test
  void numpyHasGivenAllOfItsExpressions() throws IOException {
    assertThat(numpy().keySet())
        .as("run benchmarks/src/test/python/numpyvalues.py")
        .containsExactlyInAnyOrderElementsOf(
            rows().stream().map(Row::numpy).filter(s -> !s.isEmpty()).distinct().toList());
    assertThat(rows()).hasSizeGreaterThan(150);
  }

  @TestFactory
  Stream<DynamicTest> linesRunAndGiveWhatNumpyGives() throws Exception {
    List<Row> rows = rows();
    Class<?> compiled = compiled(rows);
    Map<String, Expected> numpy = numpy();
    List<DynamicTest> tests = new ArrayList<>();
    for (int r = 0; r < rows.size(); r++) {
      Row row = rows.get(r);
      for (int e = 0; e < row.here.size(); e++) {
        Method method = compiled.getDeclaredMethod("row" + r + "_" + e);
        Expected expected = e == 0 ? numpy.get(row.numpy) : null;
        tests.add(
            DynamicTest.dynamicTest(
                row.names + ": " + row.here.get(e),
                () -> {
                  try (var scope = TensorScope.open()) {
                    Object value = method.invoke(compiled.getDeclaredConstructor().newInstance());
                    assertThat(value).isNotNull();
                    if (expected != null) {
                      compare(value, expected);
                    }
                  }
                }));
      }
    }
    return tests.stream();
  }

  private static void compare(Object value, Expected expected) {
    if (value instanceof Tensor y) {
      assertThat(y.shape().toString()).isEqualTo(expected.shape);
      double[] numbers = y.toDoubleArray();
      double bound = y.dtype() == DType.F32 ? 1e-6 : 1e-12;
      for (int i = 0; i < numbers.length; i++) {
        double e = expected.values[i];
        assertThat(Math.abs(numbers[i] - e) <= bound * Math.max(1, Math.abs(e)))
            .as("element %d is %s, in NumPy %s", i, numbers[i], e)
            .isTrue();
      }
    } else {
      double number = value instanceof Boolean b ? b ? 1 : 0 : ((Number) value).doubleValue();
      assertThat(new double[] {number}).isEqualTo(expected.values);
    }
  }

  /** A class with a method for each expression, and the page's tensors as its fields. */
  private Class<?> compiled(List<Row> rows) throws Exception {
    Matcher given = BLOCK.matcher(page());
    assertThat(given.find()).isTrue();
    var text = new StringBuilder();
    for (String name :
        List.of(
            "carousel.autograd",
            "carousel.nn",
            "carousel.nn.data",
            "carousel.nn.init",
            "carousel.nn.io",
            "carousel.nn.layer",
            "carousel.nn.loss",
            "carousel.nn.optim",
            "carousel.nn.recurrent",
            "carousel.tensor",
            "java.util")) {
      text.append("import ").append(name).append(".*;\n");
    }
    text.append("public class Page {\n  Philox rng = Philox.of(1);\n")
        .append("  java.nio.file.Path folder = java.nio.file.Path.of(\"target/training\");\n")
        .append(given.group(1));
    for (int r = 0; r < rows.size(); r++) {
      for (int e = 0; e < rows.get(r).here.size(); e++) {
        text.append(
            String.format(
                Locale.ROOT,
                "  public Object row%d_%d() { return %s; }%n",
                r,
                e,
                rows.get(r).here.get(e)));
      }
    }
    text.append("}\n");
    var source =
        new SimpleJavaFileObject(URI.create("string:///Page.java"), JavaFileObject.Kind.SOURCE) {
          @Override
          public CharSequence getCharContent(boolean ignoreEncodingErrors) {
            return text;
          }
        };
    var diagnostics = new DiagnosticCollector<JavaFileObject>();
    List<String> options = List.of("-proc:none", "-d", folder.toString());
    var task =
        ToolProvider.getSystemJavaCompiler()
            .getTask(null, null, diagnostics, options, null, List.of(source));
    assertThat(task.call()).as("%s", diagnostics.getDiagnostics()).isTrue();
    var loader =
        new URLClassLoader(
            new URL[] {folder.toUri().toURL()}, ComingFromPytorchTest.class.getClassLoader());
    return loader.loadClass("Page");
  }
}
