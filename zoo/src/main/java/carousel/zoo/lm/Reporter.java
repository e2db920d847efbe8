package carousel.zoo.lm;

import java.io.PrintWriter;
import java.util.Locale;
import java.util.Optional;

/**
 * Shows how far a training is: on a terminal a bar that is drawn again and again, elsewhere a plain
 * line now and then. What is to stay is printed as lines in both cases.
 */
public final class Reporter {
  private static final int BAR = 24;
  private static final long REDRAW_NANOS = 200_000_000L;
  private static final long LINE_NANOS = 30_000_000_000L;
  private static final String CLEAR = "\r\u001b[K";

  private final PrintWriter out;
  private final PrintWriter screen;
  private final boolean terminal;
  private final String unit;
  private long last;
  private boolean drawn;
  private boolean unheard;

  /**
   * A reporter.
   *
   * @param out where lines go
   * @param screen where the bar goes
   * @param terminal whether {@code screen} is a terminal
   * @param unit what is counted per second, e.g. {@code words}
   */
  public Reporter(PrintWriter out, PrintWriter screen, boolean terminal, String unit) {
    this.out = out;
    this.screen = screen;
    this.terminal = terminal;
    this.unit = unit;
    this.last = System.nanoTime();
  }

  /**
   * Prints a line that stays.
   *
   * @param text the line
   */
  public void line(String text) {
    clear();
    out.println(visible(text));
    if (out.checkError() && !unheard) {
      unheard = true;
      warning(
          "what it prints cannot be written; the training goes on, and its results are in its folder");
    }
  }

  /**
   * Prints a line about something that went wrong without ending the training.
   *
   * @param text the line
   */
  public void warning(String text) {
    clear();
    screen.println("carousel: " + visible(text));
    screen.flush();
  }

  /**
   * A text with nothing in it that moves the cursor of a terminal, or turns the order of what is read, but tabs
   * and the ends of lines: what messages quote of files and arguments.
   *
   * @param text any text
   * @return the same, control characters as their numbers
   */
  public static String visible(String text) {
    var out = new StringBuilder();
    text.codePoints()
        .forEach(c -> {
          if (c == '\n' || c == '\t' || !movesCursor(c)) out.appendCodePoint(c);
          else out.append("\\u{").append(Integer.toHexString(c)).append('}');
        });
    return out.toString();
  }

  /** Control characters, and those that turn the direction of writing. */
  private static boolean movesCursor(int c) {
    return Character.isISOControl(c)
        || (c >= 0x202A && c <= 0x202E)
        || (c >= 0x2066 && c <= 0x2069);
  }

  /** Removes the bar. */
  public void clear() {
    if (drawn) {
      screen.print(CLEAR);
      screen.flush();
      drawn = false;
    }
  }

  /**
   * Shows a step.
   *
   * @param epoch from 1
   * @param epochs how many there will be
   * @param step from 1
   * @param steps how many the epoch has
   * @param loss the mean so far, nats per token
   * @param speed tokens per second
   * @param left seconds left of the whole training, as it seems now; empty while that cannot be known
   */
  void step(
      int epoch,
      int epochs,
      int step,
      int steps,
      double loss,
      double speed,
      Optional<Double> left) {
    var now = System.nanoTime();
    if (now - last < (terminal ? REDRAW_NANOS : LINE_NANOS) && step < steps) return;
    if (!terminal && step == steps) return; // the line of the epoch follows
    last = now;
    var facts =
        String.format(
            Locale.ROOT,
            "%s %s/s  loss %s%s",
            Numbers.count(Math.round(speed)),
            unit,
            String.format(Locale.ROOT, "%.3f", loss),
            left.map(seconds -> "  " + Numbers.time(seconds) + " left").orElse(""));
    if (terminal) {
      var filled = (int) ((long) BAR * step / steps);
      var bar = "█".repeat(filled) + "░".repeat(BAR - filled);
      screen.print(
          String.format(
              Locale.ROOT,
              "%sepoch %d/%d %s %3d %%  %s",
              CLEAR,
              epoch,
              epochs,
              bar,
              100L * step / steps,
              facts));
      screen.flush();
      drawn = true;
    } else {
      out.println(
          String.format(
              Locale.ROOT, "epoch %d/%d  %3d %%  %s", epoch, epochs, 100L * step / steps, facts));
      out.flush();
    }
  }
}
