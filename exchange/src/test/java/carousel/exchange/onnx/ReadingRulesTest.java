package carousel.exchange.onnx;

import static carousel.exchange.onnx.GraphWriter.attribute;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carousel.tensor.DType;
import carousel.tensor.Philox;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a file must keep to, and forms of operators that newer files have. */
class ReadingRulesTest {
  private final Philox rng = Philox.of(11);
  private TensorScope scope;

  @BeforeEach
  void open() {
    scope = TensorScope.open();
  }

  @AfterEach
  void close() {
    scope.close();
  }

  @ParameterizedTest
  @ValueSource(ints = {6, 26, 99})
  void versionsThatAreNotKnownAreRefused(int opset) {
    var g = new GraphWriter();
    g.input("x", DataType.FLOAT, 2);
    g.node("Tanh", "y", List.of("x"));
    g.output("y", DataType.FLOAT, 2);
    assertThatThrownBy(() -> Onnx.parse(Operators.bytes(g.model(opset))))
        .isInstanceOf(OnnxException.class)
        .hasMessageContaining("those of version " + opset + ", read are 7 to 25");
  }

  @ParameterizedTest
  @ValueSource(strings = {"x", "w", "a"})
  void aNameIsGivenOnce(String name) {
    var g = new GraphWriter();
    g.input("x", DataType.FLOAT, 2);
    g.constant("w", Tensor.of(1f, 2f));
    g.node("Tanh", "a", List.of("x"));
    g.node("Add", "second", List.of("a", "w"), List.of(name), List.of());
    g.output(name, DataType.FLOAT, 2);
    assertThatThrownBy(() -> Onnx.parse(Operators.bytes(g.model())))
        .isInstanceOf(OnnxException.class)
        .hasMessageContaining("gives '" + name + "', which another node, an input or a tensor");
  }

  @Test
  void productsOfVectors() {
    for (var shapes :
        List.of(
            List.of(Shape.of(3), Shape.of(3)),
            List.of(Shape.of(2, 3), Shape.of(3)),
            List.of(Shape.of(3), Shape.of(3, 4)),
            List.of(Shape.of(3), Shape.of(5, 3, 4)))) {
      var g = new GraphWriter();
      Tensor a = rng.normal(DType.F32, 0, 1, shapes.getFirst().toArray());
      Tensor b = rng.normal(DType.F32, 0, 1, shapes.getLast().toArray());
      g.input("a", DataType.FLOAT, (Object[]) null);
      g.input("b", DataType.FLOAT, (Object[]) null);
      g.node("MatMul", "y", List.of("a", "b"));
      g.output("y", DataType.FLOAT, (Object[]) null);
      Agreement.check(Operators.bytes(g.model()), Map.of("a", a, "b", b));
    }
  }

  @ParameterizedTest
  @ValueSource(longs = {0, 1})
  void theLastOfEqualMaxima(long last) {
    var g = new GraphWriter();
    g.input("x", DataType.FLOAT, 2, 4);
    g.node(
        "ArgMax", "y", List.of("x"), attribute("axis", 1L), attribute("select_last_index", last));
    g.output("y", DataType.INT64, 2, 1);
    Tensor x = Tensor.of(Shape.of(2, 4), 1f, 3f, 3f, 2f, -1f, -1f, -1f, -1f);
    Tensor y = Agreement.check(Operators.bytes(g.model()), Map.of("x", x)).apply(x);
    assertThat(y.flatten().toIntArray())
        .containsExactly(last == 0 ? new int[] {1, 0} : new int[] {2, 3});
  }

  @Test
  void equalPiecesAsNewerFilesNameThem() {
    for (var rows : List.of(6, 7)) {
      var g = new GraphWriter();
      g.input("x", DataType.FLOAT, rows, 2);
      var outputs = List.of("a", "b", "c");
      g.node("Split", "split", List.of("x"), outputs, List.of(attribute("num_outputs", 3L)));
      for (var name : outputs) {
        g.output(name, DataType.FLOAT, (Object[]) null);
      }
      var file = Operators.bytes(g.model(18));
      var in = Map.of("x", rng.normal(DType.F32, 0, 1, rows, 2));
      if (rows == 6) {
        Agreement.check(file, in);
      } else {
        assertThatThrownBy(() -> Onnx.parse(file).run(in))
            .hasMessageContaining("7 positions are not 3 equal pieces");
      }
    }
  }
}
