package carousel.zoo.plot;

import java.util.Locale;

/**
 * Colours that people who see fewer of them can tell apart.
 *
 * <p>Source: M. Okabe and K. Ito, Color universal design (2008), for series; S. van der Walt and N. Smith, viridis
 * (2015), for values, by linear interpolation between nine of its colours.
 */
final class Colours {
  static final String INK = "#222222";
  static final String PALE_INK = "#5a5a5a";
  static final String GRID = "#e3e3e3";
  static final String NOTHING = "#d0d0d0";

  private static final String[] SERIES = {
    "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000"
  };

  private static final int[] VIRIDIS = {
    0x440154, 0x472d7b, 0x3b528b, 0x2c728e, 0x21918c, 0x28ae80, 0x5ec962, 0xaddc30, 0xfde725
  };

  private Colours() {}

  /** Of the k-th series. */
  static String series(int k) {
    return SERIES[k % SERIES.length];
  }

  /** From dark to bright, for 0 to 1. */
  static String value(double place) {
    double at = Math.clamp(place, 0, 1) * (VIRIDIS.length - 1);
    int i = Math.min((int) at, VIRIDIS.length - 2);
    int mixed = 0;
    for (int shift = 16; shift >= 0; shift -= 8) {
      int a = VIRIDIS[i] >> shift & 0xff;
      int b = VIRIDIS[i + 1] >> shift & 0xff;
      mixed = mixed << 8 | (int) Math.round(a + (at - i) * (b - a));
    }
    return String.format(Locale.ROOT, "#%06x", mixed);
  }

  /** Black or white, whichever can be read on a value's colour. */
  static String on(double place) {
    return place > 0.55 ? INK : "#ffffff";
  }
}
