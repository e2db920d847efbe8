package carousel.zoo.draw;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * A diagram cut into layers, every edge between neighbouring ones: an edge that spans more passes
 * through a bend in each layer between. Vertices {@code 0 … nodes − 1} are the nodes of the
 * diagram, the others are bends.
 *
 * <p>Edges of one source share their bends, so that a value which is used in many places leaves as
 * one line that branches.
 */
final class LayerGraph {
  private final int nodes;
  private final int[] layer;
  private final List<List<Integer>> layers = new ArrayList<>();
  private final List<Set<Integer>> above = new ArrayList<>();
  private final List<Set<Integer>> below = new ArrayList<>();
  private final List<List<Integer>> chains = new ArrayList<>();

  private LayerGraph(int nodes, int[] layer) {
    this.nodes = nodes;
    this.layer = layer;
  }

  /** Cuts a diagram into layers; what each layer holds is in the order of the nodes, then bends. */
  static LayerGraph of(Diagram diagram) {
    var index = new HashMap<String, Integer>();
    for (var node : diagram.nodes()) {
      index.put(node.id(), index.size());
    }
    var ends = new ArrayList<int[]>();
    for (var edge : diagram.edges()) {
      ends.add(new int[] {index.getOrDefault(edge.from(), 0), index.getOrDefault(edge.to(), 0)});
    }
    var graph = new LayerGraph(index.size(), layering(diagram, ends));
    graph.build(ends);
    return graph;
  }

  /**
   * The longest path to each node from a source; then each node that has more edges out than in
   * moves down as far as it can, which shortens its edges in sum: a parameter comes to stand right
   * above the operation that uses it. An operation of the backward pass moves down also where that
   * is all the same, so that the two passes do not mix.
   */
  private static int[] layering(Diagram diagram, List<int[]> ends) {
    int nodes = diagram.nodes().size();
    var layer = new int[nodes];
    for (boolean changed = true; changed; ) {
      changed = false;
      for (var e : ends) {
        if (layer[e[1]] <= layer[e[0]]) {
          layer[e[1]] = layer[e[0]] + 1;
          changed = true;
        }
      }
    }
    for (boolean changed = true; changed; ) {
      changed = false;
      for (int v = 0; v < nodes; v++) {
        int lowest = Integer.MAX_VALUE;
        int balance = 0;
        for (var e : ends) {
          if (e[0] == v) {
            lowest = Math.min(lowest, layer[e[1]] - 1);
          }
          balance += e[0] == v ? 1 : e[1] == v ? -1 : 0;
        }
        if (diagram.nodes().get(v).kind().isBackward()) {
          balance++;
        }
        if (balance > 0 && lowest > layer[v] && lowest < Integer.MAX_VALUE) {
          layer[v] = lowest;
          changed = true;
        }
      }
    }
    int top = Arrays.stream(layer).min().orElse(0);
    for (int v = 0; v < nodes; v++) {
      layer[v] -= top;
    }
    return layer;
  }

  private void build(List<int[]> ends) {
    for (int v = 0; v < nodes; v++) {
      add(layer[v]);
    }
    var bends = new HashMap<List<Integer>, Integer>();
    for (var e : ends) {
      var chain = new ArrayList<>(List.of(e[0]));
      for (int l = layer[e[0]] + 1; l < layer[e[1]]; l++) {
        int at = l;
        chain.add(bends.computeIfAbsent(List.of(e[0], l), _ -> add(at)));
      }
      chain.add(e[1]);
      for (int i = 1; i < chain.size(); i++) {
        below.get(chain.get(i - 1)).add(chain.get(i));
        above.get(chain.get(i)).add(chain.get(i - 1));
      }
      chains.add(chain);
    }
  }

  private int add(int at) {
    int vertex = above.size();
    while (layers.size() <= at) {
      layers.add(new ArrayList<>());
    }
    layers.get(at).add(vertex);
    above.add(new LinkedHashSet<>());
    below.add(new LinkedHashSet<>());
    return vertex;
  }

  /** The number of vertices, bends included. */
  int size() {
    return above.size();
  }

  boolean isBend(int vertex) {
    return vertex >= nodes;
  }

  /** The layers from top to bottom, each from left to right; the lists may be reordered. */
  List<List<Integer>> layers() {
    return layers;
  }

  /** The neighbours in the layer above. */
  Set<Integer> above(int vertex) {
    return above.get(vertex);
  }

  /** The neighbours in the layer below. */
  Set<Integer> below(int vertex) {
    return below.get(vertex);
  }

  /** For each edge of the diagram the vertices that it passes through, ends included. */
  List<List<Integer>> chains() {
    return chains;
  }
}
