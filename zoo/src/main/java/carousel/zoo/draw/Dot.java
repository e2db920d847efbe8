package carousel.zoo.draw;

import java.util.Locale;

/**
 * A diagram in the DOT language, for those who have Graphviz or a viewer of its files.
 *
 * <p>Source: the DOT language, graphviz.org.
 */
public final class Dot {
  private Dot() {}

  /**
   * Writes a diagram.
   *
   * @param diagram what to write
   * @return a {@code digraph}
   */
  public static String write(Diagram diagram) {
    var out = new StringBuilder("digraph {\n");
    out.append(
        String.format(
            Locale.ROOT, "  label=%s; labelloc=t; fontname=Helvetica;\n", quote(diagram.title())));
    out.append("  node [fontname=Helvetica, fontsize=11, margin=\"0.12,0.05\"];\n");
    out.append("  edge [fontname=Helvetica, fontsize=9, arrowsize=0.7];\n");
    for (var node : diagram.nodes()) {
      var kind = node.kind();
      String text = node.detail().isEmpty() ? node.label() : node.label() + "\n" + node.detail();
      out.append(
          String.format(
              Locale.ROOT,
              "  %s [label=%s, shape=box, style=\"filled%s\", fillcolor=\"%s\", color=\"%s\"];\n",
              quote(node.id()),
              quote(text),
              kind.isValue() ? ",rounded" : "",
              kind.fill(),
              kind.stroke()));
    }
    for (var edge : diagram.edges()) {
      out.append(String.format(Locale.ROOT, "  %s -> %s", quote(edge.from()), quote(edge.to())));
      if (!edge.label().isEmpty()) {
        out.append(String.format(Locale.ROOT, " [label=%s]", quote(edge.label())));
      }
      out.append(";\n");
    }
    return out.append("}\n").toString();
  }

  /**
   * In a quoted string DOT knows the escape of the quote; a backslash must not meet what follows.
   */
  private static String quote(String text) {
    return '"' + text.replace("\\", "\\\\").replace("\"", "\\\"").replace("\n", "\\n") + '"';
  }
}
