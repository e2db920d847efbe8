package carousel.zoo.language;

import carousel.zoo.run.Failure;
import java.util.Locale;
import java.util.Map;
import java.util.function.Function;
import java.util.function.Predicate;

/**
 * How far a training has come, between two steps.
 *
 * @param epoch which reading of the text, from 0
 * @param windows how many windows of it are read
 * @param nats the sum of their losses
 * @param tokens how many they predicted
 * @param seconds how long that took
 * @param noise the position in the random numbers of the epoch
 */
record Progress(int epoch, int windows, double nats, long tokens, double seconds, long noise) {
  /** Before the first window of an epoch. */
  static Progress before(int epoch) {
    return new Progress(epoch, 0, 0, 0, 0, 0);
  }

  /** By name; exact, since the text of a double is. */
  Map<String, String> values() {
    return Map.of(
        "epoch", Integer.toString(epoch),
        "windows", Integer.toString(windows),
        "nats", Double.toString(nats),
        "tokens", Long.toString(tokens),
        "seconds", Double.toString(seconds),
        "noise", Long.toString(noise));
  }

  /**
   * Reads {@link #values} back.
   *
   * @param origin names the file in errors
   * @throws Failure if one is missing, or is none that {@link #values} gives
   */
  static Progress of(Map<String, String> values, String origin) {
    var read = new Reading(values, origin);
    var windows = read.number("windows", Integer::valueOf, x -> x >= 0);
    return new Progress(
        read.number("epoch", Integer::valueOf, x -> x >= 0),
        windows,
        read.number("nats", Double::valueOf, Double::isFinite),
        read.number("tokens", Long::valueOf, x -> windows > 0 ? x > 0 : x == 0),
        read.number("seconds", Double::valueOf, x -> x >= 0 && Double.isFinite(x)),
        read.number("noise", Long::valueOf, x -> x >= 0));
  }

  private record Reading(Map<String, String> values, String origin) {
    <T> T number(String name, Function<String, T> parser, Predicate<T> fits) {
      String value = values.get(name);
      if (value == null) {
        throw new Failure(
            String.format(
                Locale.ROOT,
                "%s: this is no checkpoint of a language model: it does not say its '%s'",
                origin,
                name));
      }
      try {
        var number = parser.apply(value);
        if (fits.test(number)) {
          return number;
        }
      } catch (NumberFormatException e) {
        throw new Failure(
            String.format(Locale.ROOT, "%s: '%s' is no number for '%s'", origin, value, name), e);
      }
      throw new Failure(String.format(Locale.ROOT, "%s: '%s' cannot be %s", origin, name, value));
    }
  }
}
