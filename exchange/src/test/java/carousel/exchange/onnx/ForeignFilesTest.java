package carousel.exchange.onnx;

import static carousel.exchange.onnx.GraphWriter.attribute;
import static carousel.tensor.DType.F32;
import static carousel.tensor.DType.I32;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carousel.nn.layer.Embedding;
import carousel.nn.layer.Linear;
import carousel.nn.recurrent.Bidirectional;
import carousel.nn.recurrent.Recurrent;
import carousel.tensor.Philox;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Graphs as other programs write them: what is read, and what says why it is not. */
class ForeignFilesTest {
  private final Philox rng = Philox.of(5);

  private String random(GraphWriter g, String name, int... dims) {
    return g.constant(name, rng.normal(F32, 0, 0.4, dims));
  }

  /** {@code x [T,N,3]} → LSTM of 4 units with further inputs and attributes → Y, squeezed to y. */
  private byte[] lstm(
      List<String> further, List<WireWriter> attributes, Consumer<GraphWriter> also) {
    var g = new GraphWriter();
    g.input("x", DataType.FLOAT, "T", "N", 3);
    also.accept(g);
    var in = new ArrayList<>(List.of("x", random(g, "W", 1, 16, 3), random(g, "R", 1, 16, 4)));
    in.addAll(further);
    g.node("LSTM", "the_lstm", in, List.of("Y", "Y_h"), attributes);
    g.node("Squeeze", "y", List.of("Y", g.constant("axes", 1)));
    g.output("y", DataType.FLOAT, "T", "N", 4);
    return Operators.bytes(g.model());
  }

  /** As PyTorch exports embedding, bidirectional LSTM from zeros, and linear layers. */
  private byte[] asPyTorch() {
    var g = new GraphWriter();
    g.input("input", DataType.INT64, "T", "N");
    g.node("Gather", "embedded", List.of(random(g, "embed.weight", 7, 3), "input"));
    g.node("Shape", "shape", List.of("embedded"));
    g.node("Gather", "rows", List.of("shape", g.constant("one", 1)), attribute("axis", 0L));
    g.node(
        "Concat",
        "states",
        List.of(g.constant("two", 2), "rows", g.constant("four", 4)),
        attribute("axis", 0L));
    g.node("Expand", "h0", List.of(g.constant("zero", Tensor.zeros(1, 1, 1)), "states"));
    g.node("ConstantOfShape", "c0", List.of("states"));
    g.node(
        "LSTM",
        "lstm",
        List.of(
            "embedded",
            random(g, "W", 2, 16, 3),
            random(g, "R", 2, 16, 4),
            random(g, "B", 2, 32),
            "",
            "h0",
            "c0"),
        List.of("Y", "Y_h", "Y_c"),
        List.of(attribute("hidden_size", 4L), attribute("direction", "bidirectional")));
    g.node("Transpose", "sides", List.of("Y"), attribute("perm", 0, 2, 1, 3));
    g.node("Reshape", "flat", List.of("sides", g.constant("to", 0, 0, -1)));
    g.node("MatMul", "product", List.of("flat", random(g, "head.weight", 8, 7)));
    g.node("Add", "logits", List.of(random(g, "head.bias", 7), "product"));
    g.output("logits", DataType.FLOAT, "T", "N", 7);
    g.output("Y_h", DataType.FLOAT, 2, "N", 4);
    return Operators.bytes(g.model());
  }

  @Test
  void aLanguageModelAsPyTorchExportsIt() {
    try (var scope = TensorScope.open()) {
      var file = asPyTorch();
      var chain = Onnx.parse(file).chain();
      assertThat(chain.layers()).hasSize(3);
      assertThat(chain.layers().get(0)).isInstanceOf(Embedding.class);
      assertThat(((Bidirectional) chain.layers().get(1)).forward().start()).isEmpty();
      assertThat(((Linear) chain.layers().get(2)).bias()).isNotNull();
      Tensor tokens = Tensor.of(Shape.of(3, 2), 1, 2, 3, 4, 5, 6);
      try (var runtime = OnnxRuntime.open(file)) {
        Tensor theirs = runtime.run(Map.of("input", tokens)).get("logits");
        assertThat(chain.apply(tokens).sub(theirs).abs().max().item()).isLessThan(1e-6);
      }
    }
  }

