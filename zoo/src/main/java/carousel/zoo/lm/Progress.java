package carousel.zoo.lm;

import java.util.Map;
import java.util.function.Function;

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
   * @throws Failure if one is missing or no number
   */
  static Progress of(Map<String, String> values, String origin) {
    var read = new Reading(values, origin);
    return new Progress(
        read.number("epoch", Integer::valueOf),
        read.number("windows", Integer::valueOf),
        read.number("nats", Double::valueOf),
        read.number("tokens", Long::valueOf),
        read.number("seconds", Double::valueOf),
        read.number("noise", Long::valueOf));
  }

  private record Reading(Map<String, String> values, String origin) {
    <T> T number(String name, Function<String, T> parser) {
      var value = values.get(name);
      if (value == null) {
        throw new Failure(
            "%s: this is no checkpoint of a language model: it does not say its '%s'"
                .formatted(origin, name));
      }
      try {
        return parser.apply(value);
      } catch (NumberFormatException e) {
        throw new Failure("%s: '%s' is no number for '%s'".formatted(origin, value, name), e);
      }
    }
  }
}
