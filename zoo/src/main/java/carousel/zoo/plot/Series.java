package carousel.zoo.plot;

import java.util.Arrays;
import java.util.stream.DoubleStream;

/**
 * One thing that a {@link Chart} shows, and its name in the legend.
 *
 * @param kind how it is drawn
 * @param name in the legend
 * @param x where; the middle of a bar, one number for a line across
 * @param y how much; as many
 * @param spread about y: half of a band's height, or nothing
 */
public record Series(Kind kind, String name, double[] x, double[] y, double[] spread) {
  /** How a series is drawn. */
  public enum Kind {
    /** A line through its points, which are marked where they are few. */
    CURVE,
    /** Points. */
    POINTS,
    /** Bars from zero, as wide as their distance. */
    BARS,
    /** A line across the chart at one y. */
    LEVEL,
    /** A line across the chart at one x. */
    MARK
  }

  /** Checks the lengths. */
  public Series {
    x = x.clone();
    y = y.clone();
    spread = spread.clone();
    if (x.length != y.length || (spread.length != 0 && spread.length != y.length)) {
      throw new IllegalArgumentException(
          name + ": " + x.length + " x, " + y.length + " y, " + spread.length + " spreads");
    }
  }

  @Override
  public double[] x() {
    return x.clone();
  }

  @Override
  public double[] y() {
    return y.clone();
  }

  @Override
  public double[] spread() {
    return spread.clone();
  }

  DoubleStream lowest() {
    return ends(-1);
  }

  DoubleStream highest() {
    return ends(1);
  }

  private DoubleStream ends(int side) {
    var ends = new double[y.length];
    for (int i = 0; i < y.length; i++) {
      ends[i] = y[i] + (spread.length == 0 ? 0 : side * spread[i]);
    }
    var all = Arrays.stream(ends).filter(Double::isFinite);
    return kind == Kind.BARS ? DoubleStream.concat(all, DoubleStream.of(0)) : all;
  }
}
