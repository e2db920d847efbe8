package carousel.zoo.plot;

import carousel.zoo.draw.Svg;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/** Draws as SVG. */
final class SvgCanvas implements Canvas {
  private final StringBuilder out = new StringBuilder();
  private int clips;

  SvgCanvas(double width, double height, String title) {
    line(
        String.format(
            Locale.ROOT,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%s\" height=\"%s\" viewBox=\"0 0 %s %s\""
                + " font-family=\"'DejaVu Sans', Verdana, Helvetica, Arial, sans-serif\" role=\"img\">",
            number(width),
            number(height),
            number(width),
            number(height)));
    line("<title>" + Svg.escape(title) + "</title>");
    line("<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>");
  }

  String text() {
    return out + "</svg>\n";
  }

  @Override
  public void line(List<Point> points, String colour, double width, double... dash) {
    line(
        String.format(
            Locale.ROOT,
            "<polyline points=\"%s\" fill=\"none\" stroke=\"%s\" stroke-width=\"%s\" stroke-linejoin=\"round\"%s/>",
            points(points),
            colour,
            number(width),
            dash.length == 0
                ? ""
                : String.format(
                    Locale.ROOT,
                    " stroke-dasharray=\"%s\"",
                    Arrays.stream(dash)
                        .mapToObj(SvgCanvas::number)
                        .collect(Collectors.joining(" ")))));
  }

  @Override
  public void area(List<Point> corners, String colour, double opacity) {
    line(
        String.format(
            Locale.ROOT,
            "<polygon points=\"%s\" fill=\"%s\"%s/>",
            points(corners),
            colour,
            opacity < 1
                ? String.format(Locale.ROOT, " fill-opacity=\"%s\"", number(opacity))
                : ""));
  }

  @Override
  public void text(String text, Point at, Anchor anchor, Font font, boolean upright) {
    String x = number(at.x());
    String y = number(at.y());
    line(
        String.format(
            Locale.ROOT,
            "<text x=\"%s\" y=\"%s\" font-size=\"%s\" fill=\"%s\"%s%s%s>%s</text>",
            x,
            y,
            number(font.size()),
            font.colour(),
            font.bold() ? " font-weight=\"bold\"" : "",
            anchor == Anchor.START
                ? ""
                : String.format(
                    Locale.ROOT, " text-anchor=\"%s\"", anchor.name().toLowerCase(Locale.ROOT)),
            upright ? String.format(Locale.ROOT, " transform=\"rotate(-90 %s %s)\"", x, y) : "",
            Svg.escape(text)));
  }

  @Override
  public void clip(double x, double y, double width, double height) {
    clips++;
    line(
        String.format(
            Locale.ROOT,
            "<clipPath id=\"clip%d\"><rect x=\"%s\" y=\"%s\" width=\"%s\" height=\"%s\"/></clipPath>",
            clips,
            number(x),
            number(y),
            number(width),
            number(height)));
    line("<g clip-path=\"url(#clip" + clips + ")\">");
  }

  @Override
  public void unclip() {
    line("</g>");
  }

  private static String points(List<Point> points) {
    return points.stream()
        .map(p -> number(p.x()) + "," + number(p.y()))
        .collect(Collectors.joining(" "));
  }

  private void line(String text) {
    out.append(text).append('\n');
  }

  /** Two decimals at most. */
  private static String number(double x) {
    String text = String.format(Locale.ROOT, "%.2f", x);
    int end = text.length();
    while (text.charAt(end - 1) == '0') {
      end--;
    }
    if (text.charAt(end - 1) == '.') {
      end--;
    }
    String short_ = text.substring(0, end);
    return short_.equals("-0") ? "0" : short_;
  }
}
