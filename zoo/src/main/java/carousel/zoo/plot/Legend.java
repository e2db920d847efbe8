package carousel.zoo.plot;

import carousel.zoo.draw.TextWidth;
import carousel.zoo.plot.Canvas.Anchor;
import carousel.zoo.plot.Canvas.Font;
import carousel.zoo.plot.Canvas.Point;
import java.util.ArrayList;
import java.util.List;

/** The names of the series, in lines under the title, so that they hide nothing. */
final class Legend {
  private static final Font FONT = new Font(12, false, Colours.INK);
  private static final double MARGIN = 20;
  private static final double LINE = 20;
  private static final double SWATCH = 34;
  private static final double GAP = 22;

  /** Where the swatch of each series begins. */
  private final List<Point> places = new ArrayList<>();

  private final Chart chart;
  private double lines;

  Legend(Chart chart) {
    this.chart = chart;
    double x = MARGIN;
    int line = 0;
    for (var series : chart.series()) {
      double width = SWATCH + TextWidth.of(series.name(), FONT.size()) + GAP;
      if (x > MARGIN && x + width > chart.width() - MARGIN) {
        x = MARGIN;
        line++;
      }
      places.add(new Point(x, 46 + line * LINE));
      x += width;
    }
    lines = chart.series().isEmpty() ? 0 : line + 1;
  }

  double height() {
    return lines * LINE;
  }

  void draw(ChartDrawing drawing, Canvas canvas) {
    for (int i = 0; i < places.size(); i++) {
      var at = places.get(i);
      drawing.swatch(i, at.x(), at.y());
      canvas.text(
          chart.series().get(i).name(),
          new Point(at.x() + SWATCH, at.y() + 4),
          Anchor.START,
          FONT,
          false);
    }
  }
}
