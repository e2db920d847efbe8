package carousel.zoo.plot;

/** A picture that can be read without its text: a description, which is drawn as SVG or as PNG. */
public sealed interface Plot permits Chart, HeatMap {
  /**
   * What is seen.
   *
   * @return stands above
   */
  String title();

  /**
   * Its size.
   *
   * @return width, in points
   */
  default double width() {
    return 760;
  }

  /**
   * Its size.
   *
   * @return height, in points
   */
  double height();

  /**
   * Draws it.
   *
   * @param canvas is drawn on, {@link #width} × {@link #height}
   */
  void draw(Canvas canvas);

  /**
   * As SVG, which needs no font and no other file.
   *
   * @return the text of the file
   */
  default String svg() {
    var canvas = new SvgCanvas(width(), height(), title());
    draw(canvas);
    return canvas.text();
  }
}