  /** Written by {@code src/test/python/exported.py}. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "lstm",
        "lstm-bidirectional",
        "gru",
        "rnn-bidirectional",
        "lstm-batch-first",
        "gru-bidirectional-batch-first"
      })
  void whatPyTorchExported(String name) throws IOException {
    try (var scope = TensorScope.open()) {
      var bytes = exported(name);
      var chain = Onnx.parse(bytes).chain();
      // Table, two recurrent layers, norm, head.
      assertThat(chain.layers()).hasSize(name.endsWith("batch-first") ? 7 : 5);
      Tensor tokens = rng.uniform(F32, 0, 9, 7, 4).floor().cast(I32);
      try (var runtime = OnnxRuntime.open(bytes)) {
        Tensor theirs = runtime.run(Map.of("tokens", tokens)).get("logits");
        assertThat(chain.apply(tokens).sub(theirs).abs().max().item()).isLessThan(1e-5);
      }
    }
  }

  private byte[] exported(String name) throws IOException {
    try (var file = getClass().getResourceAsStream("/pytorch-onnx/" + name + ".onnx")) {
      return requireNonNull(file).readAllBytes();
    }
  }

  @Test
  void finalStatesAsPyTorchExportsThem() throws IOException {
    try (var scope = TensorScope.open()) {
      var bytes = exported("lstm-states");
      Tensor tokens = rng.uniform(F32, 0, 9, 7, 4).floor().cast(I32);
      var run = Onnx.parse(bytes).chain().run(tokens);
      try (var runtime = OnnxRuntime.open(bytes)) {
        var theirs = runtime.run(Map.of("tokens", tokens));
        assertThat(run.y().sub(theirs.get("y")).abs().max().item()).isLessThan(1e-5);
        for (int i = 0; i < 2; i++) {
          int index = i;
          Tensor ours =
              Tensor.stack(
                  run.states().stream().map(state -> state.tensors().get(index)).toList(), 0);
          Tensor state = theirs.get(i == 0 ? "h" : "c");
          assertThat(ours.sub(state).abs().max().item()).isLessThan(1e-5);
        }
      }
    }
  }

  private Recurrent<?> only(byte[] file) {
    return (Recurrent<?>) Onnx.parse(file).chain().layers().getFirst();
  }

  @Test
  void aConstantInitialStateIsALearnedOne() {
    try (var scope = TensorScope.open()) {
      Tensor row = rng.normal(F32, 0, 1, 1, 1, 4);
      var layer = only(lstm(List.of("", "", "h0"), List.of(), g -> g.constant("h0", row)));
      assertThat(layer.start()).hasSize(2);
      assertThat(layer.start().getFirst().value().sameValues(row.flatten())).isTrue();
      assertThat(layer.start().getLast().value().abs().max().item()).isZero();
      Tensor rows = Tensor.concat(List.of(row, row), 1);
      var same = only(lstm(List.of("", "", "h0"), List.of(), g -> g.constant("h0", rows)));
      assertThat(same.start().getFirst().value().sameValues(row.flatten())).isTrue();
      // Other values for each row of a batch are no row of the layer's own, but given to it.
      Tensor each = rng.normal(F32, 0, 1, 1, 2, 4);
      Agreement.check(
          lstm(
              List.of("", "", "h0"),
              List.of(attribute("hidden_size", 4L)),
              g -> g.constant("h0", each)),
          Map.of("x", rng.normal(F32, 0, 1, 5, 2, 3)));
    }
  }

  @Test
  void anInitialStateOrLengthsMayBeInputs() {
    try (var scope = TensorScope.open()) {
      var layer =
          only(
              lstm(
                  List.of("", "lengths", "h0"),
                  List.of(),
                  g -> {
                    g.input("lengths", DataType.INT32, "N");
                    g.input("h0", DataType.FLOAT, 1, "N", 4);
                  }));
      assertThat(layer.start()).isEmpty();
      var fixed =
          lstm(
              List.of("", "fixed"),
              List.of(attribute("hidden_size", 4L)),
              g -> g.constant("fixed", DataType.INT32, Tensor.of(1, 2)));
      Agreement.check(fixed, Map.of("x", rng.normal(F32, 0, 1, 5, 2, 3)));
      assertThatThrownBy(() -> Onnx.parse(fixed).chain())
          .hasMessageContaining("is computed or constant");
    }
  }

  @Test
  void gemmIsLinear() {
    try (var scope = TensorScope.open()) {
      var g = new GraphWriter();
      g.input("x", DataType.FLOAT, "N", 3);
      g.node(
          "Gemm",
          "y",
          List.of("x", random(g, "weight", 5, 3), random(g, "bias", 5)),
          attribute("transB", 1L));
      g.output("y", DataType.FLOAT, "N", 5);
      var file = Operators.bytes(g.model());
      Tensor x = rng.normal(F32, 0, 1, 2, 3);
      try (var runtime = OnnxRuntime.open(file)) {
        Tensor theirs = runtime.run(Map.of("x", x)).get("y");
        assertThat(Onnx.parse(file).apply(x).sub(theirs).abs().max().item()).isLessThan(1e-6);
      }
    }
  }

  @Test
  void attributesThatNoLayerHas() {
    try (var scope = TensorScope.open()) {
      String node = "node 'the_lstm' (LSTM): ";
      refuses(with(attribute("layout", 2L)), node + "attribute layout is 2");
      refuses(with(attribute("clip", -1.0)), node + "attribute clip is -1.0");
      refuses(with(attribute("input_forget", 2L)), node + "attribute input_forget is 2");
      refuses(with(attribute("hidden_size", 5L)), node + "attribute hidden_size is 5, R has");
      refuses(with(attribute("direction", "both")), node + "attribute direction is 'both'");
      refuses(with(attribute("hidden_size", "4")), node + "attribute hidden_size is of type 3");
      refuses(with(attribute("secret", 1L)), node + "attribute 'secret' is not known; known are");
      refuses(
          with(GraphWriter.texts("activations", List.of("Sigmoid", "Tanh", "Gelu"))),
          node + "attribute activations names 'Gelu'");
      refuses(
          with(GraphWriter.texts("activations", List.of("Sigmoid"))),
          node + "attribute activations lists 1 functions, 3 are wanted");
    }
  }

  private byte[] with(WireWriter attribute) {
    return lstm(List.of(), List.of(attribute), g -> {});
  }

  @Test
  void weightsThatDoNotFit() {
    try (var scope = TensorScope.open()) {
      refuses(
          lstm(List.of("B"), List.of(), g -> random(g, "B", 1, 16)),
          "node 'the_lstm' (LSTM): B has the shape [1,16], its neighbours want [1, 32]");
      refuses(
          lstm(List.of("", "", "", "", "P"), List.of(), g -> random(g, "P", 1, 16)),
          "P has the shape [1,16], its neighbours want [1, 12]");
      refuses(
          lstm(List.of("", "", "h0"), List.of(), g -> random(g, "h0", 1, 1, 5)),
          "initial_h has the shape [1,1,5], wanted is [1,N,4]");
      refuses(
          lstm(List.of("x"), List.of(), g -> {}),
          "B, 'x', is not a tensor of the file and not computed from such");
    }
  }

  @Test
  void operatorsThatAreNotRead() {
    try (var scope = TensorScope.open()) {
      refuses(
          graph(g -> {
            g.node("Det", "odd", List.of("x"));
            g.node("MatMul", "y", List.of("odd", random(g, "w", 3, 3)));
          }),
          "node 'odd' (Det): is not read, and 'y' depends on it; read are LSTM, GRU, RNN");
      refuses(
          graph(g -> g.node("MatMul", "y", List.of("x", "nowhere"))),
          "'nowhere' is read and nothing gives it");
      assertThatThrownBy(
              () -> Onnx.parse(graph(g -> g.node("Identity", "y", List.of("x")))).chain())
          .hasMessageContaining("an output is an input");
      var misfit =
          graph(g -> {
            g.node("MatMul", "product", List.of("x", random(g, "w", 3, 4)));
            g.node("MatMul", "y", List.of("product", random(g, "v", 3, 3)));
          });
      assertThatThrownBy(() -> Onnx.parse(misfit).chain())
          .hasMessageContaining(
              "the layers do not fit each other: chain: layer 1, Linear, reads 3 features, layer 0"
                  + " gives 4");
      assertThatThrownBy(() -> Onnx.parse(misfit).apply(Tensor.zeros(1, 1, 3)))
          .hasMessageContaining("graph: 'y': linear: x [1,1,4] must have a last axis of 3");
    }
  }

  private byte[] graph(Consumer<GraphWriter> nodes) {
    var g = new GraphWriter();
    g.input("x", DataType.FLOAT, "T", "N", 3);
    nodes.accept(g);
    g.output("y", DataType.FLOAT, "T", "N", 3);
    return Operators.bytes(g.model());
  }

  @Test
  void lengthsOfSomeLayersOnly() {
    try (var scope = TensorScope.open()) {
      var file =
          graph(g -> {
            g.input("lengths", DataType.INT32, "N");
            var size = attribute("hidden_size", 3L);
            var weights = List.of("x", random(g, "W", 1, 3, 3), random(g, "R", 1, 3, 3));
            g.node("RNN", "a", weights, size);
            g.node("Squeeze", "b", List.of("a", g.constant("axes", 1)));
            g.node("RNN", "c", List.of("b", "W", "R", "", "lengths"), size);
            g.node("Squeeze", "y", List.of("c", "axes"));
          });
      Agreement.check(
          file, Map.of("x", rng.normal(F32, 0, 1, 5, 2, 3), "lengths", Tensor.of(5, 2)));
      assertThatThrownBy(() -> Onnx.parse(file).chain())
          .hasMessageContaining("has the sequence_lens 'lengths', a layer before it ''");
    }
  }

  private static void refuses(byte[] file, String message) {
    assertThatThrownBy(() -> Onnx.parse(file))
        .isInstanceOf(OnnxException.class)
        .hasMessageContaining(message);
  }
}
