package carousel.zoo.draw;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * Orders each layer of a graph so that few edges cross: every vertex moves towards the mean
 * position of its neighbours, layer by layer, downwards and upwards in turn, then neighbours swap
 * places where that helps. The best order met is kept.
 *
 * <p>Source: K. Sugiyama, S. Tagawa, M. Toda, Methods for visual understanding of hierarchical
 * system structures, IEEE Trans. SMC 11 (1981); the swaps are from E. Gansner et al., A technique
 * for drawing directed graphs, IEEE Trans. Software Eng. 19 (1993).
 */
final class Crossings {
  private static final int SWEEPS = 40;
  private static final int STARTS = 5;

  private final LayerGraph graph;
  private final int[] position;

  private Crossings(LayerGraph graph) {
    this.graph = graph;
    this.position = new int[graph.size()];
  }

  /** Reorders the layers of a graph. */
  static void reduce(LayerGraph graph) {
    var crossings = new Crossings(graph);
    var given = crossings.snapshot();
    var best = given;
    int fewest = Integer.MAX_VALUE;
    for (int start = 0; start < STARTS; start++) {
      crossings.restore(given);
      if (start > 0) {
        crossings.startDepthFirst(start % 2 == 0);
      }
      for (int sweep = 0; sweep < SWEEPS && fewest > 0; sweep++) {
        // From below first in the later starts: another path, other local optima.
        crossings.sweep(sweep % 2 == (start > 2 ? 1 : 0));
        crossings.swap();
        int now = count(graph);
        if (now < fewest) {
          fewest = now;
          best = crossings.snapshot();
        }
      }
    }
    crossings.restore(best);
  }

  private void restore(List<List<Integer>> order) {
    for (int l = 0; l < order.size(); l++) {
      graph.layers().get(l).clear();
      graph.layers().get(l).addAll(order.get(l));
    }
    number();
  }

  private List<List<Integer>> snapshot() {
    return graph.layers().stream().map(List::copyOf).toList();
  }

  /** What belongs together starts together. */
  private void startDepthFirst(boolean fromBelow) {
    var visited = new LinkedHashSet<Integer>();
    var layers = fromBelow ? graph.layers().reversed() : graph.layers();
    for (var layer : layers) {
      for (var v : layer) {
        visit(v, visited);
      }
    }
    var rank = new int[graph.size()];
    int next = 0;
    for (var v : visited) {
      rank[v] = next++;
    }
    for (var layer : graph.layers()) {
      layer.sort(Comparator.comparingInt(v -> rank[v]));
    }
    number();
  }

  private void visit(int from, Set<Integer> visited) {
    var open = new ArrayList<>(List.of(from));
    while (!open.isEmpty()) {
      var v = open.removeLast();
      if (visited.add(v)) {
        open.addAll(List.copyOf(graph.below(v)).reversed());
        open.addAll(List.copyOf(graph.above(v)).reversed());
      }
    }
  }

  private void number() {
    for (var layer : graph.layers()) {
      number(layer);
    }
  }

  private void number(List<Integer> layer) {
    for (int i = 0; i < layer.size(); i++) {
      position[layer.get(i)] = i;
    }
  }

  private void sweep(boolean downwards) {
    var layers = graph.layers();
    for (int i = 0; i < layers.size(); i++) {
      var layer = layers.get(downwards ? i : layers.size() - 1 - i);
      var centre = new double[graph.size()];
      for (var v : layer) {
        centre[v] =
            (downwards ? graph.above(v) : graph.below(v))
                .stream().mapToInt(u -> position[u]).average().orElse(position[v]);
      }
      layer.sort(Comparator.comparingDouble(v -> centre[v]));
      number(layer);
    }
  }

  /** Swaps neighbours as long as each swap removes crossings. */
  private void swap() {
    for (boolean improved = true; improved; ) {
      improved = false;
      for (var layer : graph.layers()) {
        for (int i = 1; i < layer.size(); i++) {
          var left = layer.get(i - 1);
          var right = layer.get(i);
          int kept = between(graph.above(left), graph.above(right));
          kept += between(graph.below(left), graph.below(right));
          int swapped = between(graph.above(right), graph.above(left));
          swapped += between(graph.below(right), graph.below(left));
          if (swapped < kept) {
            layer.set(i - 1, right);
            layer.set(i, left);
            number(layer);
            improved = true;
          }
        }
      }
    }
  }

  /** Crossings of the edges of two neighbours, the first on the left. */
  private int between(Set<Integer> left, Set<Integer> right) {
    int count = 0;
    for (var a : left) {
      for (var b : right) {
        if (position[a] > position[b]) {
          count++;
        }
      }
    }
    return count;
  }

  /** The number of crossings of the whole graph. */
  static int count(LayerGraph graph) {
    int total = 0;
    for (int l = 1; l < graph.layers().size(); l++) {
      var upper = graph.layers().get(l - 1);
      var place = new int[graph.size()];
      for (int i = 0; i < upper.size(); i++) {
        place[upper.get(i)] = i;
      }
      var ends = new ArrayList<Integer>();
      for (var v : graph.layers().get(l)) {
        var tops = graph.above(v).stream().mapToInt(u -> place[u]).sorted().toArray();
        Arrays.stream(tops).forEach(ends::add);
      }
      // Each pair of edges whose upper ends stand the other way round than their lower ends.
      var seen = new int[upper.size() + 1];
      for (int e = 0; e < ends.size(); e++) {
        total += e;
        for (int i = ends.get(e) + 1; i > 0; i -= i & -i) {
          total -= seen[i];
        }
        for (int i = ends.get(e) + 1; i < seen.length; i += i & -i) {
          seen[i]++;
        }
      }
    }
    return total;
  }
}
