package carousel.exchange.onnx;

import static carousel.exchange.onnx.GraphWriter.attribute;
import static carousel.tensor.DType.F32;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carousel.nn.layer.LayerNorm;
import carousel.nn.recurrent.Recurrent;
import carousel.tensor.Philox;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Models as their makers write them, each held against ONNX Runtime and written again. */
class MakersTest {
  private final Philox rng = Philox.of(9);
  private TensorScope scope;

  @TempDir Path folder;

  @BeforeEach
  void open() {
    scope = TensorScope.open();
  }

  @AfterEach
  void close() {
    scope.close();
  }

  private Tensor normal(int... dims) {
    return rng.normal(F32, 0, 0.7, dims);
  }

  /** Inputs of the files that {@code src/test/python/exported.py} writes. */
  private Map<String, Tensor> inputs(String file) {
    return switch (file) {
      case "stateful-gru" -> Map.of("x", normal(7, 2, 4), "h0", normal(2, 2, 5));
      case "stateful-lstm" ->
          Map.of("x", normal(7, 2, 4), "h0", normal(2, 2, 5), "c0", normal(2, 2, 5));
      case "translator" -> Map.of("source", normal(4, 2, 4), "target", normal(7, 2, 4));
      case "residual", "residual-old-norm" -> Map.of("x", normal(7, 2, 5));
      case "two-ways" -> Map.of("x", normal(7, 2, 4));
      default -> Map.of("x", normal(2, 7, 4));
    };
  }

  static byte[] exported(String name) throws IOException {
    try (var file = MakersTest.class.getResourceAsStream("/pytorch-onnx/" + name + ".onnx")) {
      return requireNonNull(file).readAllBytes();
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "last-output",
        "last-state",
        "last-output-bidirectional",
        "last-state-rnn",
        "attention",
        "stateful-gru",
        "stateful-lstm",
        "translator",
        "residual",
        "residual-old-norm",
        "two-ways"
      })
  void asPyTorchExportsThem(String name) throws IOException {
    var graph = Agreement.check(exported(name), inputs(name));
    assertThat(graph.parameters().count()).isPositive();
  }

  @Test
  void statesOfAllLayersInOneTensorAreThoseOfAChain() throws IOException {
    var chain = Onnx.parse(exported("stateful-lstm")).chain();
    var given = inputs("stateful-lstm");
    assertThat(chain.layers()).hasSize(3);
    var graph = Onnx.parse(exported("stateful-lstm"));
    var run = chain.run(requireNonNull(given.get("x")), states(given));
    assertThat(run.y().sameValues(requireNonNull(graph.run(given).get("logits")))).isTrue();
  }

  private static List<carousel.nn.recurrent.LstmState> states(Map<String, Tensor> given) {
    Tensor h = requireNonNull(given.get("h0"));
    Tensor c = requireNonNull(given.get("c0"));
    return List.of(
        new carousel.nn.recurrent.LstmState(h.select(0, 0), c.select(0, 0)),
        new carousel.nn.recurrent.LstmState(h.select(0, 1), c.select(0, 1)));
  }

  @Test
  void aNormThatIsSpeltOutIsALayer() throws IOException {
    var graph = Onnx.parse(exported("residual-old-norm"));
    assertThat(graph.steps().stream().filter(s -> s.layer() instanceof LayerNorm)).hasSize(2);
    // The numbers come from one place: its layers are those that opset 17 names.
    assertThat(graph.toString().lines().filter(line -> line.contains("ReduceMean"))).isEmpty();
  }

  /** {@code x [T,N,3]}; what is put together from it is y. */
  private byte[] graph(Consumer<GraphWriter> nodes) {
    var g = new GraphWriter();
    g.input("x", DataType.FLOAT, "T", "N", 3);
    nodes.accept(g);
    g.output("y", DataType.FLOAT, (Object[]) null);
    return Operators.bytes(g.model());
  }

