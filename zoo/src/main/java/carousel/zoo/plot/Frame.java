package carousel.zoo.plot;

import carousel.zoo.draw.TextWidth;
import carousel.zoo.plot.Canvas.Anchor;
import carousel.zoo.plot.Canvas.Font;
import carousel.zoo.plot.Canvas.Point;
import java.util.ArrayList;
import java.util.List;

/** Where things stand in a plot: title above, axes at the left and below, the data in the middle. */
record Frame(double left, double top, double width, double height) {
  static final double HEIGHT = 440;

  private static final double MARGIN = 20;
  private static final double TITLE = 46;
  private static final double BELOW = 62;
  private static final Font TITLE_FONT = new Font(15, true, Colours.INK);
  static final Font LABEL_FONT = new Font(12.5, false, Colours.INK);
  static final Font TICK_FONT = new Font(11.5, false, Colours.PALE_INK);

  /** The frame of a plot whose ticks upwards have these texts, with room above, and at the right. */
  static Frame of(Plot plot, List<String> upwards, double above, double right) {
    double widest =
        upwards.stream().mapToDouble(t -> TextWidth.of(t, TICK_FONT.size())).max().orElse(0);
    double left = MARGIN + 26 + widest;
    double top = TITLE + above;
    return new Frame(left, top, plot.width() - left - MARGIN - right, plot.height() - top - BELOW);
  }

  double right() {
    return left + width;
  }

  double bottom() {
    return top + height;
  }

  /** The title, broken into no lines: smaller where it is long. */
  void title(Plot plot, Canvas canvas) {
    double room = plot.width() - 2 * MARGIN;
    double size = TITLE_FONT.size();
    double wanted = TextWidth.of(plot.title(), size) * 1.06;
    double fitting = wanted > room ? size * room / wanted : size;
    canvas.text(
        plot.title(),
        new Point(MARGIN, 30),
        Anchor.START,
        new Font(fitting, true, Colours.INK),
        false);
  }

  /** The axis below. */
  void below(String label, Canvas canvas) {
    canvas.text(
        label, new Point(left + width / 2, bottom() + 44), Anchor.MIDDLE, LABEL_FONT, false);
  }

  /** The axis at the left. */
  void beside(String label, Canvas canvas) {
    canvas.text(label, new Point(MARGIN + 10, top + height / 2), Anchor.MIDDLE, LABEL_FONT, true);
  }

  /** Ticks below, of those that leave room between one another. */
  void ticksBelow(List<Double> places, List<String> texts, boolean hasGrid, Canvas canvas) {
    double free = Double.NEGATIVE_INFINITY;
    for (int i = 0; i < texts.size(); i++) {
      double x = left + places.get(i) * width;
      double half = TextWidth.of(texts.get(i), TICK_FONT.size()) / 2;
      if (hasGrid) {
        vertical(x, canvas);
      }
      if (x - half < free) {
        continue;
      }
      free = x + half + 6;
      canvas.text(texts.get(i), new Point(x, bottom() + 20), Anchor.MIDDLE, TICK_FONT, false);
    }
  }

  private void vertical(double x, Canvas canvas) {
    canvas.line(List.of(new Point(x, top), new Point(x, bottom())), Colours.GRID, 1);
  }

  /** Ticks at the left, 0 at the bottom. */
  void ticksBeside(List<Double> places, List<String> texts, boolean hasGrid, Canvas canvas) {
    double free = Double.POSITIVE_INFINITY;
    for (int i = 0; i < texts.size(); i++) {
      double y = bottom() - places.get(i) * height;
      if (hasGrid) {
        canvas.line(List.of(new Point(left, y), new Point(right(), y)), Colours.GRID, 1);
      }
      if (y + 8 > free) {
        continue;
      }
      free = y - 8;
      canvas.text(texts.get(i), new Point(left - 8, y + 4), Anchor.END, TICK_FONT, false);
    }
  }

  /** A line around the data. */
  void outline(Canvas canvas) {
    var corners = new ArrayList<Point>();
    corners.add(new Point(left, top));
    corners.add(new Point(left, bottom()));
    corners.add(new Point(right(), bottom()));
    canvas.line(corners, Colours.INK, 1.2);
  }
}
