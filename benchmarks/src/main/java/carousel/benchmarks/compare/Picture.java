package carousel.benchmarks.compare;

import java.util.List;
import java.util.Locale;
import java.util.OptionalDouble;

/** Draws ratios as bars, one group per row: how many times longer each peer takes than we do. */
final class Picture {
  private static final int LEFT = 250;
  private static final int WIDTH = 560;
  private static final int BAR = 13;
  private static final int GAP = 10;
  private static final int HEAD = 34;
  private static final int RIGHT = 70;
  private static final List<String> COLOURS = List.of("#3b6ea5", "#c97b30", "#5b8c5a", "#8a5a9e");

  private final StringBuilder body = new StringBuilder();
  private final double scale;
  private int y = GAP;

  private Picture(double largest) {
    scale = WIDTH / largest;
  }

  /** The picture, as SVG that needs nothing else. */
  static String of(List<Result> results) {
    double largest = 1.5;
    for (Result result : results) {
      for (Result.Line line : result.lines()) {
        if (line.entry().library().isPeer()) {
          largest = Math.max(largest, result.ratio(line).orElse(0));
        }
      }
    }
    var picture = new Picture(Math.min(largest, 12));
    Table last = null;
    for (Result result : results) {
      if (result.best().isEmpty()) {
        continue;
      }
      if (result.table() != last) {
        picture.head(result.table());
        last = result.table();
      }
      picture.row(result);
    }
    return picture.frame();
  }

  private void head(Table table) {
    y += GAP;
    text(GAP, y + 14, "start", "font-weight=\"bold\"", table.title);
    y += HEAD - GAP;
  }

  private void row(Result result) {
    int top = y;
    int colour = 0;
    for (Result.Line line : result.lines()) {
      OptionalDouble ratio = result.ratio(line);
      if (!line.entry().library().isPeer() || ratio.isEmpty()) {
        continue;
      }
      double width = Math.min(ratio.getAsDouble() * scale, WIDTH);
      body.append(
          String.format(
              Locale.ROOT,
              "<rect x=\"%d\" y=\"%d\" width=\"%.1f\" height=\"%d\" fill=\"%s\"/>%n",
              LEFT,
              y,
              width,
              BAR - 1,
              COLOURS.get(colour++ % COLOURS.size())));
      String label =
          String.format(Locale.ROOT, "%.2f  %s", ratio.getAsDouble(), line.entry().label());
      boolean inside = width > WIDTH / 2.0;
      text(
          inside ? LEFT + (int) width - 4 : LEFT + (int) width + 4,
          y + BAR - 3,
          inside ? "end" : "start",
          inside ? "fill=\"#fff\"" : "",
          label);
      y += BAR;
    }
    text(LEFT - 8, (top + y) / 2 + 4, "end", "", result.row().name());
    y += GAP;
  }

  private void text(int x, int baseline, String anchor, String style, String content) {
    String escaped = content.replace("&", "&amp;").replace("<", "&lt;");
    body.append(
        String.format(
            Locale.ROOT,
            "<text x=\"%d\" y=\"%d\" text-anchor=\"%s\" %s>%s</text>%n",
            x,
            baseline,
            anchor,
            style,
            escaped));
  }

  private String frame() {
    int one = LEFT + (int) Math.round(scale);
    int caption = y + 16;
    text(one, caption, "middle", "", "1 = as fast as Carousel; longer is slower");
    int width = LEFT + WIDTH + RIGHT;
    int height = caption + GAP;
    return String.format(
        Locale.ROOT,
        """
        <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %1$d %2$d" font-family="sans-serif" font-size="11">
        <rect width="%1$d" height="%2$d" fill="#fff"/>
        %3$s<line x1="%4$d" x2="%4$d" y1="%5$d" y2="%6$d" stroke="#222" stroke-dasharray="4 3"/>
        </svg>
        """,
        width,
        height,
        body,
        one,
        HEAD,
        y);
  }
}
