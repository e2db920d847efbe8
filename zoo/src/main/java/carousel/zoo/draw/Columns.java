package carousel.zoo.draw;

import java.util.Arrays;
import java.util.List;

/**
 * The horizontal places of the vertices of an ordered layer graph: those that make {@code Σ w_uv
 * (x_u − x_v)²} over the edges small while neighbours in a layer keep their order and their
 * distance.
 *
 * <p>One layer at a time is solved exactly with the others held: with the least distances
 * subtracted, it is a weighted isotonic regression on the mean places of the neighbours, which
 * pooling adjacent violators solves. Edges between bends weigh most, so that long edges come out
 * straight.
 *
 * <p>Source: the weights are from E. Gansner et al. (1993), see {@link Crossings}; the regression
 * from M. Ayer et al., Ann. Math. Stat. 26 (1955).
 */
final class Columns {
  private static final int ROUNDS = 800;

  private final LayerGraph graph;
  private final double[] width;
  private final double gap;
  private final double[] x;
  private boolean straightening;

  private Columns(LayerGraph graph, double[] width, double gap) {
    this.graph = graph;
    this.width = width;
    this.gap = gap;
    this.x = new double[graph.size()];
  }

  /** The centre of each vertex; the leftmost box begins at 0. */
  static double[] place(LayerGraph graph, double[] width, double gap) {
    var columns = new Columns(graph, width, gap);
    for (var layer : graph.layers()) {
      columns.pack(layer);
    }
    for (int round = 0; round < ROUNDS; round++) {
      columns.straightening = round >= ROUNDS / 4;
      var layers = round % 2 == 0 ? graph.layers() : graph.layers().reversed();
      for (var layer : layers) {
        columns.settle(layer);
      }
    }
    double left = Double.POSITIVE_INFINITY;
    for (int v = 0; v < graph.size(); v++) {
      left = Math.min(left, columns.x[v] - width[v] / 2);
    }
    for (int v = 0; v < graph.size(); v++) {
      columns.x[v] -= left;
    }
    return columns.x;
  }

  /** Side by side around 0. */
  private void pack(List<Integer> layer) {
    double end = 0.0;
    for (int i = 0; i < layer.size(); i++) {
      if (i > 0) {
        end += distance(layer.get(i - 1), layer.get(i));
      }
      x[layer.get(i)] = end;
    }
    for (var v : layer) {
      x[v] -= end / 2;
    }
  }

  private double distance(int left, int right) {
    boolean both = graph.isBend(left) && graph.isBend(right);
    return (width[left] + width[right]) / 2 + (both ? gap / 2 : gap);
  }

  private double weight(int u, int v) {
    int bends = (graph.isBend(u) ? 1 : 0) + (graph.isBend(v) ? 1 : 0);
    int weight = bends == 2 ? 8 : bends == 1 ? 2 : 1;
    return straightening ? weight / Math.max(1, Math.abs(x[u] - x[v])) : weight;
  }

  private void settle(List<Integer> layer) {
    int n = layer.size();
    var wanted = new double[n];
    var weight = new double[n];
    var offset = new double[n];
    for (int i = 0; i < n; i++) {
      var v = layer.get(i);
      if (i > 0) {
        offset[i] = offset[i - 1] + distance(layer.get(i - 1), v);
      }
      for (var neighbours : List.of(graph.above(v), graph.below(v))) {
        for (var u : neighbours) {
          wanted[i] += weight(u, v) * x[u];
          weight[i] += weight(u, v);
        }
      }
      if (weight[i] == 0) {
        weight[i] = 1e-3; // stands alone and yields to all others
        wanted[i] = weight[i] * x[v];
      }
      wanted[i] = wanted[i] / weight[i] - offset[i];
    }
    var fitted = isotonic(wanted, weight);
    for (int i = 0; i < n; i++) {
      x[layer.get(i)] = fitted[i] + offset[i];
    }
  }

  /** The nondecreasing sequence y that makes {@code Σ w (y − a)²} least. */
  static double[] isotonic(double[] a, double[] w) {
    var mean = new double[a.length];
    var weight = new double[a.length];
    var count = new int[a.length];
    int blocks = 0;
    for (int i = 0; i < a.length; i++) {
      mean[blocks] = a[i];
      weight[blocks] = w[i];
      count[blocks++] = 1;
      while (blocks > 1 && mean[blocks - 2] > mean[blocks - 1]) {
        double sum = weight[blocks - 2] + weight[blocks - 1];
        mean[blocks - 2] =
            (weight[blocks - 2] * mean[blocks - 2] + weight[blocks - 1] * mean[blocks - 1]) / sum;
        weight[blocks - 2] = sum;
        count[blocks - 2] += count[--blocks];
      }
    }
    var y = new double[a.length];
    for (int b = 0, i = 0; b < blocks; i += count[b++]) {
      Arrays.fill(y, i, i + count[b], mean[b]);
    }
    return y;
  }
}
