package carousel.zoo.draw;

import carousel.tensor.Philox;
import carousel.zoo.draw.Diagram.Edge;
import carousel.zoo.draw.Diagram.Node;
import java.util.ArrayList;
import java.util.List;

/** Acyclic graphs of any shape, from a seed. */
final class RandomDiagram {
  private static final List<NodeKind> KINDS = List.of(NodeKind.values());

  private RandomDiagram() {}

  static Diagram of(int size, long seed) {
    var random = Philox.of(seed);
    var nodes = new ArrayList<Node>();
    var edges = new ArrayList<Edge>();
    for (int i = 0; i < size; i++) {
      var kind = KINDS.get(random.nextInt(KINDS.size()));
      String detail = random.nextInt(3) == 0 ? "" : "[20,800]";
      nodes.add(new Node("n" + i, "op".repeat(1 + random.nextInt(4)), kind, detail));
      for (int k = random.nextInt(4); k > 0 && i > 0; k--) {
        // Mostly near, sometimes far, sometimes twice the same.
        int back =
            1 + (random.nextInt(4) == 0 ? random.nextInt(i) : random.nextInt(Math.min(i, 6)));
        edges.add(new Edge("n" + (i - back), "n" + i, random.nextInt(5) == 0 ? "x" : ""));
      }
    }
    return new Diagram("random " + seed, nodes, edges);
  }
}
