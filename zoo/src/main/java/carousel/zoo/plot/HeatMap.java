package carousel.zoo.plot;

import carousel.zoo.draw.TextWidth;
import carousel.zoo.plot.Canvas.Anchor;
import carousel.zoo.plot.Canvas.Font;
import carousel.zoo.plot.Canvas.Point;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Values over two axes as colours, with a scale beside.
 *
 * @param title what is seen
 * @param x what a column is; its cells are numbered from 0, or named by {@code columns}
 * @param y what a row is; the first is on top
 * @param value what a colour means
 * @param cells {@code [rows][columns]}; NaN for nothing, which is grey
 * @param texts what stands in the cells, as many; empty for nothing
 * @param columns names of the columns; empty for numbers
 * @param rows names of the rows; empty for numbers
 */
public record HeatMap(
    String title,
    Axis x,
    Axis y,
    Axis value,
    double[][] cells,
    List<List<String>> texts,
    List<String> columns,
    List<String> rows)
    implements Plot {
  private static final double SCALE = 92;
  private static final int SHADES = 64;

  /** Copies all. */
  public HeatMap {
    cells = Arrays.stream(cells).map(double[]::clone).toArray(double[][]::new);
    texts = texts.stream().map(List::copyOf).toList();
    columns = List.copyOf(columns);
    rows = List.copyOf(rows);
    if (cells.length == 0 || cells[0].length == 0) {
      throw new IllegalArgumentException(title + ": a heat map needs a cell");
    }
  }

  /**
   * A heat map of numbered cells without texts.
   *
   * @param title what is seen
   * @param x what a column is
   * @param y what a row is
   * @param value what a colour means
   * @param cells {@code [rows][columns]}; NaN for nothing
   * @return the heat map
   */
  public static HeatMap of(String title, Axis x, Axis y, Axis value, double[][] cells) {
    return new HeatMap(title, x, y, value, cells, List.of(), List.of(), List.of());
  }

  /**
   * With a text in every cell.
   *
   * @param inside {@code [rows][columns]}
   * @return the heat map
   */
  public HeatMap texts(List<List<String>> inside) {
    return new HeatMap(title, x, y, value, cells, inside, columns, rows);
  }

  /**
   * With names.
   *
   * @param ofColumns from the left
   * @param ofRows from the top
   * @return the heat map
   */
  public HeatMap names(List<String> ofColumns, List<String> ofRows) {
    return new HeatMap(title, x, y, value, cells, texts, ofColumns, ofRows);
  }

  @Override
  public double[][] cells() {
    return Arrays.stream(cells).map(double[]::clone).toArray(double[][]::new);
  }

  /** As high as makes the cells nearly square, within reason. */
  @Override
  public double height() {
    double square = (width() - 200) * cells.length / cells[0].length;
    return Math.clamp(square, 150, 560) + 108;
  }

  @Override
  public void draw(Canvas canvas) {
    var above = rows.isEmpty() ? numbers(cells.length) : rows;
    var frame = Frame.of(this, above, 0, SCALE);
    frame.title(this, canvas);
    var scale = fitted();
    cells(frame, scale, canvas);
    ticks(frame, canvas);
    frame.below(x.title(), canvas);
    frame.beside(y.title(), canvas);
    scale(frame, scale, canvas);
  }

  private Axis fitted() {
    var known =
        Arrays.stream(cells)
            .flatMapToDouble(Arrays::stream)
            .filter(Double::isFinite)
            .summaryStatistics();
    double low = Double.isNaN(value.from()) ? known.getMin() : value.from();
    double high = Double.isNaN(value.to()) ? known.getMax() : value.to();
    if (!Double.isFinite(low) || !Double.isFinite(high)) {
      return value.within(0, 1);
    }
    return value.within(low, high > low ? high : low + 1);
  }

  private static List<String> numbers(int count) {
    return IntStream.range(0, count).mapToObj(Integer::toString).toList();
  }

  private void cells(Frame frame, Axis scale, Canvas canvas) {
    double width = frame.width() / cells[0].length;
    double height = frame.height() / cells.length;
    for (int r = 0; r < cells.length; r++) {
      for (int c = 0; c < cells[r].length; c++) {
        double place = scale.place(cells[r][c]);
        boolean known = Double.isFinite(cells[r][c]);
        double left = frame.left() + c * width;
        double top = frame.top() + r * height;
        // A little over the edge, so that no line shows between neighbours of one colour.
        canvas.box(
            left, top, width + 0.4, height + 0.4, known ? Colours.value(place) : Colours.NOTHING);
        if (texts.isEmpty()) {
          continue;
        }
        text(
            texts.get(r).get(c),
            new Point(left + width / 2, top + height / 2),
            width,
            known ? Colours.on(place) : Colours.INK,
            canvas);
      }
    }
  }

  private static void text(String text, Point at, double room, String colour, Canvas canvas) {
    if (text.isEmpty()) {
      return;
    }
    double size = Math.min(13, room * 0.86 / TextWidth.of(text, 1));
    canvas.text(
        text,
        new Point(at.x(), at.y() + size * 0.36),
        Anchor.MIDDLE,
        new Font(size, false, colour),
        false);
  }

  private void ticks(Frame frame, Canvas canvas) {
    var right = columns.isEmpty() ? numbers(cells[0].length) : columns;
    frame.ticksBelow(middles(right.size(), false), right, false, canvas);
    var down = rows.isEmpty() ? numbers(cells.length) : rows;
    frame.ticksBeside(middles(down.size(), true).reversed(), down.reversed(), false, canvas);
  }

  /** The middles of equal parts of 0 to 1. */
  private static List<Double> middles(int count, boolean fromTop) {
    return IntStream.range(0, count)
        .mapToObj(i -> (i + 0.5) / count)
        .map(place -> fromTop ? 1 - place : place)
        .toList();
  }

  private void scale(Frame frame, Axis scale, Canvas canvas) {
    double left = frame.right() + 22;
    double step = frame.height() / SHADES;
    for (int i = 0; i < SHADES; i++) {
      double top = frame.bottom() - (i + 1) * step;
      canvas.box(left, top, 14, step + 0.4, Colours.value((i + 0.5) / SHADES));
    }
    var ticks = new ArrayList<>(scale.ticks(5));
    var texts = Axis.written(ticks);
    for (int i = 0; i < ticks.size(); i++) {
      double y = frame.bottom() - scale.place(ticks.get(i)) * frame.height();
      canvas.line(List.of(new Point(left + 14, y), new Point(left + 18, y)), Colours.INK, 1);
      canvas.text(texts.get(i), new Point(left + 21, y + 4), Anchor.START, Frame.TICK_FONT, false);
    }
    canvas.text(
        scale.title(),
        new Point(width() - 16, frame.top() + frame.height() / 2),
        Anchor.MIDDLE,
        Frame.LABEL_FONT,
        true);
  }
}