  private void check(Consumer<GraphWriter> nodes) {
    Agreement.check(graph(nodes), Map.of("x", normal(6, 2, 3)));
  }

  private String weight(GraphWriter g, String name, int... dims) {
    return g.constant(name, normal(dims));
  }

  private void lstm(GraphWriter g, String name, String x, String direction) {
    int sides = direction.equals("bidirectional") ? 2 : 1;
    var in =
        List.of(
            x,
            weight(g, name + ".W", sides, 16, 3),
            weight(g, name + ".R", sides, 16, 4),
            weight(g, name + ".B", sides, 32));
    g.node(
        "LSTM",
        name,
        in,
        List.of(name + ".Y", name + ".Yh", name + ".Yc"),
        List.of(attribute("hidden_size", 4L), attribute("direction", direction)));
  }

  /** tf2onnx: squeezed states into a dense layer and a softmax. */
  @Test
  void kerasThroughTensorFlow() {
    check(g -> {
      lstm(g, "lstm", "x", "forward");
      g.node("Squeeze", "state", List.of("lstm.Yh", g.constant("axes", 0L)));
      g.node("MatMul", "product", List.of("state", weight(g, "dense", 4, 5)));
      g.node("Add", "sum", List.of("product", weight(g, "bias", 5)));
      g.node("Softmax", "y", List.of("sum"));
    });
  }

  /** keras2onnx: the sequence is transposed around the axis of directions, and squeezed after. */
  @Test
  void kerasToOnnx() {
    check(g -> {
      lstm(g, "lstm", "x", "forward");
      g.node("Transpose", "swapped", List.of("lstm.Y"), attribute("perm", 2, 0, 1, 3));
      g.node("Squeeze", "batched", List.of("swapped", g.constant("axes", 2L)));
      g.node("MatMul", "product", List.of("batched", weight(g, "dense", 4, 5)));
      g.node("Add", "sum", List.of("product", weight(g, "bias", 1, 1, 5)));
      g.node("LogSoftmax", "y", List.of("sum"));
    });
    check(g -> {
      lstm(g, "lstm", "x", "bidirectional");
      g.node("Transpose", "swapped", List.of("lstm.Y"), attribute("perm", 2, 0, 1, 3));
      g.node("Reshape", "y", List.of("swapped", g.constant("to", 0L, 0L, -1L)));
    });
  }

  @Test
  void axesFromTheEnd() {
    var file =
        graph(g -> {
          lstm(g, "lstm", "x", "forward");
          g.node("Squeeze", "y", List.of("lstm.Y", g.constant("axes", -3L)));
        });
    Agreement.check(file, Map.of("x", normal(6, 2, 3)));
    assertThat(Onnx.parse(file).chain().layers()).hasSize(1);
  }

  @Test
  void reshapesWithZeroAndMinusOne() {
    for (var to : List.of(new long[] {0, -1, 8}, new long[] {0, 0, 8}, new long[] {-1, 2, 8})) {
      check(g -> {
        lstm(g, "lstm", "x", "bidirectional");
        g.node("Transpose", "sides", List.of("lstm.Y"), attribute("perm", 0, 2, 1, 3));
        g.node("Reshape", "y", List.of("sides", g.constant("to", to)));
      });
    }
  }

  @Test
  void oppositeLayersThatAreJoined() {
    check(g -> {
      lstm(g, "there", "x", "forward");
      lstm(g, "back", "x", "reverse");
      g.node("Squeeze", "a", List.of("there.Y", g.constant("axes", 1L)));
      g.node("Squeeze", "b", List.of("back.Y", "axes"));
      g.node("Concat", "joined", List.of("a", "b"), attribute("axis", 2L));
      g.node("MatMul", "y", List.of("joined", weight(g, "head", 8, 2)));
    });
  }

