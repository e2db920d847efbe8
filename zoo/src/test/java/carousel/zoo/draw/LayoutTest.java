package carousel.zoo.draw;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import carousel.tensor.Philox;
import carousel.zoo.draw.Diagram.Edge;
import carousel.zoo.draw.Diagram.Node;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Objects;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class LayoutTest {
  static Stream<Diagram> diagrams() {
    return Stream.concat(
        Stream.of(LstmDiagram.peephole()),
        IntStream.of(1, 2, 3, 7, 20, 60, 120).mapToObj(n -> RandomDiagram.of(n, n)));
  }

  private static List<Integer> layerOf(LayerGraph graph) {
    var layerOf = new Integer[graph.size()];
    for (int l = 0; l < graph.layers().size(); l++) {
      for (var v : graph.layers().get(l)) {
        layerOf[v] = l;
      }
    }
    return List.of(layerOf);
  }

  @ParameterizedTest
  @MethodSource("diagrams")
  void edgesRunDownThroughEveryLayerBetween(Diagram diagram) {
    var graph = LayerGraph.of(diagram);
    var layerOf = layerOf(graph);
    assertThat(graph.chains()).hasSameSizeAs(diagram.edges());
    for (var chain : graph.chains()) {
      for (int i = 1; i < chain.size(); i++) {
        assertThat(layerOf.get(chain.get(i))).isEqualTo(layerOf.get(chain.get(i - 1)) + 1);
        assertThat(graph.below(chain.get(i - 1))).contains(chain.get(i));
        assertThat(graph.above(chain.get(i))).contains(chain.get(i - 1));
      }
      assertThat(chain.subList(1, chain.size() - 1)).allMatch(graph::isBend);
      assertThat(graph.isBend(chain.getFirst()) || graph.isBend(chain.getLast())).isFalse();
    }
    assertThat(graph.layers()).noneMatch(List::isEmpty);
  }

  @Test
  void aParameterStandsRightAboveItsUse() {
    var diagram =
        new Diagram(
            "",
            Stream.of("a", "b", "c", "w").map(id -> new Node(id, id, NodeKind.INPUT, "")).toList(),
            List.of(new Edge("a", "b", ""), new Edge("b", "c", ""), new Edge("w", "c", "")));
    var layerOf = layerOf(LayerGraph.of(diagram));
    assertThat(layerOf).containsExactly(0, 1, 2, 1);
  }

  @ParameterizedTest
  @MethodSource("diagrams")
  void countsCrossingsAsTheirDefinitionDoes(Diagram diagram) {
    var graph = LayerGraph.of(diagram);
    assertThat(Crossings.count(graph)).isEqualTo(crossings(graph));
    Crossings.reduce(graph);
    assertThat(Crossings.count(graph)).isEqualTo(crossings(graph));
  }

  private static int crossings(LayerGraph graph) {
    var place = new HashMap<Integer, Integer>();
    for (var layer : graph.layers()) {
      for (int i = 0; i < layer.size(); i++) {
        place.put(layer.get(i), i);
      }
    }
    int count = 0;
    for (var layer : graph.layers()) {
      var edges = new ArrayList<int[]>();
      for (var v : layer) {
        for (var u : graph.above(v)) {
          edges.add(new int[] {place.getOrDefault(u, -1), place.getOrDefault(v, -1)});
        }
      }
      for (var a : edges) {
        for (var b : edges) {
          if (a[0] < b[0] && a[1] > b[1]) {
            count++;
          }
        }
      }
    }
    return count;
  }

  @ParameterizedTest
  @MethodSource("diagrams")
  void reorderingRemovesCrossingsAndNothingElse(Diagram diagram) {
    var graph = LayerGraph.of(diagram);
    int before = Crossings.count(graph);
    var layers = graph.layers().stream().map(layer -> layer.stream().sorted().toList()).toList();
    Crossings.reduce(graph);
    assertThat(Crossings.count(graph)).isLessThanOrEqualTo(before);
    assertThat(graph.layers().stream().map(layer -> layer.stream().sorted().toList()).toList())
        .isEqualTo(layers);
  }

  @Test
  void aTreeHasNoCrossings() {
    var nodes = new ArrayList<Node>();
    var edges = new ArrayList<Edge>();
    var random = Philox.of(2);
    for (int i = 0; i < 60; i++) {
      nodes.add(new Node("n" + i, "n", NodeKind.OPERATION, ""));
      if (i > 0) {
        edges.add(new Edge("n" + random.nextInt(i), "n" + i, ""));
      }
    }
    var graph = LayerGraph.of(new Diagram("tree", nodes, edges));
    assertThat(Crossings.count(graph)).isPositive();
    Crossings.reduce(graph);
    assertThat(Crossings.count(graph)).isZero();
  }

  @Test
  void theLstmIsUntangled() {
    var graph = LayerGraph.of(LstmDiagram.peephole());
    int before = Crossings.count(graph);
    Crossings.reduce(graph);
    assertThat(Crossings.count(graph)).isLessThan(before / 3);
  }

  @Test
  void isotonicRegressionMeetsItsConditions() {
    assertThat(Columns.isotonic(new double[] {3, 1, 2, 7, 5}, new double[] {1, 1, 1, 1, 3}))
        .containsExactly(new double[] {2, 2, 2, 5.5, 5.5}, within(1e-12));
    var random = Philox.of(8);
    for (int round = 0; round < 200; round++) {
      int n = 1 + random.nextInt(12);
      var a = new double[n];
      var w = new double[n];
      for (int i = 0; i < n; i++) {
        a[i] = random.nextDouble();
        w[i] = 0.1 + random.nextDouble();
      }
      var y = Columns.isotonic(a, w);
      assertThat(y).isSorted();
      // Optimal if and only if no tail of a level could move up, no head down, and their sum rests.
      for (int i = 0, j; i < n; i = j) {
        double slack = 0.0;
        for (j = i; j < n && y[j] == y[i]; j++) {
          slack += w[j] * (a[j] - y[j]);
          assertThat(slack).isGreaterThan(-1e-12);
        }
        assertThat(slack).isCloseTo(0, within(1e-12));
      }
    }
  }

  @ParameterizedTest
  @MethodSource("diagrams")
  void boxesStandApartInsideTheDrawing(Diagram diagram) {
    var layout = LayeredLayout.of(diagram);
    assertThat(layout.boxes()).hasSameSizeAs(diagram.nodes());
    for (var a : layout.boxes()) {
      assertThat(a.x() - a.width() / 2).isGreaterThan(-1e-6);
      assertThat(a.x() + a.width() / 2).isLessThan(layout.width() + 1e-6);
      assertThat(a.top()).isGreaterThan(-1e-6);
      assertThat(a.bottom()).isLessThan(layout.height() + 1e-6);
      for (var b : layout.boxes()) {
        if (a.node().equals(b.node())) {
          continue;
        }
        boolean besides = Math.abs(a.x() - b.x()) >= (a.width() + b.width()) / 2 + 9;
        boolean over = Math.abs(a.y() - b.y()) >= (a.height() + b.height()) / 2 + 9;
        assertThat(besides || over).as("%s and %s", a, b).isTrue();
      }
    }
  }

  @ParameterizedTest
  @MethodSource("diagrams")
  void arrowsJoinTheirBoxesAndAvoidTheOthers(Diagram diagram) {
    var layout = LayeredLayout.of(diagram);
    var boxes = new HashMap<String, LayeredLayout.Box>();
    for (var box : layout.boxes()) {
      boxes.put(box.node().id(), box);
    }
    for (var route : layout.routes()) {
      var from = Objects.requireNonNull(boxes.get(route.edge().from()));
      var to = Objects.requireNonNull(boxes.get(route.edge().to()));
      var first = route.pieces().getFirst();
      var last = route.pieces().getLast();
      assertThat(first.top()).isEqualTo(from.bottom());
      assertThat(Math.abs(first.x() - from.x())).isLessThan(from.width() / 2 - 10);
      assertThat(last.bottom()).isEqualTo(to.top());
      assertThat(Math.abs(last.x() - to.x())).isLessThan(to.width() / 2 - 10);
      double y = first.top();
      for (var piece : route.pieces()) {
        assertThat(piece.top()).isGreaterThanOrEqualTo(y - 1e-9);
        assertThat(piece.bottom()).isGreaterThanOrEqualTo(piece.top() - 1e-9);
        y = piece.bottom();
        for (var box : layout.boxes()) {
          boolean beside = Math.abs(piece.x() - box.x()) >= box.width() / 2 + 4;
          boolean over = piece.bottom() <= box.top() + 1e-9 || piece.top() >= box.bottom() - 1e-9;
          assertThat(beside || over).as("%s through %s", route.edge(), box).isTrue();
        }
      }
    }
  }

  @Test
  void drawsTheSameGraphTheSameWay() {
    assertThat(Svg.write(LstmDiagram.peephole())).isEqualTo(Svg.write(LstmDiagram.peephole()));
  }
}
