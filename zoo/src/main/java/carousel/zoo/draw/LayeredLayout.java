package carousel.zoo.draw;

import carousel.zoo.draw.Diagram.Edge;
import carousel.zoo.draw.Diagram.Node;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Where the boxes and arrows of a diagram lie, in pixels: edges run from top to bottom, through
 * layers that {@link LayerGraph} cuts, {@link Crossings} orders and {@link Columns} places.
 *
 * @param width of the whole drawing
 * @param height of the whole drawing
 * @param boxes one per node, in the order of the diagram
 * @param routes one per edge, in the order of the diagram
 */
record LayeredLayout(double width, double height, List<Box> boxes, List<Route> routes) {
  static final double LABEL_SIZE = 13;
  static final double DETAIL_SIZE = 10.5;

  private static final double PADDING = 11;
  private static final double LEAST_WIDTH = 44;
  private static final double COLUMN_GAP = 18;
  private static final double LEAST_ROW_GAP = 36;
  private static final double MOST_ROW_GAP = 96;
  private static final double PORT_GAP = 11;
  private static final double PORT_MARGIN = 11;

  /** A node: the centre of the box, and its size. */
  record Box(Node node, double x, double y, double width, double height) {
    double top() {
      return y - height / 2;
    }

    double bottom() {
      return y + height / 2;
    }
  }

  /** An edge as vertical pieces from top to bottom; from one to the next it is a curve. */
  record Route(Edge edge, List<Piece> pieces) {}

  /** A vertical piece of an edge; of no height where a curve meets a curve. */
  record Piece(double x, double top, double bottom) {}

  /** Lays out a diagram. */
  static LayeredLayout of(Diagram diagram) {
    var graph = LayerGraph.of(diagram);
    Crossings.reduce(graph);
    var widths = new double[graph.size()];
    for (int v = 0; v < diagram.nodes().size(); v++) {
      widths[v] = width(diagram.nodes().get(v));
    }
    var x = Columns.place(graph, widths, COLUMN_GAP);
    return new Assembly(diagram, graph, widths, x).layout();
  }

  private static double width(Node node) {
    double label = TextWidth.of(node.label(), LABEL_SIZE);
    double detail = TextWidth.of(node.detail(), DETAIL_SIZE);
    return Math.max(LEAST_WIDTH, Math.max(label, detail) + 2 * PADDING);
  }

  private static double height(Node node) {
    return node.detail().isEmpty() ? 26 : 38;
  }

  /** Puts heights to the columns and ends to the edges. */
  private static final class Assembly {
    private final Diagram diagram;
    private final LayerGraph graph;
    private final double[] widths;
    private final double[] x;
    private final double[] bandTop;
    private final double[] bandBottom;
    private final int[] layerOf;
    private final Map<Long, Double> ports = new HashMap<>();

    Assembly(Diagram diagram, LayerGraph graph, double[] widths, double[] x) {
      this.diagram = diagram;
      this.graph = graph;
      this.widths = widths;
      this.x = x;
      this.bandTop = new double[graph.layers().size()];
      this.bandBottom = new double[graph.layers().size()];
      this.layerOf = new int[graph.size()];
    }

    LayeredLayout layout() {
      for (int v = 0; v < diagram.nodes().size(); v++) {
        place(v, graph.above(v), true);
        place(v, graph.below(v), false);
      }
      stackBands();
      var boxes = new ArrayList<Box>();
      for (int v = 0; v < diagram.nodes().size(); v++) {
        double middle = (bandTop[layerOf[v]] + bandBottom[layerOf[v]]) / 2;
        var node = diagram.nodes().get(v);
        boxes.add(new Box(node, x[v], middle, widths[v], height(node)));
      }
      var routes = new ArrayList<Route>();
      for (int e = 0; e < diagram.edges().size(); e++) {
        routes.add(new Route(diagram.edges().get(e), pieces(graph.chains().get(e), boxes)));
      }
      double width = 0.0;
      for (int v = 0; v < x.length; v++) {
        width = Math.max(width, x[v] + widths[v] / 2);
      }
      double height = bandBottom.length == 0 ? 0 : bandBottom[bandBottom.length - 1];
      return new LayeredLayout(width, height, boxes, routes);
    }

    /**
     * Where the edges to the neighbours on one side meet the box: as near to the neighbours'
     * columns as the box allows, in their order, a little apart.
     */
    private void place(int v, Collection<Integer> neighbours, boolean atTop) {
      var sorted = neighbours.stream().sorted(Comparator.comparingDouble(u -> x[u])).toList();
      int n = sorted.size();
      double room = widths[v] - 2 * PORT_MARGIN;
      double apart = n < 2 ? 0 : Math.min(PORT_GAP, room / (n - 1));
      double left = x[v] - room / 2;
      var wanted = new double[n];
      var weight = new double[n];
      for (int i = 0; i < n; i++) {
        wanted[i] = Math.clamp(x[sorted.get(i)], left, left + room) - i * apart;
        weight[i] = 1;
      }
      var fitted = Columns.isotonic(wanted, weight);
      for (int i = 0; i < n; i++) {
        double port = Math.clamp(fitted[i], left, left + room - (n - 1) * apart) + i * apart;
        ports.put(atTop ? key(sorted.get(i), v) : key(v, sorted.get(i)) | Long.MIN_VALUE, port);
      }
    }

    private static long key(int from, int to) {
      return (long) from << 32 | to;
    }

    private double leaves(int from, int to) {
      return graph.isBend(from)
          ? x[from]
          : ports.getOrDefault(key(from, to) | Long.MIN_VALUE, x[from]);
    }

    private double enters(int from, int to) {
      return graph.isBend(to) ? x[to] : ports.getOrDefault(key(from, to), x[to]);
    }

    /** Rows as high as their boxes, with more room between them where edges run far sideways. */
    private void stackBands() {
      double y = 0.0;
      for (int l = 0; l < bandTop.length; l++) {
        double height = 0.0;
        double farthest = 0.0;
        for (var v : graph.layers().get(l)) {
          layerOf[v] = l;
          if (!graph.isBend(v)) {
            height = Math.max(height, height(diagram.nodes().get(v)));
          }
          for (var u : graph.above(v)) {
            farthest = Math.max(farthest, Math.abs(leaves(u, v) - enters(u, v)));
          }
        }
        if (l > 0) {
          y += Math.clamp(farthest / 7, LEAST_ROW_GAP, MOST_ROW_GAP);
        }
        bandTop[l] = y;
        y += height;
        bandBottom[l] = y;
      }
    }

    private List<Piece> pieces(List<Integer> chain, List<Box> boxes) {
      var pieces = new ArrayList<Piece>();
      var from = chain.getFirst();
      pieces.add(
          new Piece(
              leaves(from, chain.get(1)), boxes.get(from).bottom(), bandBottom[layerOf[from]]));
      for (var v : chain.subList(1, chain.size() - 1)) {
        pieces.add(new Piece(x[v], bandTop[layerOf[v]], bandBottom[layerOf[v]]));
      }
      var to = chain.getLast();
      double end = enters(chain.get(chain.size() - 2), to);
      pieces.add(new Piece(end, bandTop[layerOf[to]], boxes.get(to).top()));
      return pieces;
    }
  }
}
