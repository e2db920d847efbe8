package carousel.nn.random;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.stream.IntStream;

/**
 * A program as a straight line: every node reads earlier ones.
 *
 * @param nodes what is computed, in this order
 * @param results which of them are given back
 */
record Graph(List<Node> nodes, List<Integer> results) {
  Graph {
    nodes = List.copyOf(nodes);
    results = List.copyOf(results);
  }

  /** All uses of one node become uses of an earlier one. What nobody reads any more is dropped. */
  Graph replaced(int node, int by) {
    List<Node> changed = new ArrayList<>();
    for (Node each : nodes) {
      changed.add(each.with(each.operands().stream().map(i -> i == node ? by : i).toList()));
    }
    return new Graph(changed, results.stream().map(i -> i == node ? by : i).toList())
        .pruned(dead(node));
  }

  /** Another node in the place of one; it may read what that one might. */
  Graph with(int node, Node other) {
    List<Node> changed = new ArrayList<>(nodes);
    changed.set(node, other);
    return new Graph(changed, results).pruned(dead(node));
  }

  /** Whether nobody reads a node. */
  boolean isDead(int node) {
    return !results.contains(node)
        && nodes.stream().noneMatch(other -> other.operands().contains(node));
  }

  /** Without a node that nobody reads. */
  Graph without(int node) {
    List<Node> rest = new ArrayList<>();
    for (int i = 0; i < nodes.size(); i++) {
      if (i != node) {
        Node each = nodes.get(i);
        rest.add(each.with(each.operands().stream().map(j -> j > node ? j - 1 : j).toList()));
      }
    }
    return new Graph(rest, results.stream().map(j -> j > node ? j - 1 : j).toList());
  }

  Graph withoutResult(int result) {
    List<Integer> rest = new ArrayList<>(results);
    rest.remove(/* index */ result);
    return new Graph(nodes, rest).pruned();
  }

  /** The nodes that nobody reads, but for one. */
  private List<Integer> dead(int but) {
    return IntStream.range(0, nodes.size()).filter(i -> i != but && isDead(i)).boxed().toList();
  }

  /** Without the nodes that no result reads. */
  Graph pruned() {
    return pruned(List.of());
  }

  private Graph pruned(List<Integer> kept) {
    boolean[] used = new boolean[nodes.size()];
    results.forEach(i -> used[i] = true);
    kept.forEach(i -> used[i] = true);
    for (int i = nodes.size() - 1; i >= 0; i--) {
      if (used[i]) {
        nodes.get(i).operands().forEach(j -> used[j] = true);
      }
    }
    List<Integer> places = new ArrayList<>(Collections.nCopies(nodes.size(), -1));
    List<Node> rest = new ArrayList<>();
    for (int i = 0; i < used.length; i++) {
      if (used[i]) {
        Node node = nodes.get(i);
        places.set(i, rest.size());
        rest.add(node.with(node.operands().stream().map(places::get).toList()));
      }
    }
    return new Graph(rest, results.stream().map(places::get).toList());
  }
}
