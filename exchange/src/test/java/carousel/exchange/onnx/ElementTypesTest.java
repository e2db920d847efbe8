package carousel.exchange.onnx;

import static carousel.exchange.onnx.GraphWriter.attribute;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.onnxruntime.OrtException;
import carousel.tensor.DType;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import carousel.tensor.TensorException;
import carousel.tensor.TensorScope;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * What is saved and read again has the element types that it had: of every operator and type that runs
 * here, and of casts between all of them. ONNX Runtime runs what is written wherever it runs the original.
 */
class ElementTypesTest {
  private static final int WIDTH = 3;

  @ParameterizedTest
  @EnumSource(names = {"FLOAT", "DOUBLE", "INT32", "INT64", "BOOL"})
  void everyOperator(DataType type) throws OrtException {
    int ran = 0;
    for (var operator : Semantics.names()) {
      if (List.of("Cast", "Range").contains(operator)) {
        continue;
      } // below; of scalars
      try (var scope = TensorScope.open()) {
        ran += check(type, operator, g -> node(g, operator)) ? 1 : 0;
      }
    }
    assertThat(ran).isGreaterThan(15);
  }

  @ParameterizedTest
  @EnumSource(names = {"FLOAT", "DOUBLE", "INT32", "INT64", "BOOL"})
  void everyCast(DataType type) throws OrtException {
    for (var to :
        List.of(DataType.FLOAT, DataType.DOUBLE, DataType.INT32, DataType.INT64, DataType.BOOL)) {
      try (var scope = TensorScope.open()) {
        assertThat(check(type, "to " + to, g -> cast(g, "x", "y", to))).isTrue();
        Consumer<GraphWriter> back =
            g -> {
              cast(g, "x", "other", to);
              cast(g, "other", "y", type);
            };
        assertThat(check(type, "to and from " + to, back)).isTrue();
        // Before what wants a type of its own.
        Consumer<GraphWriter> sum =
            g -> {
              cast(g, "x", "other", to);
              cast(g, "other", "same", to);
              g.node(
                  "Where",
                  "y",
                  List.of(g.constant("c", DataType.BOOL, Tensor.of(true)), "same", "other"));
            };
        assertThat(check(type, "where " + to, sum)).isTrue();
      }
    }
  }

  private static void cast(GraphWriter g, String from, String to, DataType type) {
    g.node("Cast", to, List.of(from), attribute("to", (long) type.code()));
  }

  private static void node(GraphWriter g, String operator) {
    switch (operator) {
      case "Concat" -> g.node(operator, "y", List.of("x", "x"), attribute("axis", 0L));
      case "Reshape" -> g.node(operator, "y", List.of("x", g.constant("n", 1L, 9L)));
      case "Expand" -> g.node(operator, "y", List.of("x", g.constant("n", 2L, 3L, 3L)));
      case "Unsqueeze" -> g.node(operator, "y", List.of("x", g.constant("n", 0L)));
      case "Gather" -> g.node(operator, "y", List.of("x", g.constant("n", 1L, -1L)));
      case "Slice" -> g.node(operator, "y", List.of("x", g.constant("a", 1L), g.constant("b", 3L)));
      case "Where" ->
          g.node(
              operator,
              "y",
              List.of(g.constant("c", DataType.BOOL, Tensor.of(true, false, true)), "x", "x"));
      default -> {
        var from = new ArrayList<String>();
        for (int i = 0; i < Semantics.of(operator).least(); i++) {
          from.add("x");
        }
        g.node(operator, "y", from);
      }
    }
  }

  private static Tensor y(Map<String, Tensor> outputs) {
    return requireNonNull(outputs.get("y"));
  }

