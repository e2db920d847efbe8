package carousel.zoo.draw;

/**
 * How wide a text is drawn, without a font at hand: class widths of the wide sans-serif faces
 * (DejaVu Sans, Verdana), so that what fits by this estimate fits in Helvetica too.
 */
public final class TextWidth {
  private TextWidth() {}

  /**
   * An upper estimate.
   *
   * @param text what is drawn
   * @param size of the font
   * @return in the unit of {@code size}
   */
  public static double of(String text, double size) {
    return size * text.codePoints().mapToDouble(TextWidth::em).sum();
  }

  private static double em(int c) {
    if (c >= 0x1100 && (Character.isIdeographic(c) || c >= 0xFF00 || isKanaOrHangul(c))) {
      return 1.05;
    }
    if ("ijl.,:;'|!".indexOf(c) >= 0) {
      return 0.34;
    }
    if ("frt()[]{}/- ".indexOf(c) >= 0) {
      return 0.42;
    }
    if ("mwMW@%".indexOf(c) >= 0) {
      return 0.99;
    }
    return Character.isUpperCase(c) ? 0.74 : 0.64;
  }

  private static boolean isKanaOrHangul(int c) {
    return (c >= 0x3000 && c <= 0x30FF)
        || (c >= 0x1100 && c <= 0x11FF)
        || (c >= 0xAC00 && c <= 0xD7AF);
  }
}
