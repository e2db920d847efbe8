package carousel.exchange.onnx;

import static carousel.tensor.DType.F32;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carousel.tensor.Philox;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Final states as outputs of a graph. */
class FinalStatesTest {
  private final Philox rng = Philox.of(5);
  private TensorScope scope;

  @BeforeEach
  void open() {
    scope = TensorScope.open();
  }

  @AfterEach
  void close() {
    scope.close();
  }

  /** {@code x [T,N,3]} → two LSTMs of 3 units, "a" and "b"; what else there is, and the outputs. */
  private byte[] two(Consumer<GraphWriter> also, String... outputs) {
    var g = new GraphWriter();
    g.input("x", DataType.FLOAT, "T", "N", 3);
    lstm(g, "a", "x");
    lstm(g, "b", "a.y");
    also.accept(g);
    for (var output : outputs) {
      g.output(output, DataType.FLOAT, "D", "N", 3);
    }
    return Operators.bytes(g.model());
  }

  private void lstm(GraphWriter g, String name, String x) {
    String w = g.constant(name + ".W", rng.normal(F32, 0, 0.7, 1, 12, 3));
    String r = g.constant(name + ".R", rng.normal(F32, 0, 0.7, 1, 12, 3));
    var out = List.of(name + ".Y", name + ".h", name + ".c");
    g.node("LSTM", name, List.of(x, w, r), out, List.of(GraphWriter.attribute("hidden_size", 3L)));
    g.node("Squeeze", name + ".y", List.of(name + ".Y", g.constant(name + ".axes", 1)));
  }

  @Test
  void aloneTheyAreThoseOfTheLayersUpToTheLast() {
    var file = two(g -> {}, "a.c", "b.h");
    var chain = Onnx.parse(file).chain();
    assertThat(chain.layers()).hasSize(2);
    Tensor x = rng.normal(F32, 0, 1, 5, 2, 3);
    var states = chain.run(x).states();
    try (var runtime = OnnxRuntime.open(file)) {
      var theirs = runtime.run(Map.of("x", x));
      near(states.get(0).tensors().get(1), theirs.get("a.c"));
      near(states.get(1).tensors().get(0), theirs.get("b.h"));
    }
    assertThat(Onnx.parse(two(g -> {}, "a.h")).chain().layers()).hasSize(1);
  }

  private static void near(Tensor ours, Tensor theirs) {
    assertThat(ours.unsqueeze(0).sub(theirs).abs().max().item()).isLessThan(1e-6);
  }

  @Test
  void joinedTheyAreThoseOfAllLayers() {
    var file =
        two(
            g -> {
              g.node("Identity", "same", List.of("a.h"));
              g.node("Concat", "h", List.of("same", "b.h"), GraphWriter.attribute("axis", 0L));
            },
            "h");
    var chain = Onnx.parse(file).chain();
    Tensor x = rng.normal(F32, 0, 1, 5, 2, 3);
    var states = chain.run(x).states();
    try (var runtime = OnnxRuntime.open(file)) {
      var theirs = runtime.run(Map.of("x", x)).get("h").chunk(2, 0);
      near(states.get(0).tensors().get(0), theirs.get(0));
      near(states.get(1).tensors().get(0), theirs.get(1));
    }
  }

  @Test
  void thoseBesideTheLineAreOfAGraphThatIsNoChain() {
    noChain(two(g -> lstm(g, "other", "a.y"), "b.y", "other.h"), "is beside the line");
    noChain(two(g -> lstm(g, "other", "x"), "b.h", "other.h"), "is beside the line");
    noChain(
        two(
            g -> {
              lstm(g, "other", "a.y");
              g.node("Concat", "h", List.of("b.h", "other.h"), GraphWriter.attribute("axis", 0L));
            },
            "b.y",
            "h"),
        "is beside the line");
  }

  @Test
  void whatGoesOnFromOneIsNoChain() {
    noChain(
        two(
            g -> {
              g.node("Squeeze", "last", List.of("b.h", g.constant("axes", 0)));
              g.node("MatMul", "y", List.of("last", g.constant("w", Tensor.ones(3, 2))));
            },
            "y"),
        "'last' goes on from a final state");
  }

  /** It is no chain, and all the same computes what ONNX Runtime does. */
  private void noChain(byte[] file, String problem) {
    var graph = Onnx.parse(file);
    assertThatThrownBy(graph::chain)
        .isInstanceOf(OnnxException.class)
        .hasMessageStartingWith("this is no chain of layers: ")
        .hasMessageContaining(problem);
    Agreement.check(file, Map.of("x", rng.normal(F32, 0, 1, 5, 2, 3)));
  }

  /** Each joins the one before with itself: what is listed twice each time would be 2^40 states. */
  @Test
  void joiningAgainAndAgainAddsNothing() {
    var file =
        two(
            g -> {
              String last = "a.h";
              for (int i = 0; i < 40; i++) {
                last =
                    g.node(
                        "Concat",
                        i == 39 ? "h" : "h" + i,
                        List.of(last, last),
                        GraphWriter.attribute("axis", 0L));
              }
            },
            "h");
    assertThat(Onnx.parse(file).chain().layers()).hasSize(1);
  }
}
