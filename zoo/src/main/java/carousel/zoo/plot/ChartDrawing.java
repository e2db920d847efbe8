package carousel.zoo.plot;

import carousel.zoo.plot.Canvas.Point;
import carousel.zoo.plot.Series.Kind;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Draws a chart. Series differ by colour, and by dash, mark or shade, too. */
final class ChartDrawing {
  private static final int FEW = 60;
  private static final double[][] DASHES = {{}, {7, 3}, {2, 2.5}, {8, 3, 2, 3}, {12, 4}};

  private final Chart chart;
  private final Canvas canvas;
  private final Axis x;
  private final Axis y;
  private final Legend legend;
  private final Frame frame;
  private final List<Double> upwards;

  ChartDrawing(Chart chart, Canvas canvas) {
    this.chart = chart;
    this.canvas = canvas;
    x = chart.fittedX();
    y = chart.fittedY();
    legend = new Legend(chart);
    upwards = y.ticks(6);
    frame = Frame.of(chart, Axis.written(upwards), legend.height(), 0);
  }

  void draw() {
    frame.title(chart, canvas);
    legend.draw(this, canvas);
    var right = x.ticks(8).stream().filter(t -> !chart.isWhole() || t == Math.rint(t)).toList();
    frame.ticksBelow(right.stream().map(x::place).toList(), Axis.written(right), true, canvas);
    frame.ticksBeside(upwards.stream().map(y::place).toList(), Axis.written(upwards), true, canvas);
    frame.below(x.title(), canvas);
    frame.beside(y.title(), canvas);
    canvas.clip(frame.left(), frame.top() - 4, frame.width() + 4, frame.height() + 8);
    for (int i = 0; i < chart.series().size(); i++) {
      series(i);
    }
    canvas.unclip();
    frame.outline(canvas);
  }

  private double across(double value) {
    return frame.left() + x.place(value) * frame.width();
  }

  private double up(double value) {
    return frame.bottom() - y.place(value) * frame.height();
  }

  private void series(int k) {
    var series = chart.series().get(k);
    switch (series.kind()) {
      case CURVE -> curve(series, k);
      case POINTS -> points(series, k);
      case BARS -> bars(series, k);
      case LEVEL -> {
        double height = up(series.y()[0]);
        canvas.line(
            List.of(new Point(frame.left(), height), new Point(frame.right(), height)),
            Colours.series(k),
            1.6,
            dash(k));
      }
      case MARK -> {
        double at = across(series.x()[0]);
        canvas.line(
            List.of(new Point(at, frame.top()), new Point(at, frame.bottom())),
            Colours.series(k),
            1.6,
            dash(k));
      }
    }
  }

  private double[] dash(int k) {
    var kind = chart.series().get(k).kind();
    if (kind == Kind.CURVE) {
      return DASHES[k % DASHES.length];
    }
    return kind == Kind.LEVEL ? new double[] {9, 4} : new double[] {3, 3};
  }

  private void curve(Series series, int k) {
    var band = new ArrayList<Point>();
    var points = new ArrayList<Point>();
    var xs = series.x();
    var ys = series.y();
    var spread = series.spread();
    for (int i = 0; i <= xs.length; i++) {
      if (i < xs.length && Double.isFinite(xs[i]) && Double.isFinite(ys[i])) {
        points.add(new Point(across(xs[i]), up(ys[i])));
        if (spread.length > 0) {
          band.add(new Point(across(xs[i]), up(ys[i] + spread[i])));
          band.addFirst(new Point(across(xs[i]), up(ys[i] - spread[i])));
        }
        continue;
      }
      // A gap: what came before is one piece.
      if (band.size() > 2) {
        canvas.area(band, Colours.series(k), 0.18);
      }
      if (points.size() > 1) {
        canvas.line(points, Colours.series(k), 2.2, dash(k));
      }
      if (points.size() == 1 || xs.length <= FEW) {
        points.forEach(p -> marker(p, k, 3.4));
      }
      band.clear();
      points.clear();
    }
  }

  private void points(Series series, int k) {
    var xs = series.x();
    var ys = series.y();
    for (int i = 0; i < xs.length; i++) {
      if (Double.isFinite(xs[i]) && Double.isFinite(ys[i])) {
        marker(new Point(across(xs[i]), up(ys[i])), k, xs.length <= FEW ? 4 : 2.6);
      }
    }
  }

  private void bars(Series series, int k) {
    var all = chart.series().stream().filter(s -> s.kind() == Kind.BARS).toList();
    double slot = 2 * Chart.half(series) / all.size();
    var xs = series.x();
    var ys = series.y();
    double foot = up(Math.max(0, y.from()));
    for (int i = 0; i < xs.length; i++) {
      if (!Double.isFinite(ys[i])) {
        continue;
      }
      double from = xs[i] - Chart.half(series) + all.indexOf(series) * slot;
      double gap = 0.08 * (across(from + slot) - across(from));
      double top = up(ys[i]);
      canvas.box(
          across(from) + gap,
          Math.min(top, foot),
          across(from + slot) - across(from) - 2 * gap,
          Math.abs(foot - top),
          Colours.series(k));
    }
  }

  /** A circle, square, triangle or diamond. */
  private void marker(Point at, int k, double r) {
    var corners = new ArrayList<Point>();
    int shape = k % 4;
    int count = new int[] {16, 4, 3, 4}[shape];
    double turn = new double[] {0, Math.PI / 4, -Math.PI / 2, 0}[shape];
    double size = r * new double[] {1, 1.25, 1.4, 1.3}[shape];
    for (int i = 0; i < count; i++) {
      double angle = turn + 2 * Math.PI * i / count;
      corners.add(new Point(at.x() + size * Math.cos(angle), at.y() + size * Math.sin(angle)));
    }
    canvas.area(corners, Colours.series(k), 1);
  }

  /** A piece of a series for the legend. */
  void swatch(int k, double left, double middle) {
    var series = chart.series().get(k);
    String colour = Colours.series(k);
    switch (series.kind()) {
      case CURVE -> {
        canvas.line(
            List.of(new Point(left, middle), new Point(left + 26, middle)), colour, 2.2, dash(k));
        if (Arrays.stream(series.x()).count() <= FEW) {
          marker(new Point(left + 13, middle), k, 3.4);
        }
      }
      case POINTS -> marker(new Point(left + 13, middle), k, 4);
      case BARS -> canvas.box(left + 7, middle - 6, 12, 12, colour);
      case LEVEL, MARK ->
          canvas.line(
              List.of(new Point(left, middle), new Point(left + 26, middle)), colour, 1.6, dash(k));
    }
  }
}
