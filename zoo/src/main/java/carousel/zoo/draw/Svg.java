package carousel.zoo.draw;

import carousel.zoo.draw.Diagram.Edge;
import carousel.zoo.draw.Diagram.Node;
import carousel.zoo.draw.LayeredLayout.Box;
import carousel.zoo.draw.LayeredLayout.Piece;
import carousel.zoo.draw.LayeredLayout.Route;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/**
 * A diagram as a picture: one SVG file that names no font, style or script outside itself, laid out
 * here and not by another program.
 */
public final class Svg {
  private static final double MARGIN = 28;
  private static final double TITLE = 42;
  private static final double LEGEND = 46;
  private static final String SAVED = "saved for the backward pass";
  private static final String FONT = "Verdana, 'DejaVu Sans', Helvetica, Arial, sans-serif";

  private final StringBuilder out = new StringBuilder();
  private final Map<String, NodeKind> kinds = new HashMap<>();

  /**
   * The nodes that are computed or used in the forward pass; a gradient from outside is neither.
   */
  private final Set<String> forward = new HashSet<>();

  private Svg() {}

  /**
   * Draws a diagram.
   *
   * @param diagram what to draw
   * @return an SVG document
   */
  public static String write(Diagram diagram) {
    var svg = new Svg();
    for (var node : diagram.nodes()) {
      svg.kinds.put(node.id(), node.kind());
    }
    for (var edge : diagram.edges()) {
      svg.forward.add(edge.to());
      if (!svg.kind(edge.to()).isBackward()) {
        svg.forward.add(edge.from());
      }
    }
    svg.draw(diagram.withoutParallelEdges());
    return svg.out.toString();
  }

  private void draw(Diagram diagram) {
    var layout = LayeredLayout.of(diagram);
    var legend = Legend.of(diagram, diagram.edges().stream().anyMatch(this::isSaved));
    double title = TextWidth.of(diagram.title(), 17);
    double inner = Math.max(layout.width(), Math.max(legend.width(), title));
    double width = inner + 2 * MARGIN;
    double height = layout.height() + TITLE + LEGEND + 2 * MARGIN;
    line(
        String.format(
            Locale.ROOT,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%s\" height=\"%s\" viewBox=\"0 0 %s"
                + " %s\" font-family=\"%s\">",
            number(width),
            number(height),
            number(width),
            number(height),
            FONT));
    line(String.format(Locale.ROOT, "<title>%s</title>", escape(diagram.title())));
    line(
        "<style>path{fill:none;stroke-width:1.3} .edge:hover path{stroke-width:3}"
            + " text{fill:#1d1d1d} .detail{fill:#595959} .halo{stroke:#fff;stroke-width:3;"
            + "paint-order:stroke}</style>");
    markers();
    line("<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>");
    line(
        String.format(
            Locale.ROOT,
            "<text x=\"%s\" y=\"%s\" font-size=\"17\" font-weight=\"600\">%s</text>",
            number(MARGIN),
            number(MARGIN + 14),
            escape(diagram.title())));
    double left = MARGIN + (inner - layout.width()) / 2;
    line(
        String.format(
            Locale.ROOT,
            "<g transform=\"translate(%s %s)\">",
            number(left),
            number(MARGIN + TITLE)));
    layout.routes().forEach(this::edge);
    layout.boxes().forEach(this::node);
    layout.routes().forEach(this::edgeLabel);
    line("</g>");
    legend(legend, height - MARGIN - LEGEND / 2 + 8);
    line("</svg>");
  }

  /** An arrow head in the colour of each kind. */
  private void markers() {
    line("<defs>");
    for (var kind : NodeKind.values()) {
      line(
          String.format(
              Locale.ROOT,
              "<marker id=\"to-%s\" viewBox=\"0 0 10 10\" refX=\"9\" refY=\"5\" markerWidth=\"7\""
                  + " markerHeight=\"7\" orient=\"auto\"><path d=\"M0 1L10 5L0 9z\""
                  + " style=\"fill:%s\"/></marker>",
              kind.name().toLowerCase(Locale.ROOT),
              kind.stroke()));
    }
    line("</defs>");
  }

  private NodeKind kind(String id) {
    return kinds.getOrDefault(id, NodeKind.OPERATION);
  }

  /** Whether the edge hands a value of the forward pass to the backward pass. */
  private boolean isSaved(Edge edge) {
    return forward.contains(edge.from())
        && !kind(edge.from()).isBackward()
        && kind(edge.to()).isBackward();
  }

  private void edge(Route route) {
    var kind = kind(route.edge().from());
    line(
        String.format(
            Locale.ROOT,
            "<g class=\"edge\"><title>%s</title><path d=\"%s\" stroke=\"%s\"%s"
                + " marker-end=\"url(#to-%s)\"/></g>",
            escape(route.edge().from() + " → " + route.edge().to()),
            path(route.pieces()),
            kind.stroke(),
            isSaved(route.edge()) ? " stroke-dasharray=\"5 3\"" : "",
            kind.name().toLowerCase(Locale.ROOT)));
  }

  private static String path(List<Piece> pieces) {
    var d = new StringBuilder();
    double x = 0.0;
    double y = 0.0;
    for (var piece : pieces) {
      if (d.isEmpty()) {
        d.append(String.format(Locale.ROOT, "M%s %s", number(piece.x()), number(piece.top())));
      } else if (Math.abs(piece.x() - x) > 0.5) {
        String middle = number((y + piece.top()) / 2);
        d.append(
            String.format(
                Locale.ROOT,
                "C%s %s %s %s %s %s",
                number(x),
                middle,
                number(piece.x()),
                middle,
                number(piece.x()),
                number(piece.top())));
      } else {
        d.append(String.format(Locale.ROOT, "L%s %s", number(piece.x()), number(piece.top())));
      }
      if (piece.bottom() > piece.top()) {
        d.append(String.format(Locale.ROOT, "L%s %s", number(piece.x()), number(piece.bottom())));
      }
      x = piece.x();
      y = piece.bottom();
    }
    return d.toString();
  }

