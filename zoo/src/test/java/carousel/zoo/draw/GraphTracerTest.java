package carousel.zoo.draw;

import static org.assertj.core.api.Assertions.assertThat;

import carousel.nn.init.Init;
import carousel.nn.recurrent.Cells;
import carousel.nn.recurrent.GatedCell;
import carousel.tensor.Philox;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import carousel.tensor.op.GateOrder;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Edges bear the names of gates, as the cell that is drawn declares them. */
class GraphTracerTest {

  @Test
  void piecesAreNamedInTheOrderThatIsDeclared() {
    var gates = GateOrder.of("o", "f", "i");
    var products = gates.without("o");
    try (var scope = TensorScope.open()) {
      var tracer = new GraphTracer(String::valueOf, List.of(gates, products));
      Tensor x = Tensor.zeros(2, 6);
      Tensor h = Tensor.zeros(2, 4);
      tracer.source(x, "X", NodeKind.INPUT);
      tracer.source(h, "H", NodeKind.INPUT);
      var labels =
          tracer.run(() -> {
            tracer.sink(gates.split(x).get("i"), "i", NodeKind.OUTPUT);
            tracer.sink(gates.split(x).get("o"), "o", NodeKind.OUTPUT);
            tracer.sink(products.split(h).get("f"), "f", NodeKind.OUTPUT);
            tracer.sink(x.chunk(6, 1).get(0), "", NodeKind.OUTPUT);
            return labels(tracer.diagram("a test"));
          });
      assertThat(labels).containsExactlyInAnyOrder("X", "H", "i", "o", "f", "");
    }
  }

  /** What goes into each result, as edges to it name it, and the inputs. */
  private static List<String> labels(Diagram diagram) {
    return diagram.nodes().stream()
        .filter(node -> node.kind() != NodeKind.OPERATION)
        .map(node -> {
          for (var edge : diagram.edges()) {
            if (edge.to().equals(node.id())) {
              assertThat(edge.label()).isEqualTo(node.label());
            }
          }
          return node.label();
        })
        .toList();
  }

  static List<String> cells() {
    return Cells.names();
  }

  @ParameterizedTest
  @MethodSource("cells")
  void everyGateOfACellIsDrawn(String name) {
    Set<String> drawn =
        StepGraph.of(name, false).edges().stream()
            .map(Diagram.Edge::label)
            .filter(label -> !label.isEmpty())
            .collect(Collectors.toSet());
    try (var scope = TensorScope.open()) {
      var cell = Cells.of(name, 2, 3, Init.zeros(), Philox.of(1));
      var gates = cell instanceof GatedCell<?> gated ? gated.gates().names() : List.<String>of();
      assertThat(drawn).containsExactlyInAnyOrderElementsOf(gates);
    }
  }
}
