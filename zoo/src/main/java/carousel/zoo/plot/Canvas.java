package carousel.zoo.plot;

import java.util.List;

/** What a plot is drawn on; x to the right and y downwards, in points. */
interface Canvas {
  /** A point. */
  record Point(double x, double y) {}

  /** Where a text lies about its point. */
  enum Anchor {
    START,
    MIDDLE,
    END
  }

  /** How a text looks. */
  record Font(double size, boolean bold, String colour) {}

  /** A line through points; dash holds lengths, empty for a whole line. */
  void line(List<Point> points, String colour, double width, double... dash);

  /** An area, filled; opacity from 0 to 1. */
  void area(List<Point> corners, String colour, double opacity);

  /** A rectangle, filled. */
  default void box(double x, double y, double width, double height, String colour) {
    area(
        List.of(
            new Point(x, y),
            new Point(x + width, y),
            new Point(x + width, y + height),
            new Point(x, y + height)),
        colour,
        1);
  }

  /** A text whose baseline goes through a point; upright ones read from below. */
  void text(String text, Point at, Anchor anchor, Font font, boolean upright);

  /** Draws what follows within a rectangle alone, until {@link #unclip}. */
  void clip(double x, double y, double width, double height);

  /** Draws on the whole again. */
  void unclip();
}
