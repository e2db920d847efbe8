package carousel.benchmarks.compare;

import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * How the OpenMP threads of a library wait between two parallel regions. It makes up to a factor of 20
 * in either direction, so every library runs in all that apply, and its fastest counts.
 */
enum Setting {
  /** As the library comes. */
  DEFAULT(Map.of()),
  /** Threads sleep at once. */
  PASSIVE(Map.of("OMP_WAIT_POLICY", "PASSIVE")),
  /** Threads spin for some microseconds; read by GNU's OpenMP. */
  SHORT_SPIN(Map.of("GOMP_SPINCOUNT", "2000")),
  /** Threads sleep at once; read by Intel's OpenMP. */
  BLOCKTIME_0(Map.of("KMP_BLOCKTIME", "0")),
  /** Threads spin for a millisecond; read by Intel's OpenMP. */
  BLOCKTIME_1(Map.of("KMP_BLOCKTIME", "1"));

  static final List<Setting> GNU = List.of(DEFAULT, PASSIVE, SHORT_SPIN);
  static final List<Setting> INTEL = List.of(DEFAULT, BLOCKTIME_0, BLOCKTIME_1);

  /** The variables of the environment that make it so. */
  final Map<String, String> environment;

  Setting(Map<String, String> environment) {
    this.environment = environment;
  }

  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT).replace('_', ' ');
  }
}
