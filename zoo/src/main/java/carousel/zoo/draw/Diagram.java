package carousel.zoo.draw;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * A directed acyclic graph to be drawn: boxes with text, and arrows between them.
 *
 * @param title stands above the drawing
 * @param nodes the boxes
 * @param edges the arrows; two of the same ends are drawn as one, with both labels
 */
public record Diagram(String title, List<Node> nodes, List<Edge> edges) {
  /**
   * A box.
   *
   * @param id names it in edges, unique
   * @param label its text, as an operation's name
   * @param kind what it is
   * @param detail a second, smaller line, as a shape; may be empty
   */
  public record Node(String id, String label, NodeKind kind, String detail) {
    /** Refuses nulls. */
    public Node {
      Objects.requireNonNull(id);
      Objects.requireNonNull(label);
      Objects.requireNonNull(kind);
      Objects.requireNonNull(detail);
    }
  }

  /**
   * An arrow.
   *
   * @param from the id of the node it leaves
   * @param to the id of the node it enters
   * @param label a word beside it; may be empty
   */
  public record Edge(String from, String to, String label) {
    /** Refuses nulls. */
    public Edge {
      Objects.requireNonNull(from);
      Objects.requireNonNull(to);
      Objects.requireNonNull(label);
    }
  }

  /**
   * Copies and checks.
   *
   * @throws IllegalArgumentException if two nodes have one id, an edge names a node that there is
   *     not, or the edges form a cycle
   */
  public Diagram {
    Objects.requireNonNull(title);
    nodes = List.copyOf(nodes);
    edges = List.copyOf(edges);
    var ids = new HashSet<String>();
    for (var node : nodes) {
      if (!ids.add(node.id())) {
        throw new IllegalArgumentException(
            String.format(Locale.ROOT, "diagram: two nodes have the id \"%s\"", node.id()));
      }
    }
    for (var edge : edges) {
      for (var end : List.of(edge.from(), edge.to())) {
        if (!ids.contains(end)) {
          throw new IllegalArgumentException(
              String.format(
                  Locale.ROOT,
                  "diagram: the edge from \"%s\" to \"%s\" ends nowhere: there is no node \"%s\"",
                  edge.from(),
                  edge.to(),
                  end));
        }
      }
    }
    checkAcyclic(nodes, edges);
  }

  /** The same with one edge for all that join the same two nodes, in the order of the first. */
  Diagram withoutParallelEdges() {
    var merged = new LinkedHashMap<List<String>, Edge>();
    for (var edge : edges) {
      merged.merge(
          List.of(edge.from(), edge.to()),
          edge,
          (a, b) -> {
            var labels = Stream.of(a.label(), b.label()).filter(label -> !label.isEmpty());
            return new Edge(a.from(), a.to(), labels.collect(Collectors.joining(", ")));
          });
    }
    return new Diagram(title, nodes, List.copyOf(merged.values()));
  }

  /** Kahn's algorithm; what it cannot remove holds a cycle. */
  private static void checkAcyclic(List<Node> nodes, List<Edge> edges) {
    var targets = new HashMap<String, List<String>>();
    var incoming = new HashMap<String, Integer>();
    for (var edge : edges) {
      targets.computeIfAbsent(edge.from(), _ -> new ArrayList<>()).add(edge.to());
      incoming.merge(edge.to(), 1, Integer::sum);
    }
    var free = new ArrayList<String>();
    for (var node : nodes) {
      if (!incoming.containsKey(node.id())) {
        free.add(node.id());
      }
    }
    for (int i = 0; i < free.size(); i++) {
      for (var target : targets.getOrDefault(free.get(i), List.of())) {
        if (incoming.merge(target, -1, Integer::sum) == 0) {
          free.add(target);
        }
      }
    }
    if (free.size() < nodes.size()) {
      free.forEach(incoming::remove);
      incoming.values().removeIf(count -> count == 0);
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT, "diagram: it has a cycle through \"%s\"", onCycle(edges, incoming)));
    }
  }

  /** A node from which the remaining edges, followed backwards, come back to it. */
  private static String onCycle(List<Edge> edges, Map<String, Integer> remaining) {
    String at = remaining.keySet().stream().sorted().findFirst().orElseThrow();
    var seen = new HashSet<String>();
    while (seen.add(at)) {
      String here = at;
      at =
          edges.stream()
              .filter(edge -> edge.to().equals(here) && remaining.containsKey(edge.from()))
              .map(Edge::from)
              .findFirst()
              .orElseThrow();
    }
    return at;
  }
}
