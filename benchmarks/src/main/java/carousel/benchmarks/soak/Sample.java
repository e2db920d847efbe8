package carousel.benchmarks.soak;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;

/**
 * How things stand between two trials, after a garbage collection.
 *
 * @param minutes since the start
 * @param trials so far
 * @param inUse bytes of tensor memory
 * @param peak of tensor memory in bytes
 * @param reserved bytes that tensor memory has taken from the system
 * @param resident bytes of the process
 * @param heap bytes in use
 * @param metaspace bytes in use
 * @param classes loaded, hidden ones included
 * @param leaks scopes reported as never closed, so far
 * @param reference processor time of a reference step in microseconds
 */
record Sample(
    double minutes,
    int trials,
    long inUse,
    long peak,
    long reserved,
    long resident,
    long heap,
    long metaspace,
    int classes,
    int leaks,
    double reference) {
  private static final Path STATUS = Path.of("/proc/self/status");

  static final String HEADER =
      "  min  trials   in use     peak  reserved  resident     heap  metaspace  classes  leaks  reference";

  @Override
  public String toString() {
    return String.format(
        Locale.ROOT,
        "%5.1f %7d %7.2fM %7.1fM %8.1fM %8.1fM %7.1fM %9.1fM %8d %6d %8.0fus",
        minutes,
        trials,
        mebi(inUse),
        mebi(peak),
        mebi(reserved),
        mebi(resident),
        mebi(heap),
        mebi(metaspace),
        classes,
        leaks,
        reference);
  }

  private static double mebi(long bytes) {
    return bytes / 0x1p20;
  }

  /** Returns the resident memory of this process in bytes; 0 where the system does not tell. */
  static long residentNow() throws IOException {
    if (!Files.isReadable(STATUS)) {
      return 0;
    }
    try (var lines = Files.lines(STATUS)) {
      return lines
          .filter(line -> line.startsWith("VmRSS:"))
          .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")) << 10)
          .findFirst()
          .orElse(0);
    }
  }

  /** Returns the bytes in use by classes. */
  static long metaspaceNow() {
    return ManagementFactory.getMemoryPoolMXBeans().stream()
        .filter(pool -> pool.getName().equals("Metaspace"))
        .mapToLong(pool -> pool.getUsage().getUsed())
        .sum();
  }
}