  /** Split gates, each a tensor of its own, that nodes put together; as converters of old frameworks do. */
  @Test
  void weightsThatAreComputed() {
    var file =
        graph(g -> {
          weight(g, "wi", 4, 3);
          weight(g, "wo", 4, 3);
          weight(g, "wfc", 3, 8);
          g.node("Transpose", "wfcT", List.of("wfc"), attribute("perm", 1, 0));
          g.node("Concat", "w2", List.of("wi", "wo", "wfcT"), attribute("axis", 0L));
          g.node("Unsqueeze", "W", List.of("w2", g.constant("front", 0L)));
          weight(g, "r", 2, 16, 4);
          g.node(
              "Slice",
              "R",
              List.of(
                  "r",
                  g.constant("starts", 1L),
                  g.constant("ends", Long.MAX_VALUE),
                  g.constant("first", 0L)));
          weight(g, "b", 16);
          g.node("Mul", "rb", List.of("b", g.constant("half", Tensor.full(F32, 0.5))));
          g.node("Concat", "b2", List.of("b", "rb"), attribute("axis", 0L));
          g.node("Reshape", "B", List.of("b2", g.constant("as", 1L, -1L)));
          g.node(
              "LSTM",
              "lstm",
              List.of("x", "W", "R", "B"),
              List.of("Y"),
              List.of(attribute("hidden_size", 4L)));
          g.node("Squeeze", "y", List.of("Y", g.constant("axes", 1L)));
        });
    var graph = Agreement.check(file, Map.of("x", normal(6, 2, 3)));
    assertThat(graph.chain().layers()).hasSize(1);
    assertThat(graph.chain().layers().getFirst()).isInstanceOf(Recurrent.class);
  }

  @Test
  void weightsThatDependOnAnInputSayWhich() {
    var file =
        graph(g -> {
          g.input("w", DataType.FLOAT, 16, 3);
          g.node("Unsqueeze", "W", List.of("w", g.constant("front", 0L)));
          g.node("LSTM", "y", List.of("x", "W", weight(g, "R", 1, 16, 4)));
        });
    assertThatThrownBy(() -> Onnx.parse(file))
        .isInstanceOf(OnnxException.class)
        .hasMessageContaining(
            "node 'y' (LSTM): W, 'W', is not a tensor of the file and not computed from such alone,"
                + " but depends on an input of the graph; write the weights into the file");
  }

  /** Half as large, and made FLOAT before anything is computed. */
  @ParameterizedTest
  @ValueSource(strings = {"FLOAT16", "BFLOAT16"})
  void weightsOfHalfTheBits(String name) {
    var type = DataType.valueOf(name);
    check(g -> {
      half(g, "half", type, 3, 5);
      g.node("Cast", "w", List.of("half"), attribute("to", (long) DataType.FLOAT.code()));
      g.node("MatMul", "y", List.of("x", "w"));
    });
  }

  private void half(GraphWriter g, String name, DataType type, int... dims) {
    Tensor values = normal(dims);
    var bytes = ByteBuffer.allocate((int) values.size() * 2).order(ByteOrder.LITTLE_ENDIAN);
    for (var value : values.toFloatArray()) {
      bytes.putShort(
          type == DataType.FLOAT16
              ? Float.floatToFloat16(value)
              : (short) (Float.floatToRawIntBits(value) >>> Short.SIZE));
    }
    g.raw(name, type, Shape.of(dims), bytes.array());
  }

