package carousel.nn.random;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/** Counts what came of some programs. */
final class Tally {
  private int programs;
  private long nanos;
  private final Map<Verdict.Kind, Integer> kinds = new EnumMap<>(Verdict.Kind.class);
  private final Map<String, Integer> kernels = new TreeMap<>();
  private final Map<String, int[]> traits = new TreeMap<>();

  void add(Verdict verdict, Iterable<String> some, long taken) {
    programs++;
    nanos += taken;
    kinds.merge(verdict.kind(), 1, Integer::sum);
    kernels.merge(verdict.kernel(), 1, Integer::sum);
    boolean kernel = verdict.kernel().equals(Verdict.KERNEL);
    for (String trait : some) {
      int[] counts = traits.computeIfAbsent(trait, _ -> new int[2]);
      counts[0]++;
      counts[1] += kernel ? 1 : 0;
    }
  }

  int programs() {
    return programs;
  }

  int of(Verdict.Kind kind) {
    return kinds.getOrDefault(kind, 0);
  }

  /** How many of the programs had a kernel, from 0 to 1. */
  double kernelShare() {
    return programs == 0 ? 0 : kernels.getOrDefault(Verdict.KERNEL, 0) / (double) programs;
  }

  /** One line. */
  String summary() {
    return String.format(
        Locale.ROOT,
        "%d programs, %.1f ms each, %s, %s",
        programs,
        programs == 0 ? 0 : nanos / 1e6 / programs,
        kinds,
        kernels);
  }

  /** A line for everything that programs have: how many have it, and how many of these a kernel. */
  List<String> table() {
    List<String> lines = new ArrayList<>();
    traits.forEach((trait, counts) ->
        lines.add(
            String.format(
                Locale.ROOT,
                "%-32s %7d, with a kernel %3.0f %%",
                trait,
                counts[0],
                100.0 * counts[1] / counts[0])));
    return lines;
  }
}
