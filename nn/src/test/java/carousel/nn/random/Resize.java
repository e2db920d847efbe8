package carousel.nn.random;

import java.util.List;

/**
 * Another number for every size of a program: so many times one width, and a rest.
 *
 * @param from a width
 * @param to what becomes of it
 */
record Resize(int from, int to) {
  int of(int size) {
    int rest = size % from;
    return size < 0 ? size : size / from * to + Math.min(rest, Math.max(0, to - 1));
  }

  /** Sizes of a tensor, none of which vanishes. */
  List<Integer> dims(List<Integer> dims) {
    return dims.stream().map(d -> d <= 0 ? d : Math.max(1, of(d))).toList();
  }

  Graph graph(Graph graph) {
    return CellShrink.mapped(graph, this::node);
  }

  private Node node(Node node) {
    return switch (node) {
      case Node.Made(var pattern, int columns, double value) ->
          new Node.Made(pattern, of(columns), value);
      case Node.Split(int x, int at, int index) -> new Node.Split(x, of(at), index);
      case Node.Narrow(int x, int start, int length) -> new Node.Narrow(x, of(start), of(length));
      case Node.Expanded(int x, int columns) -> new Node.Expanded(x, of(columns));
      default -> node;
    };
  }
}