  /** Whether it runs here. */
  private static boolean check(DataType type, String what, Consumer<GraphWriter> body)
      throws OrtException {
    var g = new GraphWriter();
    g.input("x", type, WIDTH, WIDTH);
    body.accept(g);
    Tensor x =
        Tensor.of(
            DType.F64, Shape.of(WIDTH, WIDTH), new double[] {1, 2, 3, 4, 1.0 / 3, 6, 7, 1, 8});
    var in =
        Map.of(
            "x",
            switch (type) {
              case BOOL -> x.gt(3);
              case INT32, INT64 -> x.add(1).cast(DType.I32);
              default -> x.cast(type.dtype());
            });
    byte[] file = null;
    Map<String, Tensor> theirs = null;
    // The type of y is what ONNX Runtime says it is: it refuses all others.
    for (var output :
        List.of(
            type, DataType.FLOAT, DataType.DOUBLE, DataType.INT32, DataType.INT64, DataType.BOOL)) {
      var candidate = new GraphWriter();
      candidate.input("x", type, WIDTH, WIDTH);
      body.accept(candidate);
      candidate.output("y", output, (Object[]) null);
      try {
        theirs = OnnxRuntime.tried(Operators.bytes(candidate.model()), in);
        file = Operators.bytes(candidate.model());
        break;
      } catch (OrtException e) {
        // the next, or it has no kernel for this
      }
    }
    if (file == null || theirs == null) {
      g.output("y", type, (Object[]) null);
      file = Operators.bytes(g.model());
    }
    Map<String, Tensor> ours;
    try {
      ours = Onnx.parse(file).run(in);
    } catch (TensorException | OnnxException e) {
      return false; // refused
    }
    var written = Agreement.written(Onnx.parse(file));
    var again = Onnx.parse(written).run(in);
    assertThat(y(again).dtype()).as(what).isEqualTo(y(ours).dtype());
    assertThat(y(again).sameValues(y(ours))).as(what).isTrue();
    if (theirs == null) {
      return true;
    }
    assertThat(y(ours).dtype()).as(what).isEqualTo(y(theirs).dtype());
    try {
      Agreement.same(ours, theirs);
      Agreement.same(OnnxRuntime.tried(written, in), theirs);
    } catch (AssertionError e) {
      throw new AssertionError(what, e);
    }
    return true;
  }

  /** What no FLOAT holds is infinite after a cast, before a save and after it. */
  @Test
  void aDoubleThatIsCastBeforeAProduct() {
    try (var scope = TensorScope.open()) {
      var g = new GraphWriter();
      g.input("x", DataType.DOUBLE, 2);
      cast(g, "x", "y", DataType.FLOAT);
      g.output("y", DataType.FLOAT, 2);
      Tensor x = Tensor.of(DType.F64, Shape.of(2), new double[] {1e300, 1.0 / 3});
      var graph = Agreement.check(Operators.bytes(g.model()), Map.of("x", x));
      assertThat(graph.apply(x).toDoubleArray()).containsExactly(Double.POSITIVE_INFINITY, 1f / 3);
      assertThat(Onnx.parse(Agreement.written(graph)).inputs().getFirst().type())
          .isEqualTo(DataType.DOUBLE);

      var product = new GraphWriter();
      product.input("x", DataType.DOUBLE, "N", 2);
      cast(product, "x", "f", DataType.FLOAT);
      product.node(
          "MatMul", "y", List.of("f", product.constant("w", Tensor.of(Shape.of(2, 1), 2f, 3f))));
      product.output("y", DataType.FLOAT, "N", 1);
      Agreement.check(Operators.bytes(product.model()), Map.of("x", x.reshape(1, 2).clamp(-5, 5)));
    }
  }

  @Test
  void inputsAreWhatIsDeclared() {
    try (var scope = TensorScope.open()) {
      var draft = new Draft();
      draft.output(
          "y",
          draft.add(Operation.of("Tanh", 1, Map.of()), draft.input("x", DataType.FLOAT, "N", "5")));
      var graph = draft.graph();
      assertThat(graph.apply(Tensor.zeros(DType.F32, 7, 5)).shape()).isEqualTo(Shape.of(7, 5));
      for (var wrong :
          List.of(
              Tensor.zeros(DType.F64, 2, 5),
              Tensor.zeros(DType.I32, 2, 5),
              Tensor.zeros(DType.F32, 2, 7),
              Tensor.zeros(DType.F32, 5),
              Tensor.zeros(DType.F32, 1, 2, 5))) {
        assertThatThrownBy(() -> graph.apply(wrong))
            .isInstanceOf(TensorException.class)
            .hasMessage(
                "graph: input 'x' is FLOAT [N, 5], got " + wrong.dtype() + " " + wrong.shape());
      }
    }
  }
}
