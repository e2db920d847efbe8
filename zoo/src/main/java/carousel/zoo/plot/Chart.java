package carousel.zoo.plot;

import carousel.zoo.plot.Series.Kind;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Curves, points, bars and histograms over two axes.
 *
 * @param title what is seen
 * @param x to the right
 * @param y upwards
 * @param series what is shown, in the order of the legend
 */
public record Chart(String title, Axis x, Axis y, List<Series> series) implements Plot {
  /** Copies the list. */
  public Chart {
    series = List.copyOf(series);
  }

  /**
   * A chart of nothing yet.
   *
   * @param title what is seen
   * @param x to the right
   * @param y upwards
   * @return the chart
   */
  public static Chart of(String title, Axis x, Axis y) {
    return new Chart(title, x, y, List.of());
  }

  private Chart with(Kind kind, String name, double[] xs, double[] ys, double... spread) {
    var more = new ArrayList<>(series);
    more.add(new Series(kind, name, xs, ys, spread));
    return new Chart(title, x, y, more);
  }

  /**
   * With a line through points.
   *
   * @param name in the legend
   * @param xs where
   * @param ys how much
   * @return the chart
   */
  public Chart curve(String name, double[] xs, double[] ys) {
    return with(Kind.CURVE, name, xs, ys);
  }

  /**
   * With a line through points, in a band.
   *
   * @param name in the legend
   * @param xs where
   * @param ys how much
   * @param spread the band reaches so far above and below
   * @return the chart
   */
  public Chart curve(String name, double[] xs, double[] ys, double[] spread) {
    return with(Kind.CURVE, name, xs, ys, spread);
  }

  /**
   * With points.
   *
   * @param name in the legend
   * @param xs where
   * @param ys how much
   * @return the chart
   */
  public Chart points(String name, double[] xs, double[] ys) {
    return with(Kind.POINTS, name, xs, ys);
  }

  /**
   * With bars; those of several series stand side by side.
   *
   * @param name in the legend
   * @param xs the middles, equally far apart
   * @param ys the heights
   * @return the chart
   */
  public Chart bars(String name, double[] xs, double[] ys) {
    return with(Kind.BARS, name, xs, ys);
  }

  /**
   * With how many values fall into each of equal bins, as a share of all.
   *
   * @param name in the legend
   * @param from where the first bin begins
   * @param to where the last ends; a value there is in it
   * @param bins how many
   * @param values what is counted; those outside count only among all
   * @return the chart
   */
  public Chart histogram(String name, double from, double to, int bins, double... values) {
    var middles = new double[bins];
    var shares = new double[bins];
    double width = (to - from) / bins;
    for (int b = 0; b < bins; b++) {
      middles[b] = from + (b + 0.5) * width;
    }
    for (var value : values) {
      if (value < from || value > to) {
        continue;
      }
      shares[Math.min(bins - 1, (int) ((value - from) / width))] += 1.0 / values.length;
    }
    return with(Kind.BARS, name, middles, shares);
  }

  /**
   * With a line across at one height.
   *
   * @param name in the legend
   * @param height where
   * @return the chart
   */
  public Chart level(String name, double height) {
    return with(Kind.LEVEL, name, new double[] {Double.NaN}, new double[] {height});
  }

  /**
   * With a line from top to bottom.
   *
   * @param name in the legend
   * @param at where
   * @return the chart
   */
  public Chart mark(String name, double at) {
    return with(Kind.MARK, name, new double[] {at}, new double[] {Double.NaN});
  }

  @Override
  public double height() {
    return Frame.HEIGHT + new Legend(this).height();
  }

  @Override
  public void draw(Canvas canvas) {
    new ChartDrawing(this, canvas).draw();
  }

  /** The axis to the right, fitted to all series. */
  Axis fittedX() {
    var xs =
        series.stream()
            .flatMapToDouble(s -> Arrays.stream(s.x()))
            .filter(Double::isFinite)
            .filter(v -> !x.isLogarithmic() || v > 0)
            .summaryStatistics();
    var side = series.stream().filter(s -> s.kind() == Kind.BARS).mapToDouble(Chart::half).max();
    return x.fitted(xs.getMin() - side.orElse(0), xs.getMax() + side.orElse(0));
  }

  /** Whether everything stands at whole numbers, so that there is nothing to mark between them. */
  boolean isWhole() {
    return series.stream()
        .flatMapToDouble(s -> Arrays.stream(s.x()))
        .filter(Double::isFinite)
        .allMatch(v -> v == Math.rint(v));
  }

  /** The axis upwards, fitted to all series; bars stand on its foot where nothing lies below zero. */
  Axis fittedY() {
    double low =
        series.stream()
            .flatMapToDouble(Series::lowest)
            .filter(v -> !y.isLogarithmic() || v > 0)
            .min()
            .orElse(Double.NaN);
    double high = series.stream().flatMapToDouble(Series::highest).max().orElse(Double.NaN);
    var fitted = y.fitted(low, high);
    boolean bars = series.stream().anyMatch(s -> s.kind() == Kind.BARS);
    boolean onFoot = bars && low == 0 && Double.isNaN(y.from()) && !y.isLogarithmic();
    return onFoot ? fitted.within(0, fitted.to()) : fitted;
  }

  /** Half of the distance of a series' bars. */
  static double half(Series bars) {
    var xs = bars.x();
    return xs.length < 2 ? 0.5 : Math.abs(xs[1] - xs[0]) / 2;
  }
}