  /**
   * Beside the arrow head, where edges of one source have parted, on the side the edge leaves free.
   */
  private void edgeLabel(Route route) {
    if (route.edge().label().isEmpty()) {
      return;
    }
    var end = route.pieces().getLast();
    boolean comesFromRight = route.pieces().get(route.pieces().size() - 2).x() > end.x();
    line(
        String.format(
            Locale.ROOT,
            "<text class=\"halo\" x=\"%s\" y=\"%s\" font-size=\"10\" text-anchor=\"%s\">%s</text>",
            number(end.x() + (comesFromRight ? -6 : 6)),
            number(end.bottom() - 8),
            comesFromRight ? "end" : "start",
            escape(route.edge().label())));
  }

  private void node(Box box) {
    var node = box.node();
    line(String.format(Locale.ROOT, "<g class=\"node\"><title>%s</title>", escape(tooltip(node))));
    shape(node.kind(), box.x() - box.width() / 2, box.top(), box.width(), box.height());
    boolean hasDetail = !node.detail().isEmpty();
    text(node.label(), box.x(), box.y() + (hasDetail ? -2.5 : 4.5), LayeredLayout.LABEL_SIZE, "");
    if (hasDetail) {
      String detail = " class=\"detail\"";
      text(node.detail(), box.x(), box.y() + 12, LayeredLayout.DETAIL_SIZE, detail);
    }
    line("</g>");
  }

  private static String tooltip(Node node) {
    String detail = node.detail().isEmpty() ? "" : " " + node.detail();
    return String.format(
        Locale.ROOT, "%s: %s%s (%s)", node.id(), node.label(), detail, node.kind().title());
  }

  private void shape(NodeKind kind, double x, double y, double width, double height) {
    line(
        String.format(
            Locale.ROOT,
            "<rect x=\"%s\" y=\"%s\" width=\"%s\" height=\"%s\" rx=\"%s\" fill=\"%s\" stroke=\"%s\""
                + " stroke-width=\"%s\"/>",
            number(x),
            number(y),
            number(width),
            number(height),
            number(kind.isValue() ? 13 : 4),
            kind.fill(),
            kind.stroke(),
            kind.isValue() ? "1.6" : "1.1"));
  }

  private void text(String text, double x, double y, double size, String attributes) {
    line(
        String.format(
            Locale.ROOT,
            "<text x=\"%s\" y=\"%s\" font-size=\"%s\" text-anchor=\"middle\"%s>%s</text>",
            number(x),
            number(y),
            number(size),
            attributes,
            escape(text)));
  }

  /** The kinds that occur, and whether values are handed to the backward pass. */
  private record Legend(List<NodeKind> kinds, boolean hasSaved, double width) {
    private static final double SWATCH = 30;
    private static final double SIZE = 11.5;

    static Legend of(Diagram diagram, boolean hasSaved) {
      var kinds =
          Arrays.stream(NodeKind.values())
              .filter(kind -> diagram.nodes().stream().anyMatch(node -> node.kind() == kind))
              .toList();
      double width = kinds.stream().mapToDouble(kind -> step(kind.title())).sum();
      return new Legend(kinds, hasSaved, width + (hasSaved ? step(SAVED) : 0));
    }

    static double step(String title) {
      return SWATCH + 8 + TextWidth.of(title, SIZE) + 18;
    }
  }

  private void legend(Legend legend, double y) {
    double x = MARGIN;
    for (var kind : legend.kinds()) {
      shape(kind, x, y - 9, Legend.SWATCH, 18);
      legendText(kind.title(), x, y);
      x += Legend.step(kind.title());
    }
    if (legend.hasSaved()) {
      line(
          String.format(
              Locale.ROOT,
              "<path d=\"M%s %sh%s\" stroke=\"#6b6b6b\" stroke-dasharray=\"5 3\"/>",
              number(x),
              number(y),
              number(Legend.SWATCH)));
      legendText(SAVED, x, y);
    }
  }

  private void legendText(String title, double x, double y) {
    line(
        String.format(
            Locale.ROOT,
            "<text x=\"%s\" y=\"%s\" font-size=\"%s\">%s</text>",
            number(x + Legend.SWATCH + 8),
            number(y + 4),
            number(Legend.SIZE),
            escape(title)));
  }

  private void line(String text) {
    out.append(text).append('\n');
  }

  /** One decimal, with a point in every locale. */
  private static String number(double value) {
    String text = String.format(Locale.ROOT, "%.1f", value);
    return text.endsWith(".0") ? text.substring(0, text.length() - 2) : text;
  }

  /**
   * A text as XML holds it. XML has no way to write most control characters, so they become U+FFFD.
   *
   * @param text any text
   * @return what stands between tags, or in quotes
   */
  public static String escape(String text) {
    var out = new StringBuilder();
    text.codePoints()
        .forEach(c -> {
          switch (c) {
            case '&' -> out.append("&amp;");
            case '<' -> out.append("&lt;");
            case '>' -> out.append("&gt;");
            case '"' -> out.append("&quot;");
            case '\n', '\t' -> out.append(' ');
            default ->
                out.appendCodePoint(
                    c < 0x20 || (c >= 0xD800 && c <= 0xDFFF) || c == 0xFFFE || c == 0xFFFF
                        ? 0xFFFD
                        : c);
          }
        });
    return out.toString();
  }
}
