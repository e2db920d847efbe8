package carousel.zoo.plot;

import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.Shape;
import java.awt.geom.Path2D;
import java.awt.geom.Rectangle2D;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.List;
import javax.imageio.ImageIO;
import javax.imageio.stream.MemoryCacheImageOutputStream;

/** Draws plots as PNG, at two pixels a point. */
public final class Png {
  private static final int SCALE = 2;

  private Png() {}

  /** A machine without any font, where texts cannot be drawn. */
  public static final class NoFonts extends RuntimeException {
    private static final long serialVersionUID = 1L;

    NoFonts(Throwable cause) {
      super(
          "the PNG was left out: Java finds no font here. Install fontconfig and a font (fonts-dejavu-core);"
              + " the SVG is there",
          cause);
    }
  }

  /**
   * Draws a plot.
   *
   * @param plot what is drawn
   * @return the bytes of the file
   * @throws NoFonts if the machine has none
   */
  public static byte[] of(Plot plot) {
    System.setProperty("java.awt.headless", "true");
    try {
      return draw(plot);
    } catch (LinkageError | InternalError | NullPointerException e) {
      throw new NoFonts(e); // what Java throws without fontconfig depends on its version
    }
  }

  private static byte[] draw(Plot plot) {
    var image =
        new BufferedImage(
            (int) Math.ceil(plot.width() * SCALE),
            (int) Math.ceil(plot.height() * SCALE),
            BufferedImage.TYPE_INT_RGB);
    var graphics = image.createGraphics();
    try {
      graphics.setRenderingHint(RenderingHints.KEY_ANTIALIASING, RenderingHints.VALUE_ANTIALIAS_ON);
      graphics.setRenderingHint(
          RenderingHints.KEY_TEXT_ANTIALIASING, RenderingHints.VALUE_TEXT_ANTIALIAS_ON);
      graphics.setRenderingHint(
          RenderingHints.KEY_FRACTIONALMETRICS, RenderingHints.VALUE_FRACTIONALMETRICS_ON);
      graphics.setRenderingHint(
          RenderingHints.KEY_STROKE_CONTROL, RenderingHints.VALUE_STROKE_PURE);
      graphics.setColor(Color.WHITE);
      graphics.fillRect(0, 0, image.getWidth(), image.getHeight());
      graphics.scale(SCALE, SCALE);
      plot.draw(new Painter(graphics));
    } finally {
      graphics.dispose();
    }
    // In memory: the cache on disk that ImageIO takes by default may not be writable.
    var bytes = new ByteArrayOutputStream();
    try (var stream = new MemoryCacheImageOutputStream(bytes)) {
      if (!ImageIO.write(image, "png", stream)) {
        throw new IllegalStateException("no PNG writer");
      }
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
    return bytes.toByteArray();
  }

  private record Painter(Graphics2D graphics) implements Canvas {
    @Override
    public void line(List<Point> points, String colour, double width, double... dash) {
      if (points.isEmpty()) {
        return;
      }
      graphics.setColor(Color.decode(colour));
      graphics.setStroke(stroke((float) width, dash));
      graphics.draw(path(points));
    }

    private static BasicStroke stroke(float width, double... dash) {
      if (dash.length == 0) {
        return new BasicStroke(width, BasicStroke.CAP_BUTT, BasicStroke.JOIN_ROUND);
      }
      var lengths = new float[dash.length];
      for (int i = 0; i < dash.length; i++) {
        lengths[i] = (float) dash[i];
      }
      return new BasicStroke(width, BasicStroke.CAP_BUTT, BasicStroke.JOIN_ROUND, 10, lengths, 0);
    }

    private static Path2D path(List<Point> points) {
      var path = new Path2D.Double();
      for (var p : points) {
        if (path.getCurrentPoint() == null) {
          path.moveTo(p.x(), p.y());
        } else {
          path.lineTo(p.x(), p.y());
        }
      }
      return path;
    }

    @Override
    public void area(List<Point> corners, String colour, double opacity) {
      var opaque = Color.decode(colour);
      graphics.setColor(
          new Color(
              opaque.getRed(),
              opaque.getGreen(),
              opaque.getBlue(),
              (int) Math.round(255 * opacity)));
      var path = path(corners);
      path.closePath();
      graphics.fill(path);
    }

    @Override
    public void text(String text, Point at, Anchor anchor, Font font, boolean upright) {
      int style = font.bold() ? java.awt.Font.BOLD : java.awt.Font.PLAIN;
      graphics.setFont(
          new java.awt.Font(java.awt.Font.SANS_SERIF, style, 1).deriveFont((float) font.size()));
      graphics.setColor(Color.decode(font.colour()));
      double width =
          graphics.getFont().getStringBounds(text, graphics.getFontRenderContext()).getWidth();
      double back =
          switch (anchor) {
            case START -> 0.0;
            case MIDDLE -> width / 2;
            case END -> width;
          };
      var before = graphics.getTransform();
      graphics.translate(at.x(), at.y());
      if (upright) {
        graphics.rotate(-Math.PI / 2);
      }
      graphics.drawString(text, (float) -back, 0);
      graphics.setTransform(before);
    }

    @Override
    public void clip(double x, double y, double width, double height) {
      Shape room = new Rectangle2D.Double(x, y, width, height);
      graphics.setClip(room);
    }

    @Override
    public void unclip() {
      graphics.setClip(null);
    }
  }
}
