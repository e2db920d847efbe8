package carousel.zoo.run;

import java.util.Locale;
import java.util.regex.Pattern;

/**
 * How often a checkpoint is written: after a number of steps, or of seconds.
 *
 * @param steps between two of them; 0 if time decides
 * @param seconds between two of them; 0 if the steps decide
 */
public record Every(long steps, long seconds) {
  private static final Pattern FORM = Pattern.compile("([1-9]\\d{0,8})([smh]?)");

  /**
   * Reads what {@code --every} is given.
   *
   * @param text a number of steps such as {@code 500}, or a time such as {@code 30s}, {@code 5m},
   *     {@code 2h}
   * @return what it says
   * @throws Failure if it is neither
   */
  public static Every parse(String text) {
    var matcher = FORM.matcher(text);
    if (!matcher.matches()) {
      throw Failure.usage(
          String.format(
              Locale.ROOT,
              "--every must be a number of steps, as 500, or a time, as 30s, 5m or 2h; got '%s'",
              text));
    }
    long number = Long.parseLong(matcher.group(1));
    return switch (matcher.group(2)) {
      case "s" -> new Every(0, number);
      case "m" -> new Every(0, 60 * number);
      case "h" -> new Every(0, 3600 * number);
      default -> new Every(number, 0);
    };
  }

  /**
   * Whether the time has come.
   *
   * @param step how many steps the training has made
   * @param elapsed seconds since the last one was written, or tried
   * @return whether to write one
   */
  boolean due(long step, double elapsed) {
    return steps > 0 ? step % steps == 0 : elapsed >= seconds;
  }
}
