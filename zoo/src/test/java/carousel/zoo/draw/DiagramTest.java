package carousel.zoo.draw;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carousel.zoo.draw.Diagram.Edge;
import carousel.zoo.draw.Diagram.Node;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class DiagramTest {
  private static Diagram of(String nodes, String... edges) {
    var boxes = new ArrayList<Node>();
    for (var id : nodes.split("", -1)) {
      if (!id.isEmpty()) {
        boxes.add(new Node(id, id, NodeKind.OPERATION, ""));
      }
    }
    var arrows = new ArrayList<Edge>();
    for (var edge : edges) {
      arrows.add(new Edge(edge.substring(0, 1), edge.substring(1), ""));
    }
    return new Diagram("test", boxes, arrows);
  }

  @Test
  void refusesWhatIsNoGraph() {
    assertThatThrownBy(() -> of("aba")).hasMessage("diagram: two nodes have the id \"a\"");
    assertThatThrownBy(() -> of("ab", "ac"))
        .hasMessage("diagram: the edge from \"a\" to \"c\" ends nowhere: there is no node \"c\"");
    assertThatThrownBy(() -> of("ab", "ca")).hasMessageContaining("there is no node \"c\"");
  }

  @Test
  void refusesCyclesAndNamesANodeOnOne() {
    assertThatThrownBy(() -> of("a", "aa")).hasMessage("diagram: it has a cycle through \"a\"");
    // a → b → c → b, and d behind the cycle: neither a nor d is on it.
    assertThatThrownBy(() -> of("abcd", "ab", "bc", "cb", "cd"))
        .message()
        .matches("diagram: it has a cycle through \"[bc]\"");
    assertThat(of("abc", "ab", "bc", "ac", "ac").edges()).hasSize(4);
  }

  @Test
  void parallelEdgesAreOneArrowWithAllLabels() {
    var nodes =
        List.of(
            new Node("x", "x", NodeKind.INPUT, ""), new Node("y", "mul", NodeKind.OPERATION, ""));
    var edges = List.of(new Edge("x", "y", "a"), new Edge("x", "y", ""), new Edge("x", "y", "b"));
    assertThat(new Diagram("", nodes, edges).withoutParallelEdges().edges())
        .containsExactly(new Edge("x", "y", "a, b"));
  }

  @Test
  void dotHoldsEveryNodeAndEdge() {
    var diagram =
        new Diagram(
            "a \"small\" graph",
            List.of(
                new Node("1", "x", NodeKind.INPUT, "[N,D]"),
                new Node("2", "tanh\\", NodeKind.OPERATION, "")),
            List.of(new Edge("1", "2", "z"), new Edge("1", "2", "")));
    assertThat(Dot.write(diagram))
        .isEqualTo(
            """
            digraph {
              label="a \\"small\\" graph"; labelloc=t; fontname=Helvetica;
              node [fontname=Helvetica, fontsize=11, margin="0.12,0.05"];
              edge [fontname=Helvetica, fontsize=9, arrowsize=0.7];
              "1" [label="x\\n[N,D]", shape=box, style="filled,rounded", fillcolor="#dcebf9", color="#2f6ea8"];
              "2" [label="tanh\\\\", shape=box, style="filled", fillcolor="#f7f7f7", color="#6b6b6b"];
              "1" -> "2" [label="z"];
              "1" -> "2";
            }
            """);
  }
}
