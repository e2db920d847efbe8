package carousel.zoo.system;

import carousel.zoo.run.Failure;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;

/** Several seeds, as {@code 1..5} or {@code 1,4,9}. */
public final class Seeds {
  private static final Pattern RANGE = Pattern.compile("(\\d{1,9})\\.\\.(\\d{1,9})");
  private static final Pattern LIST = Pattern.compile("\\d{1,9}(,\\d{1,9})*");
  private static final int MOST = 1000;

  private Seeds() {}

  /**
   * Reads what {@code --seeds} is given.
   *
   * @param text a range or a list
   * @return the seeds, each once
   * @throws Failure if it is neither
   */
  public static List<Long> parse(String text) {
    var seeds = new ArrayList<Long>();
    var range = RANGE.matcher(text);
    if (range.matches()) {
      long first = Long.parseLong(range.group(1));
      long last = Long.parseLong(range.group(2));
      if (first <= last && last - first < MOST) {
        for (long seed = first; seed <= last; seed++) {
          seeds.add(seed);
        }
      }
    } else if (LIST.matcher(text).matches()) {
      for (var seed : text.split(",", -1)) {
        if (!seeds.contains(Long.valueOf(seed))) {
          seeds.add(Long.valueOf(seed));
        }
      }
    }
    if (seeds.isEmpty() || seeds.size() > MOST) {
      throw Failure.usage(
          String.format(
              Locale.ROOT,
              "--seeds must be a range, as 1..5, or a list, as 1,4,9, of at most %d seeds; got '%s'",
              MOST,
              text));
    }
    return seeds;
  }
}
