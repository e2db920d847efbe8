package carousel.zoo.run;

import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.Locale;

/**
 * Shows how far a run is: on a terminal a bar that is drawn again and again, elsewhere a plain
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
  private long last;
  private boolean drawn;
  private boolean unheard;

  /**
   * A reporter.
   *
   * @param out where lines go
   * @param screen where the bar goes
   * @param terminal whether {@code screen} is a terminal
   */
  public Reporter(PrintWriter out, PrintWriter screen, boolean terminal) {
    this.out = out;
    this.screen = screen;
    this.terminal = terminal;
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
          "what it prints cannot be written; the run goes on, and its results are in its folder");
    }
  }

  /**
   * Prints a line about something that went wrong without ending the run.
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
          if (c == '\n' || c == '\t' || !movesCursor(c)) {
            out.appendCodePoint(c);
          } else {
            out.append("\\u{").append(Integer.toHexString(c)).append('}');
          }
        });
    return out.toString();
  }

  /**
   * A path as an argument of a command that can be pasted into a shell.
   *
   * @param path any path
   * @return the path, quoted where a shell would take it for something else
   */
  public static String argument(Path path) {
    String text = visible(path.toString());
    return text.matches("[\\w./:@%+=,-]+") && !text.startsWith("-")
        ? text
        : "'" + text.replace("'", "'\\''") + "'";
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
   * Shows how far something is.
   *
   * @param what it is, e.g. {@code epoch 1/4}
   * @param done how much of it, from 1
   * @param total how much there is
   * @param facts what else there is to say
   */
  public void progress(String what, long done, long total, String facts) {
    long now = System.nanoTime();
    if (now - last < (terminal ? REDRAW_NANOS : LINE_NANOS) && done < total) {
      return;
    }
    if (!terminal && done == total) {
      return;
    } // the line of the result follows
    last = now;
    long percent = 100L * done / total;
    if (terminal) {
      int filled = (int) (BAR * done / total);
      String bar = "█".repeat(filled) + "░".repeat(BAR - filled);
      screen.print(
          String.format(Locale.ROOT, "%s%s %s %3d %%  %s", CLEAR, what, bar, percent, facts));
      screen.flush();
      drawn = true;
    } else {
      out.println(String.format(Locale.ROOT, "%s  %3d %%  %s", what, percent, facts));
      out.flush();
    }
  }
}
