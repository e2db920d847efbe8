package carousel.exchange.onnx;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carousel.nn.layer.Linear;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Files that are damaged, or made to do harm, end in one exception that says what is wrong. */
class HostileFilesTest {
  @TempDir Path folder;

  /** A model of one product, the weight of which a test may spoil. */
  private static byte[] model(Consumer<WireWriter> weight) {
    var tensor = new WireWriter().text(8, "w");
    weight.accept(tensor);
    var node = new WireWriter().text(1, "x").text(1, "w").text(2, "y").text(4, "MatMul");
    var graph =
        new WireWriter()
            .message(1, node)
            .message(5, tensor)
            .message(11, new WireWriter().text(1, "x"))
            .message(12, new WireWriter().text(1, "y"));
    return Operators.bytes(
        new WireWriter().message(7, graph).message(8, new WireWriter().integer(2, 17)));
  }

  private static WireWriter dims(WireWriter tensor, long... dims) {
    for (var dim : dims) {
      tensor.integer(1, dim);
    }
    return tensor.integer(2, 1);
  }

  private static void refuses(byte[] file, String message) {
    try (var scope = TensorScope.open()) {
      assertThatThrownBy(() -> Onnx.parse(file))
          .isInstanceOf(OnnxException.class)
          .hasMessageContaining(message);
    }
  }

  @Test
  void theModelIsSoundBeforeItIsSpoilt() {
    try (var scope = TensorScope.open()) {
      var chain = Onnx.parse(model(t -> dims(t, 2, 1).bytes(9, new byte[8]))).chain();
      assertThat(chain.layers().getFirst()).isInstanceOf(Linear.class);
    }
  }

  @Test
  void shapesAreCountedBeforeAnythingIsAllocated() {
    refuses(model(t -> dims(t, 2, 2).bytes(9, new byte[8])), "has 8 bytes where 16 are needed");
    refuses(model(t -> dims(t, 1L << 20, 1L << 20)), "is larger than any file");
    refuses(model(t -> dims(t, 1L << 40)), "has an axis of 1099511627776");
    refuses(model(t -> dims(t, -1)), "has an axis of -1");
    refuses(model(t -> dims(t, 0, 1L << 30)), "where 2 axes are wanted");
    refuses(model(t -> dims(t, new long[40])), "more than 16 axes");
    refuses(model(t -> dims(t, 2, 1).bytes(9, new byte[8]).bytes(4, new byte[8])), "twice");
    refuses(model(t -> dims(t, 2, 1).bytes(10, new byte[8])), "lists values of another");
    refuses(
        model(t -> t.integer(1, 1).integer(1, 1).integer(2, 14).bytes(9, new byte[8])),
        "element type 14");
  }

  @Test
  void noOtherFileIsEverOpened() {
    refuses(
        model(t ->
            dims(t, 2, 1)
                .message(13, new WireWriter().text(1, "location").text(2, "../../etc/passwd"))
                .integer(14, 1)),
        "tensor 'w' lies in another file");
    refuses(model(t -> dims(t, 2, 1).bytes(9, new byte[8]).integer(14, 1)), "lies in another file");
  }

  @Test
  void lengthsThatAreLies() {
    refuses(new byte[0], "it holds no graph");
    refuses(new byte[] {0x3A, 0x7F}, "a length of 127 where 0 bytes are left");
    refuses(
        bytes(0x3A, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1),
        "a length of 18446744073709551615");
    refuses(bytes(0x08, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1), "more than 10 bytes");
    refuses(bytes(0x08, 0x80), "truncated inside of a number");
    refuses(bytes(0x0B, 0x0C), "a value of wire type 3");
    refuses(bytes(0x02, 0x00), "a field number of 0");
    refuses(bytes(0x35, 1, 2), "2 bytes left of 4");
    refuses(bytes(0x38, 1), "wire type 0 where 2 is meant");
    refuses("{\"not\": \"onnx\"}".getBytes(StandardCharsets.UTF_8), "protobuf");
  }

  private static byte[] bytes(int... values) {
    var bytes = new byte[values.length];
    for (int i = 0; i < bytes.length; i++) {
      bytes[i] = (byte) values[i];
    }
    return bytes;
  }

  @Test
  void aFileOfNothingButParts() {
    var graph = new byte[2_100_000]; // a million nodes of no bytes
    for (int i = 0; i < graph.length; i += 2) {
      graph[i] = 0x0A;
    }
    refuses(Operators.bytes(new WireWriter().bytes(7, graph)), "more than 1000000 parts");
  }

  @Test
  void oneWeightInAThousandNodes() {
    try (var scope = TensorScope.open()) {
      var g = new GraphWriter();
      g.input("x", DataType.FLOAT, "T", "N", 50);
      g.constant("w", Tensor.zeros(50, 50));
      String from = "x";
      for (int i = 0; i < 1000; i++) {
        from = g.node("MatMul", "y" + i, List.of(from, "w"));
      }
      g.output(from, DataType.FLOAT, "T", "N", 50);
      refuses(Operators.bytes(g.model()), "this is no model");
    }
  }

  @Test
  void aNameThatWouldSpoilTheTerminal() {
    String evil = "\u001b[2J" + "x".repeat(1000);
    var node = new WireWriter().text(1, evil).text(2, "y").text(4, "MatMul");
    var graph = new WireWriter().message(1, node);
    var file =
        Operators.bytes(
            new WireWriter().message(7, graph).message(8, new WireWriter().integer(2, 17)));
    try (var scope = TensorScope.open()) {
      assertThatThrownBy(() -> Onnx.parse(file))
          .isInstanceOf(OnnxException.class)
          .satisfies(e -> assertThat(e.getMessage()).doesNotContain("\u001b").hasSizeLessThan(300));
    }
  }

  @Test
  void filesThatAreNotThere() throws IOException {
    try (var scope = TensorScope.open()) {
      load();
    }
  }

  private void load() throws IOException {
    assertThatThrownBy(() -> Onnx.load(folder.resolve("none.onnx")))
        .isInstanceOf(OnnxException.class)
        .hasMessageEndingWith("none.onnx: there is no such file");
    assertThatThrownBy(() -> Onnx.load(folder)).isInstanceOf(OnnxException.class);
    var old = folder.resolve("old.onnx");
    Files.write(old, Operators.bytes(new WireWriter().message(7, new WireWriter())));
    assertThatThrownBy(() -> Onnx.load(old))
        .isInstanceOf(OnnxException.class)
        .hasMessageContaining("the operators are those of version 0");
  }
}