  @Test
  void aCastThatChangesNumbersIsComputed() {
    check(g -> {
      g.node("Cast", "whole", List.of("x"), attribute("to", (long) DataType.INT32.code()));
      g.node("Cast", "cut", List.of("whole"), attribute("to", (long) DataType.FLOAT.code()));
      lstm(g, "lstm", "cut", "forward");
      g.node("Squeeze", "y", List.of("lstm.Y", g.constant("axes", 1L)));
    });
    check(g -> {
      g.node("Cast", "truth", List.of("x"), attribute("to", (long) DataType.BOOL.code()));
      g.node("Cast", "y", List.of("truth"), attribute("to", (long) DataType.FLOAT.code()));
    });
    var rounded =
        graph(g -> {
          g.node("Cast", "half", List.of("x"), attribute("to", (long) DataType.FLOAT16.code()));
          g.node("Cast", "y", List.of("half"), attribute("to", (long) DataType.FLOAT.code()));
        });
    assertThatThrownBy(() -> Onnx.parse(rounded).apply(normal(2, 2, 3)))
        .hasMessageContaining("numbers are rounded to FLOAT16");
    var bytes = graph(g -> g.node("Cast", "y", List.of("x"), attribute("to", 2L)));
    assertThatThrownBy(() -> Onnx.parse(bytes)).hasMessageContaining("element type 2");
  }

  @Test
  void tensorsBesideTheModel() throws IOException {
    Tensor w = normal(3, 5);
    var floats = ByteBuffer.allocate(4 + 60).order(ByteOrder.LITTLE_ENDIAN).putInt(7);
    for (var value : w.toFloatArray()) {
      floats.putFloat(value);
    }
    Files.write(folder.resolve("weights.bin"), floats.array());
    Tensor x = normal(6, 2, 3);
    Tensor y = Onnx.load(external("weights.bin", "4", "60")).apply(x);
    assertThat(y.sub(x.matmul(w)).abs().max().item()).isLessThan(1e-6);
    refuses(external("weights.bin", "8", "60"), "of 64 bytes, from which 60 at 8");
    refuses(external("weights.bin", "0", "64"), "has 64 bytes there, 60 are needed");
    refuses(external("../weights.bin", "4", "60"), "outside of the model's folder");
    refuses(external("/etc/hostname", "0", "60"), "outside of the model's folder");
    refuses(external("none.bin", "4", "60"), "and there is no such file");
    var outside = Files.createTempFile("outside", ".bin");
    try {
      Files.write(outside, floats.array());
      Files.createSymbolicLink(folder.resolve("link.bin"), outside);
      refuses(external("link.bin", "4", "60"), "a link to outside");
    } finally {
      Files.delete(outside);
    }
  }

  private static void refuses(Path file, String message) {
    assertThatThrownBy(() -> Onnx.load(file))
        .isInstanceOf(OnnxException.class)
        .hasMessageContaining(message);
  }

  private Path external(String location, String offset, String length) throws IOException {
    var tensor = new WireWriter().integer(1, 3).integer(1, 5).integer(2, 1).text(8, "w");
    tensor.message(13, new WireWriter().text(1, "location").text(2, location));
    tensor.message(13, new WireWriter().text(1, "offset").text(2, offset));
    tensor.message(13, new WireWriter().text(1, "length").text(2, length)).integer(14, 1);
    var node = new WireWriter().text(1, "x").text(1, "w").text(2, "y").text(4, "MatMul");
    var graph =
        new WireWriter()
            .message(1, node)
            .message(5, tensor)
            .message(11, new WireWriter().text(1, "x"))
            .message(12, new WireWriter().text(1, "y"));
    var file = folder.resolve("model.onnx");
    Files.write(
        file,
        Operators.bytes(
            new WireWriter().message(7, graph).message(8, new WireWriter().integer(2, 17))));
    return file;
  }

  @Test
  void aSoftmaxBeforeOpset13FoldsAllAxesFromOneOn() {
    for (int axis = 0; axis < 3; axis++) {
      long at = (long) axis;
      var g = new GraphWriter();
      g.input("x", DataType.FLOAT, "T", "N", 3);
      g.node("Tanh", "t", List.of("x"));
      g.node("Softmax", "y", List.of("t"), attribute("axis", at));
      g.output("y", DataType.FLOAT, (Object[]) null);
      Agreement.check(Operators.bytes(g.model(12)), Map.of("x", normal(6, 2, 3)));
    }
  }
}
