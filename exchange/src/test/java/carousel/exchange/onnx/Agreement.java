package carousel.exchange.onnx;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import carousel.tensor.DType;
import carousel.tensor.Tensor;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.util.List;
import java.util.Map;

/**
 * A file and what is made of it: ONNX Runtime and the graph that is read agree on all outputs; so does ONNX
 * Runtime on the file that is written of that graph, and the graph of that file to the bit.
 */
final class Agreement {
  private Agreement() {}

  /** Checks all of it; gives the graph. */
  static Graph check(byte[] file, Map<String, Tensor> inputs) {
    return check(file, Onnx.parse(file), inputs);
  }

  static Graph check(byte[] file, Graph graph, Map<String, Tensor> inputs) {
    var ours = graph.run(inputs);
    var theirs = run(file, inputs);
    same(ours, theirs);
    var written = written(graph);
    same(ours, run(written, inputs));
    var again = Onnx.parse(written).run(inputs);
    assertThat(again.keySet()).isEqualTo(ours.keySet());
    ours.forEach((name, value) ->
        assertThat(value.sameValues(requireNonNull(again.get(name)))).as(name).isTrue());
    return graph;
  }

  private static Map<String, Tensor> run(byte[] file, Map<String, Tensor> inputs) {
    try (var runtime = OnnxRuntime.open(file)) {
      return runtime.run(inputs).byName();
    }
  }

  /** The file of a graph. */
  static byte[] written(Graph graph) {
    try {
      var path = Files.createTempFile("graph", ".onnx");
      try {
        Onnx.save(path, graph);
        return Files.readAllBytes(path);
      } finally {
        Files.delete(path);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Equal to 1e-5 of the largest value. */
  static void same(Map<String, Tensor> actual, Map<String, Tensor> expected) {
    same(actual, expected, 1e-5);
  }

  static void same(Map<String, Tensor> actual, Map<String, Tensor> expected, double tolerance) {
    assertThat(actual.keySet()).isEqualTo(expected.keySet());
    expected.forEach(
        (name, value) -> near(name, requireNonNull(actual.get(name)), value, tolerance));
  }

  private static void near(String name, Tensor actual, Tensor expected, double tolerance) {
    assertThat(actual.shape()).as(name).isEqualTo(expected.shape());
    if (expected.size() == 0) {
      return;
    }
    Tensor a = actual.cast(DType.F64);
    Tensor e = expected.cast(DType.F64);
    // What is no number must be none in both; infinities, of one sign.
    Tensor finite = e.isFinite();
    Tensor odd = finite.not();
    assertThat(a.isFinite().eq(finite).all().item()).as(name).isEqualTo(1);
    var oddities =
        List.of(Tensor.where(odd, a, a.zerosLike()), Tensor.where(odd, e, e.zerosLike()));
    assertThat(oddities.getFirst().sameValues(oddities.getLast())).as(name).isTrue();
    double difference = Tensor.where(finite, a.sub(e).abs(), a.zerosLike()).max().item();
    double largest = Tensor.where(finite, e.abs(), e.zerosLike()).max().item();
    assertThat(difference).as(name).isLessThanOrEqualTo(tolerance * Math.max(1, largest));
  }
}
